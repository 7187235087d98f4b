//! Why the hub and the banks refuse, and how long they wait: each reason must be true, and each
//! time as long as it is said to be. The rules stand here once more, in their own words.

use std::time::Duration;

use banking::domain::{Account, AccountStatus, Payment};
use shared_kernel::domain::{EndToEndId, Money, ReasonCode, Timestamp};
use transfers::domain::{CreditTiming, Side, Transfer};

use super::{Finding, Oracle, must};
use crate::contexts::at_most;
use crate::trace::span;
use crate::words::{self, Words, money};

/// How long the payee's bank has to accept, in microseconds.
const DEADLINE: i64 = 40_000_000;
/// The time that an order may wait, from the minute of its id.
const HALF_A_DAY: i64 = 12 * 3_600_000_000;
const MINUTE: i64 = 60_000_000;
/// How long after the deadline a bank first asks the hub what has become of a transfer.
const PATIENCE: i64 = 20_000_000;
/// How long the hub waits, after its second confirmation, for a report that is information only.
const INFORMATION: Duration = Duration::from_mins(1);
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

impl Words for Admitting {
    fn words(&self) -> String {
        let Self { has_payee, limit, owes } = self;
        let payee = if *has_payee { "takes part" } else { "takes no part" };
        let (limit, owes) = (at_most(*limit), words::owes(*owes));
        format!("the payee's bank {payee}; the payer's {owes} and may owe {limit}")
    }
}

/// A time in microseconds, in words.
fn long(micros: i64) -> String {
    let time = span(Duration::from_micros(micros.unsigned_abs()));
    if micros < 0 { format!("less than nothing, -{time}") } else { time }
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
        let answer = |it: Option<ReasonCode>| it.map_or_else(|| "yes".to_owned(), |it| it.words());
        let (said, due, account) = (answer(said), answer(due), account.words());
        format!("the payee's bank answers {id} with {said}; right would be {due}: {account}")
    })
}

/// Who repeats what is not answered.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// A bank, its order or its answer.
    Bank,
    /// The hub, a confirmation.
    Hub,
    /// The hub, to a bank that had debited before it ordered: its report is information only.
    Information,
}

impl Pace {
    /// How long it waits after so many repeats.
    fn waits(self, repeats: u32) -> Duration {
        let (first, longest) = REPEAT;
        let doubled = match self {
            Self::Information if repeats == 1 => return INFORMATION,
            // The hub has waited once before it first repeats.
            Self::Hub | Self::Information => repeats,
            Self::Bank => repeats.saturating_sub(1),
        };
        first.saturating_mul(2_u32.saturating_pow(doubled)).min(longest)
    }
}

impl Oracle {
    /// A side of a transfer begins: its bank asks first some time after the deadline.
    pub(super) fn asks_first(what: &str, payment: &Payment, first: (u32, Timestamp)) -> Finding {
        let waits = first.1.micros() - payment.deadline.micros();
        must(first.0 == 0 && waits == PATIENCE, || {
            let seconds = waits / 1_000_000;
            format!("{what} is first repeated {seconds} s after its deadline")
        })
    }

    /// A confirmation is first repeated some time after it was made.
    pub(crate) fn confirms_first(
        &self,
        transfer: &Transfer,
        (repeats, due): (u32, Timestamp),
    ) -> Finding {
        let confirmed_at = transfer.standing().confirmed_at;
        let waits = confirmed_at.map(|at| due.micros() - at.micros());
        let is_right = repeats == 0 && waits == Some(PATIENCE);
        must(is_right && self.clocks.is_due_within(due, REPEAT.0), || {
            let (id, seconds) = (transfer.order().end_to_end_id, waits.unwrap_or(0) / 1_000_000);
            format!("the confirmation of {id} is first repeated after {seconds} s")
        })
    }

    /// Something that waits for an answer was repeated so often and was due at a time, and is by
    /// now: each interval is twice the one before, up to the longest, and who repeats it is not
    /// later than faults and clocks make it.
    pub(crate) fn slows_down(
        &self,
        what: impl std::fmt::Display,
        pace: Pace,
        (before, after): ((u32, Timestamp), (u32, Timestamp)),
    ) -> Finding {
        if before == after {
            return Ok(());
        }
        let (times, interval) = (after.0, pace.waits(after.0));
        let least = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        let waits = after.1.micros() - before.1.micros();
        let is_slow = times == before.0 + 1 && waits >= least;
        must(is_slow && self.clocks.is_due_within(after.1, interval), || {
            let (seconds, due) = (waits / 1_000_000, interval.as_secs());
            format!(
                "{what} is repeated, reminder {times}, and due again after {seconds} s, not {due}"
            )
        })?;
        must(self.clocks.is_prompt(before.1), || {
            format!("{what} was due at {}, and is repeated only now", before.1)
        })
    }

    /// A transfer has its time, and keeps it.
    pub(super) fn has_terms(&mut self, before: Option<&Transfer>, after: &Transfer) -> Finding {
        if before.is_some() {
            return Ok(());
        }
        let (id, terms) = (after.order().end_to_end_id, *after.terms());
        self.terms.insert(id, terms);
        let time = terms.deadline.micros() - terms.registered_at.micros();
        must(time == DEADLINE, || {
            format!("the payee's bank of {id} has {}, and must have {}", long(time), long(DEADLINE))
        })
    }

    /// Until when a transfer may be accepted.
    pub(crate) fn deadline(&self, id: &EndToEndId) -> Option<Timestamp> {
        self.terms.get(id).map(|it| it.deadline)
    }

    /// A bank orders: it holds the amount for so long. Its clock may have been set back since its
    /// account has changed.
    pub(super) fn holds_for(&self, payment: &Payment) -> Finding {
        let time = payment.deadline.micros() - payment.ordered_at.micros();
        let is_right = if self.clocks_agree { time == DEADLINE } else { time <= DEADLINE };
        must(is_right, || {
            let (id, time, due) = (payment.end_to_end_id, long(time), long(DEADLINE));
            format!("{id} is held for {time}, and must be for {due}")
        })
    }

    /// The payee's bank is told the hub's times.
    pub(super) fn has_times(&self, payment: &Payment) -> Finding {
        let id = payment.end_to_end_id;
        let terms = self.terms.get(&id).map(|it| (it.registered_at, it.deadline));
        let known = (payment.ordered_at, payment.deadline);
        must(terms == Some(known), || {
            let ((from, to), terms) = (known, terms.map(|(from, to)| format!("{from} to {to}")));
            let terms = terms.words();
            format!("{id} has from {from} to {to} at its payee's bank, and at the hub {terms}")
        })
    }

    /// A bank orders whose books are elsewhere.
    pub(crate) fn ordered_elsewhere(&mut self, payment: Payment) {
        self.elsewhere.insert(payment.end_to_end_id, payment);
    }

    /// Whether an order waited for so long that it is not paid any more, from the minute in which
    /// its bank took it.
    fn has_waited(&self, transfer: &Transfer) -> bool {
        let id = transfer.order().end_to_end_id;
        let own = self.payers.get(&id).map(|(_, payment)| payment);
        let Some(payment) = own.or_else(|| self.elsewhere.get(&id)) else { return false };
        let taken = payment.ordered_at.micros();
        let waited = transfer.terms().registered_at.micros() - taken.saturating_sub(taken % MINUTE);
        waited > HALF_A_DAY
    }

    /// Why the hub must refuse a new order by itself, whatever the limits of banks are.
    fn must_refuse(&self, transfer: &Transfer, banks: Admitting) -> Option<ReasonCode> {
        let is_within = transfer.bank(Side::Payer) == transfer.bank(Side::Payee);
        let is_native = transfer.ends().timing(Side::Payer) == CreditTiming::OnConfirmation;
        if self.has_waited(transfer) {
            Some(ReasonCode::Ff08)
        } else if !banks.has_payee {
            Some(ReasonCode::Ds27)
        } else {
            (is_within && is_native).then_some(ReasonCode::Ag12)
        }
    }

    /// The hub decides on a new order by itself: it refuses it for a reason that is true, and takes
    /// none on that it must refuse.
    pub(crate) fn decided_by_hub(&self, transfer: &Transfer, banks: Admitting) -> Finding {
        let (id, standing) = (transfer.order().end_to_end_id, transfer.standing());
        let amount = transfer.order().amount.centavos();
        let is_within = transfer.bank(Side::Payer) == transfer.bank(Side::Payee);
        let due = self.must_refuse(transfer, banks);
        let is_true = match standing.reason {
            Some(ReasonCode::Am04) => {
                let room = banks.limit.map(|limit| limit.centavos() - banks.owes);
                due.is_none() && !is_within && room.is_some_and(|room| amount > room)
            }
            reason => reason == due,
        };
        must(is_true, || {
            let (reason, amount) = (standing.reason.words(), money(amount));
            let (due, banks) = (due.words(), banks.words());
            format!("the hub refuses {id} of {amount} for {reason}, and must for {due}: {banks}")
        })
    }
}

/// The id of a transfer whose repeats are counted, and whose.
pub(super) fn side(id: EndToEndId, whose: &'static str) -> String {
    format!("the {whose}'s side of {id}")
}
