//! The hub: states go forward, each for its reason; positions sum to zero.

use std::collections::BTreeMap;

use banking::domain::{IncomingStatus, OutgoingStatus};
use shared_kernel::domain::{EndToEndId, Ispb, Money, ReasonCode};
use transfers::domain::{CreditTiming, Position, Side, Standing, Transfer, TransferState};

use super::{Finding, Oracle, must};
use crate::contexts::at_most;
use crate::words::{self, Words as _, money};

/// What a commit makes a bank owe more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Debt {
    /// Something new is reserved: it must fit under the limit.
    admits: bool,
    /// Centavos that are settled and were never reserved: the bank had no limit by then.
    unreserved: i64,
}

impl Debt {
    /// A new transfer is let in: under a limit it reserves.
    pub(crate) fn admits(&mut self, transfer: &Transfer, limit: Option<Money>) -> Finding {
        self.admits |= transfer.reserves();
        must(transfer.reserves() || limit.is_none(), || {
            let id = transfer.order().end_to_end_id;
            format!("{id} is let in under a limit of {}, and reserves nothing", limit.words())
        })
    }

    /// A transfer is settled.
    pub(crate) fn settles(&mut self, transfer: &Transfer) {
        if !transfer.reserves() {
            self.unreserved += transfer.order().amount.centavos();
        }
    }

    /// No bank is let in to owe more than its limit, what is reserved included; and what it owes
    /// grows by nothing else. A limit may be set below what the bank owes already.
    pub(crate) fn is_within(
        self,
        limit: Option<Money>,
        before: Option<&Position>,
        after: &Position,
    ) -> Finding {
        let owes = |position: &Position| position.reserved.centavos() - position.amount.centavos();
        let (was, now) = (before.map_or(0, owes), owes(after));
        let most = match limit {
            Some(limit) if self.admits => limit.centavos(),
            Some(_) | None if self.admits => i64::MAX - self.unreserved,
            Some(_) | None => was,
        };
        must(now <= most + self.unreserved, || {
            let (ispb, limit, was, now) =
                (after.ispb, at_most(limit), words::owes(was), words::owes(now));
            let new = if self.admits { "; something new is reserved" } else { "" };
            format!(
                "bank {ispb} may owe {limit}; with what it reserves it {was} before and {now} \
                 now{new}; settled and never reserved: {}",
                money(self.unreserved)
            )
        })
    }
}

/// Marks that a transfer is given.
fn new_marks(before: Option<&Standing>, after: &Standing) -> impl Iterator<Item = &'static str> {
    let is_new = |of: fn(&Standing) -> bool| of(after) && !before.is_some_and(of);
    let overdue = is_new(|it| it.overdue_at.is_some()).then_some("hub: overdue");
    let contradicted = is_new(|it| it.contradicted_at.is_some()).then_some("hub: contradicted");
    [overdue, contradicted].into_iter().flatten()
}

fn is_step(before: TransferState, after: TransferState) -> bool {
    use TransferState::{Completed, Confirmed, Expired, Pending, Rejected};
    matches!(
        (before, after),
        (Pending, Pending | Confirmed | Completed | Rejected | Expired)
            | (Confirmed, Confirmed | Completed)
    )
}

impl Oracle {
    /// A transfer is written.
    pub(crate) fn transfer(&mut self, before: Option<&Transfer>, after: &Transfer) -> Finding {
        let id = after.order().end_to_end_id;
        let state = after.standing().state;
        let was = before.map(|it| it.standing().state);
        if let Some(before) = before {
            let is_same = before.order() == after.order()
                && before.digest() == after.digest()
                && before.terms() == after.terms();
            must(is_same, || format!("the order of {id} changed"))?;
            let (old, new) = (before.standing(), after.standing());
            let is_noted = old.contradicted_at.is_none() && new.contradicted_at.is_some();
            must(is_step(old.state, new.state) || (is_noted && old.state == new.state), || {
                format!("{id} goes from {} to {}", old.state, new.state)
            })?;
            must(new.version >= old.version, || format!("the version of {id} goes back"))?;
            let forgets = (old.payer_reported && !new.payer_reported)
                || (old.payee_reported && !new.payee_reported);
            must(!forgets, || format!("a report of {id} is forgotten"))?;
        }
        self.marks(before.map(Transfer::standing), after)?;
        for mark in new_marks(before.map(Transfer::standing), after.standing()) {
            self.reach(mark);
        }
        self.has_terms(before, after)?;
        if was != Some(state) {
            let reason = after.standing().reason.map_or("", ReasonCode::code);
            self.reach(format!("hub: {state} {reason}").trim_end());
            self.entered(after, was)?;
        }
        self.reports(after)?;
        self.hub.insert(id, state);
        Ok(())
    }

    /// A state is entered: the banks must be where that state needs them.
    fn entered(&self, transfer: &Transfer, was: Option<TransferState>) -> Finding {
        match transfer.ends().timing(Side::Payer) {
            CreditTiming::OnConfirmation => {
                if was.is_none() {
                    self.is_as_held(transfer.order())?;
                }
                self.entered_by_payer(transfer)?;
            }
            CreditTiming::OnDelivery if was.is_none() => self.was_ordered(transfer)?,
            CreditTiming::OnDelivery => {}
        }
        if transfer.is_handed_over() {
            return self.entered_after_hand_over(transfer);
        }
        self.entered_by_payee(transfer)
    }

    fn entered_by_payer(&self, transfer: &Transfer) -> Finding {
        let id = transfer.order().end_to_end_id;
        let payer = self.payers.get(&id).map(|(state, _)| *state);
        match transfer.standing().state {
            TransferState::Pending => {
                must(payer.is_some() || self.elsewhere.contains_key(&id), || {
                    format!("{id} is pending, and its payer's bank holds nothing for it")
                })
            }
            TransferState::Confirmed => must(payer == Some(OutgoingStatus::Requested), || {
                let payer = payer.words();
                format!("{id} is confirmed, and its payer's bank holds nothing, but is at {payer}")
            }),
            TransferState::Completed | TransferState::Rejected | TransferState::Expired => Ok(()),
        }
    }

    fn entered_by_payee(&self, transfer: &Transfer) -> Finding {
        let id = transfer.order().end_to_end_id;
        let payee = self.payees.get(&id).map(|(state, ..)| *state);
        let deadline = transfer.terms().deadline;
        let in_time = self.is_in_time(&id);
        match transfer.standing().state {
            TransferState::Pending | TransferState::Completed => Ok(()),
            TransferState::Confirmed => {
                must(payee == Some(IncomingStatus::Expected), || {
                    let payee = payee.words();
                    format!("{id} is confirmed, and its payee's bank expects no credit: {payee}")
                })?;
                must(in_time, || format!("{id} is confirmed by an acceptance after its deadline"))
            }
            // The hub's own refusal: its reason is judged where all that it depends on is known.
            TransferState::Rejected if !transfer.standing().payee_told => Ok(()),
            TransferState::Rejected => {
                let why = self.payees.get(&id).map(|(state, _, reason)| (*state, *reason));
                let told = Some((IncomingStatus::Refused, transfer.standing().reason));
                must(why == told, || {
                    let (told, why) = (told.words(), why.words());
                    format!("{id} is rejected as {told}; its payee's bank said {why}")
                })
            }
            TransferState::Expired => {
                let finished_at = transfer.standing().finished_at;
                must(finished_at > Some(deadline) || !self.clocks_agree, || {
                    format!("{id} expires before its deadline")
                })?;
                self.must_not_be_beaten(&id, TransferState::Expired)?;
                must(!self.is_calm, || {
                    let payee = payee.words();
                    format!("{id} expires, and nobody was kept from answering; payee: {payee}")
                })
            }
        }
    }

    /// Whether an acceptance is on the log that came there before its deadline.
    fn is_in_time(&self, id: &EndToEndId) -> bool {
        let deadline = self.deadline(id);
        let accepted = self.accepted.get(id).into_iter().flatten();
        deadline.is_some_and(|deadline| accepted.into_iter().any(|it| it.broker_time <= deadline))
    }

    fn must_not_be_beaten(&self, id: &EndToEndId, state: TransferState) -> Finding {
        let is_beaten = state == TransferState::Expired && self.is_in_time(id);
        must(!(is_beaten && self.clocks.are_within_grace()), || {
            format!("{id} expires, and its acceptance was on the log in time")
        })
    }

    /// The log has taken an acceptance: in time it is not too late for the hub.
    pub(crate) fn accepts(&self, id: &EndToEndId) -> Finding {
        self.hub.get(id).map_or(Ok(()), |state| self.must_not_be_beaten(id, *state))
    }

    /// Whether a bank has posted its end, or has said so where its books are outside.
    fn has_posted(&self, transfer: &Transfer, side: Side) -> bool {
        if transfer.ends().timing(side) == CreditTiming::OnDelivery {
            return self.program_posted(transfer, side);
        }
        let id = transfer.order().end_to_end_id;
        match side {
            Side::Payer => {
                self.payers.get(&id).is_some_and(|(state, _)| *state == OutgoingStatus::Settled)
            }
            Side::Payee => self.payees.get(&id).is_some_and(|(state, ..)| {
                matches!(state, IncomingStatus::Credited | IncomingStatus::Unapplied)
            }),
        }
    }

    /// What the hub believes to be reported must have happened.
    fn reports(&self, transfer: &Transfer) -> Finding {
        let id = transfer.order().end_to_end_id;
        let debited = self.has_posted(transfer, Side::Payer);
        let credited = self.has_posted(transfer, Side::Payee);
        must(debited || !transfer.has_report(Side::Payer), || {
            format!("{id} counts as posted by the payer's bank, which has not debited")
        })?;
        must(credited || !transfer.has_report(Side::Payee), || {
            format!("{id} counts as posted by the payee's bank, which has not credited")
        })?;
        if transfer.standing().state != TransferState::Completed {
            return Ok(());
        }
        must(credited, || format!("{id} is completed, and the payee's bank has not posted it"))?;
        if transfer.has_report(Side::Payer) {
            return Ok(());
        }
        self.waited(transfer)
    }

    /// Positions are written, together with the transfers that move them.
    pub(crate) fn positions(
        before: &BTreeMap<Ispb, Position>,
        written: &BTreeMap<Ispb, Position>,
        settled: &BTreeMap<Ispb, i64>,
    ) -> Finding {
        let mut sum = 0_i64;
        for (ispb, after) in written {
            let old = before.get(ispb).map_or(Money::ZERO, |it| it.amount);
            let moved = after.amount.centavos() - old.centavos();
            sum += moved;
            let wanted = settled.get(ispb).copied().unwrap_or(0);
            must(moved == wanted, || {
                let (moved, wanted) = (money(moved), money(wanted));
                format!("the position of bank {ispb} moves by {moved}, and {wanted} was settled")
            })?;
            must(!after.reserved.is_negative(), || format!("{ispb} has a negative reservation"))?;
        }
        let unmoved =
            settled.iter().find(|(ispb, amount)| **amount != 0 && !written.contains_key(ispb));
        if let Some((ispb, amount)) = unmoved {
            let does = if *amount > 0 { "is paid" } else { "pays" };
            let amount = money(amount.saturating_abs());
            return Err(format!("bank {ispb} {does} {amount}, and its position does not move"));
        }
        must(sum == 0, || format!("positions move by {} in all", money(sum)))
    }
}
