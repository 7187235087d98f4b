//! Why the hub and the banks refuse, and how long they wait: each reason must be true, and each
//! time as long as it is said to be. The rules stand here once more, in their own words.

use std::time::Duration;

use banking::domain::{Account, AccountStatus, Payment};
use shared_kernel::domain::{EndToEndId, Money, ReasonCode, Timestamp};
use transfers::domain::{CreditTiming, Side, Transfer};

use super::{Finding, Oracle, must};

/// How long the payee's bank has to accept, in microseconds.
const DEADLINE: i64 = 40_000_000;
/// The first interval between two repeats, and the longest.
const REPEAT: (Duration, Duration) = (Duration::from_secs(20), Duration::from_mins(10));

/// What the hub knew of the banks of a new order when it decided on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitting {
    /// The payee's bank takes part.
    pub(crate) has_payee: bool,
    /// The most that the payer's bank may owe.
    pub(crate) limit: Option<Money>,
    /// Centavos that the payer's bank could owe more without a limit of its own, at least.
    pub(crate) owes: i64,
}

/// Why a bank must refuse to credit a payment, if it must.
fn refusal(payment: &Payment, account: Option<&Account>) -> Option<ReasonCode> {
    let Some(account) = account.map(Account::state) else { return Some(ReasonCode::Ac03) };
    if account.ispb != payment.payee.ispb {
        return Some(ReasonCode::Ac03);
    }
    let is_owners = account.owner_tax_id == payment.payee.owner_tax_id;
    match account.status {
        AccountStatus::Closed => Some(ReasonCode::Ac07),
        AccountStatus::Active | AccountStatus::Blocked if !is_owners => Some(ReasonCode::Be01),
        AccountStatus::Blocked => Some(ReasonCode::Ac06),
        AccountStatus::Active => None,
    }
}

/// A bank answers whether it will credit a payment: it refuses if it must, and for that reason.
pub(super) fn answers(
    payment: &Payment,
    account: Option<&Account>,
    said: Option<ReasonCode>,
) -> Finding {
    let due = refusal(payment, account);
    must(due == said, || {
        let id = payment.end_to_end_id;
        format!("the payee's bank answers {id} with {said:?}, and {due:?} is so: {account:?}")
    })
}

/// Something that waits for an answer was repeated `times` times and is due `at`; it was less
/// often, and due earlier. Each interval is twice the one before, up to the longest.
pub(crate) fn slows_down(
    what: impl std::fmt::Display,
    before: (u32, Timestamp),
    after: (u32, Timestamp),
) -> Finding {
    if before.0 == after.0 {
        return Ok(());
    }
    let (first, longest) = REPEAT;
    let least = first.saturating_mul(2_u32.saturating_pow(before.0)).min(longest);
    let least = i64::try_from(least.as_micros()).unwrap_or(i64::MAX);
    let waits = after.1.micros() - before.1.micros();
    must(after.0 == before.0 + 1 && waits >= least, || {
        let (times, seconds) = (after.0, waits / 1_000_000);
        format!("{what} is repeated for the {times}th time, and due again after {seconds} s")
    })
}

impl Oracle {
    /// A transfer has its time, and keeps it.
    pub(super) fn has_terms(&mut self, before: Option<&Transfer>, after: &Transfer) -> Finding {
        if before.is_some() {
            return Ok(());
        }
        let (id, terms) = (after.order().end_to_end_id, *after.terms());
        self.terms.insert(id, terms);
        let time = terms.deadline.micros() - terms.registered_at.micros();
        must(time == DEADLINE, || format!("the payee's bank of {id} has {time} microseconds"))
    }

    /// A bank orders: it holds the amount for so long. Its clock may have been set back since its
    /// account has changed.
    pub(super) fn holds_for(&self, payment: &Payment) -> Finding {
        let time = payment.deadline.micros() - payment.ordered_at.micros();
        let is_right = if self.clocks_agree { time == DEADLINE } else { time <= DEADLINE };
        must(is_right, || format!("{} is held for {time} microseconds", payment.end_to_end_id))
    }

    /// The payee's bank is told the hub's times.
    pub(super) fn has_times(&self, payment: &Payment) -> Finding {
        let id = payment.end_to_end_id;
        let terms = self.terms.get(&id).map(|it| (it.registered_at, it.deadline));
        let known = (payment.ordered_at, payment.deadline);
        must(terms == Some(known), || format!("{id} has {known:?} at its payee's bank: {terms:?}"))
    }

    /// The hub refuses a new order by itself: for a reason that is true.
    pub(crate) fn refused_by_hub(transfer: &Transfer, banks: Admitting) -> Finding {
        let (id, standing) = (transfer.order().end_to_end_id, transfer.standing());
        let amount = transfer.order().amount.centavos();
        let is_within = transfer.bank(Side::Payer) == transfer.bank(Side::Payee);
        let is_native = transfer.ends().timing(Side::Payer) == CreditTiming::OnConfirmation;
        let is_true = match standing.reason {
            Some(ReasonCode::Ag12) => is_within && is_native && banks.has_payee,
            Some(ReasonCode::Am04) => {
                let room = banks.limit.map(|limit| limit.centavos() - banks.owes);
                !is_within && banks.has_payee && room.is_some_and(|room| amount > room)
            }
            Some(ReasonCode::Ds27) => !banks.has_payee,
            // No bank changes its protocol here, and no clock is wrong by hours.
            Some(_) | None => false,
        };
        must(is_true, || {
            let reason = standing.reason;
            format!("the hub rejects {id} of {amount} centavos as {reason:?}: {banks:?}")
        })
    }
}

/// The id of a transfer whose repeats are counted, and whose.
pub(super) fn side(id: EndToEndId, whose: &'static str) -> String {
    format!("the {whose}'s side of {id}")
}
