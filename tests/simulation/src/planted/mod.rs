//! Bugs that are planted to show that the checks find them: where a port lies, forgets, or does
//! things in the wrong order. They live here and in the simulated adapters that ask for them, and
//! nowhere else; the code under test is the same with and without.

mod banks;
mod directory;
mod edge;
mod hub;
mod outside;
mod reads;

pub(crate) use banks::{changes, impatient_banks, loaded_accounts};
pub(crate) use directory::{entries, keys_held};
pub(crate) use edge::answer;
pub(crate) use hub::{enrolments, heard, loaded, moved, notices, positions, progress, saved};
pub(crate) use outside::{error_instead, known_orders};
pub(crate) use reads::history;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Events leave before their transaction is committed.
    PublishOutsideTransaction,
    /// Offsets are durable before the effects of what was read.
    OffsetBeforeEffect,
    /// Offsets are moved without looking where they stand.
    NoCompareAndSet,
    /// A commit whose outcome is unknown counts as done.
    CommitsThatLie,
    /// Rows are not locked when they are loaded.
    NoRowLocks,
    /// First answers are not kept.
    ForgetAnswers,
    /// Dead letters are dropped.
    NoDeadLetters,
    /// The relay sends the newest rows first.
    NewestFirst,
    /// The outbox is emptied before the log has acknowledged.
    RemoveBeforeSending,
    /// Records have no key, so the events of a transfer are in no order.
    UnkeyedRecords,
    /// A key can be registered twice.
    KeysWithoutUniqueness,
    /// The payer's bank releases a hold when its own clock says so.
    ReleaseHoldOnTimeout,
    /// A repeated order is rejected, although the first is under way.
    RejectRepeatedOrder,
    /// A repeated message is not answered.
    RepeatsUnanswered,
    /// The payer's report alone completes a transfer.
    CompletedBeforePayee,
    /// The payee's bank accepts and notes no expected credit.
    CreditWithoutExpectedCredit,
    /// An expired transfer can still be accepted.
    AcceptAfterExpiry,
    /// Deadlines pass whatever is still unread.
    ExpireWithoutReading,
    /// The payer's bank never hears what became of its orders.
    PayerNeverHears,
    /// What is held counts as available.
    HoldsNotCounted,
    /// The hub settles and moves only the payer's position.
    HalfAPosition,
    /// A reservation is not given back when its transfer ends.
    ReservationsKept,
    /// Banks never ask again about an open hold or expected credit.
    NoReminders,
    /// The hub never asks again for a missing report.
    NoRepeatedConfirmations,
    /// Some things that happen to accounts are not published.
    EventsLeftOut,
    /// The courier does not read the marks of what was handed over.
    MarksUnread,
    /// A former holder of the line of hand-overs is not shut out.
    LineWithoutFencing,
    /// Rows of hand-overs go before the log has them.
    HandOversRemovedFirst,
    /// A hand-over leaves whether its transaction is committed or not.
    HandOverBeforeCommit,
    /// What was handed over expires at its deadline.
    ExpireAfterHandOver,
    /// A confirmation meets another order than the one that it names.
    ConfirmationOfAnotherOrder,
    /// The answer to a repeated order hands it over again.
    RepeatHandsOverAgain,
    /// A known order with other content is answered as an error.
    ErrorForOtherContent,
    /// A confirmation settles what an operator resolved as refused.
    ContradictionSettles,
    /// Two orders of one id are two transfers.
    OrdersWithoutUniqueness,
    /// The directory answers the hub's questions of one batch in another order.
    AnswersOutOfOrder,
    /// An operator may resolve as refused what has not left yet.
    RefusedBeforeItLeft,
    /// Whoever asks is taken for an operator.
    EveryoneIsAnOperator,
    /// What was sent today is forgotten when an account is loaded.
    SpentForgotten,
    /// The hub takes the time at which it reads an acceptance for that of the log.
    HeardWhenRead,
    /// What comes over the counter is booked against unapplied credits.
    DepositsUnapplied,
    /// The payer's bank may accept for the payee's.
    OtherBankSpeaks,
    /// Two orders under one id are one, whatever their amounts.
    AmountsNotCompared,
    /// The payee's bank has three times as long as it is told.
    LongDeadline,
    /// Banks refuse large payments, and say that the account is blocked.
    RefusedAsBlocked,
    /// What others owe a bank gives it no room under its limit.
    ClaimsNotCounted,
    /// An account that is unblocked stays blocked.
    UnblockForgotten,
    /// The limits of an account are told, and not kept.
    LimitsForgotten,
    /// The limit of a bank is not kept.
    EnrolledWithoutLimit,
    /// A payer is told another name than the payee has.
    PayeeMisnamed,
    /// The directory takes the bank of whoever has a key for another.
    KeysTakenElsewhere,
    /// An account may have as many keys as it likes.
    KeysNotCounted,
    /// Banks ask again at one pace, however long.
    RepeatsNeverSlowDown,
    /// What operators note of a contradiction is not kept.
    AcknowledgementForgotten,
    /// A depositor is shown the account as it was before the deposit.
    BalanceBeforeDeposit,
    /// Who opens an account is shown another name.
    OwnerMisnamed,
    /// Who registers a key is told another.
    KeyMisnamed,
    /// A bank that is given another name loses its limit.
    RenamedWithoutLimit,
    /// Banks wait twenty minutes before they first ask again.
    FirstRepeatLate,
    /// Banks wait longer between repeats than they should.
    RepeatsLate,
    /// What is held counts as available in histories.
    HistoryWithoutHolds,
}

impl Bug {
    /// Its name, as it is asked for: `no-row-locks`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// All of them.
    pub const ALL: [Self; 61] = [
        Self::PublishOutsideTransaction,
        Self::OffsetBeforeEffect,
        Self::NoCompareAndSet,
        Self::CommitsThatLie,
        Self::NoRowLocks,
        Self::ForgetAnswers,
        Self::NoDeadLetters,
        Self::NewestFirst,
        Self::RemoveBeforeSending,
        Self::UnkeyedRecords,
        Self::KeysWithoutUniqueness,
        Self::ReleaseHoldOnTimeout,
        Self::RejectRepeatedOrder,
        Self::RepeatsUnanswered,
        Self::CompletedBeforePayee,
        Self::CreditWithoutExpectedCredit,
        Self::AcceptAfterExpiry,
        Self::ExpireWithoutReading,
        Self::PayerNeverHears,
        Self::HoldsNotCounted,
        Self::HalfAPosition,
        Self::ReservationsKept,
        Self::NoReminders,
        Self::NoRepeatedConfirmations,
        Self::EventsLeftOut,
        Self::MarksUnread,
        Self::LineWithoutFencing,
        Self::HandOversRemovedFirst,
        Self::HandOverBeforeCommit,
        Self::ExpireAfterHandOver,
        Self::ConfirmationOfAnotherOrder,
        Self::RepeatHandsOverAgain,
        Self::ErrorForOtherContent,
        Self::ContradictionSettles,
        Self::OrdersWithoutUniqueness,
        Self::AnswersOutOfOrder,
        Self::RefusedBeforeItLeft,
        Self::EveryoneIsAnOperator,
        Self::SpentForgotten,
        Self::HeardWhenRead,
        Self::DepositsUnapplied,
        Self::OtherBankSpeaks,
        Self::AmountsNotCompared,
        Self::LongDeadline,
        Self::RefusedAsBlocked,
        Self::ClaimsNotCounted,
        Self::UnblockForgotten,
        Self::LimitsForgotten,
        Self::EnrolledWithoutLimit,
        Self::PayeeMisnamed,
        Self::KeysTakenElsewhere,
        Self::KeysNotCounted,
        Self::RepeatsNeverSlowDown,
        Self::AcknowledgementForgotten,
        Self::BalanceBeforeDeposit,
        Self::OwnerMisnamed,
        Self::KeyMisnamed,
        Self::RenamedWithoutLimit,
        Self::FirstRepeatLate,
        Self::RepeatsLate,
        Self::HistoryWithoutHolds,
    ];
}
