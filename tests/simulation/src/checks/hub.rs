//! The hub: states go forward, each for its reason; positions sum to zero.

use std::collections::BTreeMap;

use banking::domain::{IncomingStatus, OutgoingStatus};
use shared_kernel::domain::{Ispb, Money, ReasonCode};
use transfers::domain::{CreditTiming, Position, Side, Standing, Transfer, TransferState};

use super::{Finding, Oracle, must};

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
            format!("{id} is let in under a limit of {limit:?}, and reserves nothing")
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
            format!("{} may owe {limit:?}, and goes from {was} to {now}: {self:?}", after.ispb)
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
            TransferState::Pending => must(payer.is_some(), || {
                format!("{id} is pending, and its payer's bank holds nothing for it")
            }),
            TransferState::Confirmed => must(payer == Some(OutgoingStatus::Requested), || {
                format!("{id} is confirmed, and its payer's bank holds nothing: {payer:?}")
            }),
            TransferState::Completed | TransferState::Rejected | TransferState::Expired => Ok(()),
        }
    }

    fn entered_by_payee(&self, transfer: &Transfer) -> Finding {
        let id = transfer.order().end_to_end_id;
        let payee = self.payees.get(&id).map(|(state, ..)| *state);
        let deadline = transfer.terms().deadline;
        let accepted = self.accepted.get(&id);
        let in_time = accepted.is_some_and(|it| it.iter().any(|it| it.broker_time <= deadline));
        match transfer.standing().state {
            TransferState::Pending | TransferState::Completed => Ok(()),
            TransferState::Confirmed => {
                must(payee == Some(IncomingStatus::Expected), || {
                    format!("{id} is confirmed, and its payee's bank expects no credit: {payee:?}")
                })?;
                must(in_time, || format!("{id} is confirmed by an acceptance after its deadline"))
            }
            // The hub's own refusal: its reason is judged where all that it depends on is known.
            TransferState::Rejected if !transfer.standing().payee_told => Ok(()),
            TransferState::Rejected => {
                let why = self.payees.get(&id).map(|(state, _, reason)| (*state, *reason));
                let told = Some((IncomingStatus::Refused, transfer.standing().reason));
                must(why == told, || {
                    format!("{id} is rejected as {told:?}, and its payee's bank said {why:?}")
                })
            }
            TransferState::Expired => {
                let finished_at = transfer.standing().finished_at;
                must(finished_at > Some(deadline) || !self.clocks_agree, || {
                    format!("{id} expires before its deadline")
                })?;
                must(!(in_time && self.clocks_agree), || {
                    format!("{id} expires, and its acceptance was on the log in time")
                })?;
                must(!self.is_calm, || {
                    format!("{id} expires, and nobody was kept from answering: {payee:?}")
                })
            }
        }
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
                format!("the position of {ispb} moves by {moved}, and {wanted} were settled")
            })?;
            must(!after.reserved.is_negative(), || format!("{ispb} has a negative reservation"))?;
        }
        let unmoved =
            settled.iter().find(|(ispb, amount)| **amount != 0 && !written.contains_key(ispb));
        must(unmoved.is_none(), || format!("settled and no position moved: {unmoved:?}"))?;
        must(sum == 0, || format!("positions move by {sum} in all"))
    }
}
