//! Banks that credit on delivery: a hand-over is made with its transfer and once, nothing is told
//! that was not committed, and what the hub believes of such a bank its program has said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared_kernel::application::OutboundRecord;
use shared_kernel::domain::EndToEndId;
use transfers::application::hand_over::HandOver;
use transfers::application::marked_line::DELIVERED;
use transfers::application::ports::SavedResolution;
use transfers::domain::{
    CreditTiming, OrderId, Resolution, Side, Standing, Transfer, TransferState,
};

use super::intents::Intent;
use super::{Finding, Oracle, must};
use crate::trace::span;
use crate::words::Words as _;

/// What programs said, and what they are to be told.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// Orders that programs wrote, as often as the id was used.
    ordered: BTreeMap<OrderId, Vec<Intent>>,
    confirmed: BTreeSet<OrderId>,
    completed: BTreeSet<OrderId>,
    /// Hand-overs that are committed: their messages.
    handed_over: BTreeMap<EndToEndId, HandOver>,
    resolved: BTreeMap<EndToEndId, Resolution>,
}

impl Oracle {
    /// A program orders.
    pub(crate) fn program_orders(&mut self, id: OrderId, intent: Intent) {
        self.outside.ordered.entry(id).or_default().push(intent);
    }

    /// A program says that it has credited.
    pub(crate) fn program_confirms(&mut self, id: OrderId) {
        self.outside.confirmed.insert(id);
    }

    /// A program says that its order is completed.
    pub(crate) fn program_completes(&mut self, id: OrderId) {
        self.outside.completed.insert(id);
    }

    /// Whether a program has ever said that it credited.
    pub(crate) fn is_confirmed(&self, id: &OrderId) -> bool {
        self.outside.confirmed.contains(id)
    }

    /// What operators decided is committed. As refused only what has left: whatever `waits` will
    /// be credited when its bank reads it.
    pub(crate) fn resolved<'a>(
        &mut self,
        saved: impl Iterator<Item = &'a SavedResolution>,
        waits: impl Fn(&EndToEndId) -> bool,
    ) -> Finding {
        for SavedResolution { end_to_end_id: id, resolution, .. } in saved {
            must(*resolution != Resolution::Refused || !waits(id), || {
                format!("{id} is resolved as refused, and its payee's bank will still be told")
            })?;
            self.outside.resolved.insert(*id, *resolution);
        }
        Ok(())
    }

    /// An operator notes something beside a decision: what was decided stays, a program has
    /// contradicted it, and nothing moves.
    pub(crate) fn acknowledged(
        &self,
        before: Option<&SavedResolution>,
        after: &SavedResolution,
        is_alone: bool,
    ) -> Finding {
        let Some(before) = before else { return Ok(()) };
        let id = after.end_to_end_id;
        let acknowledged = after.acknowledged.clone();
        let stays = SavedResolution { acknowledged, ..before.clone() } == *after;
        let noted = self.past.asked.noted.get(&id);
        let is_noted = after
            .acknowledged
            .as_ref()
            .is_some_and(|it| noted.is_some_and(|them| them.contains(&it.reason)));
        must(stays && is_noted && is_alone, || {
            let (before, after) = (before.words(), after.words());
            format!("beside an acknowledgement more happens: {before}; and now {after}")
        })?;
        must(self.past.contradicted.contains_key(&id), || {
            format!("{id} is acknowledged, and nobody has contradicted what was decided")
        })
    }

    /// What an operator decided of a transfer.
    pub(crate) fn resolution(&self, id: &EndToEndId) -> Option<Resolution> {
        self.outside.resolved.get(id).copied()
    }

    /// Transfers are committed with hand-overs: one for each new one that is handed over, and no
    /// other.
    pub(crate) fn handed_over<'a>(
        &mut self,
        transfers: &BTreeMap<EndToEndId, Transfer>,
        hand_overs: impl Iterator<Item = &'a HandOver>,
        is_known: impl Fn(&EndToEndId) -> bool,
    ) -> Finding {
        let is_due = |(id, it): &(&EndToEndId, &Transfer)| it.is_handed_over() && !is_known(id);
        let mut due: BTreeSet<EndToEndId> =
            transfers.iter().filter(is_due).map(|(id, _)| *id).collect();
        for hand_over in hand_overs {
            let id = hand_over.end_to_end_id;
            must(due.remove(&id), || format!("{id} is handed over, and is not new and pending"))?;
            self.outside.handed_over.insert(id, hand_over.clone());
        }
        must(due.is_empty(), || format!("pending at a bank that is never told: {}", due.words()))
    }

    /// The courier sends a record: a committed hand-over or its mark.
    pub(crate) fn sends_in_transaction(&self, topic: &str, record: &OutboundRecord) -> Finding {
        let key = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let is_wanted = if topic == DELIVERED {
            let id = EndToEndId::parse(&key).ok();
            id.is_some_and(|id| self.outside.handed_over.contains_key(&id))
        } else {
            let mut known = self.outside.handed_over.values();
            let payload = record.payload.as_deref().unwrap_or_default();
            known.any(|it| it.topic == topic && it.key == key && it.payload.as_bytes() == payload)
        };
        must(is_wanted, || format!("{key} is handed over to {topic}, and nobody committed that"))
    }

    /// A transfer is new: the program of its payer's bank ordered just that, and the key is the
    /// payee's.
    pub(super) fn was_ordered(&self, transfer: &Transfer) -> Finding {
        let (order, id) = (transfer.order(), transfer.ends().order_id);
        let wanted = Intent::of_hub(order);
        let ordered = id.and_then(|id| self.outside.ordered.get(&id));
        must(ordered.is_some_and(|them| them.contains(&wanted)), || {
            let (id, wanted, ordered) = (order.end_to_end_id, wanted.words(), ordered.words());
            format!("{id} is new, {wanted}, and its payer's program ordered {ordered}")
        })?;
        self.is_named(order.end_to_end_id, &wanted.key, order.payee.account_id)
    }

    /// A payee's bank that credits on delivery: the transfer enters a state only by its word or an
    /// operator's, and never expires.
    pub(super) fn entered_after_hand_over(&self, transfer: &Transfer) -> Finding {
        let id = transfer.order().end_to_end_id;
        let said = transfer.ends().order_id.is_some_and(|id| self.is_confirmed(&id));
        let resolved = self.resolution(&id);
        match transfer.standing().state {
            TransferState::Pending | TransferState::Completed => Ok(()),
            TransferState::Confirmed => {
                must(said || resolved == Some(Resolution::Credited), || {
                    format!(
                        "{id} is confirmed, and neither its payee's program nor an operator said so"
                    )
                })
            }
            TransferState::Rejected => must(resolved == Some(Resolution::Refused), || {
                let said = resolved.words();
                format!("{id} was handed over and is rejected; an operator said {said}")
            }),
            TransferState::Expired => Err(format!("{id} expires after its hand-over")),
        }
    }

    /// Marks of a transfer that is written: overdue and contradicted.
    pub(super) fn marks(&mut self, before: Option<&Standing>, after: &Transfer) -> Finding {
        let (id, now) = (after.order().end_to_end_id, after.standing());
        let is_new = |of: fn(&Standing) -> bool| of(now) && !before.is_some_and(of);
        if is_new(|it| it.overdue_at.is_some()) {
            let is_late = now.overdue_at > Some(after.terms().deadline);
            let fits = after.is_handed_over() && now.state == TransferState::Pending && is_late;
            must(fits, || format!("{id} is overdue, and was not handed over or is not late"))?;
        }
        if is_new(|it| it.contradicted_at.is_some()) {
            let said = after.ends().order_id.is_some_and(|id| self.is_confirmed(&id));
            let fits = said && now.state == TransferState::Rejected;
            must(fits, || format!("{id} is contradicted, and its payee's program said nothing"))?;
            let at = self.past.tick();
            self.past.contradicted.insert(id, at);
        }
        let forgets = before.is_some_and(|old| {
            (old.overdue_at.is_some() && now.overdue_at != old.overdue_at)
                || (old.contradicted_at.is_some() && now.contradicted_at != old.contradicted_at)
        });
        must(!forgets, || format!("a mark of {id} is forgotten"))
    }

    /// Whether a bank that credits on delivery has said that it has posted its end.
    pub(super) fn program_posted(&self, transfer: &Transfer, side: Side) -> bool {
        let end_to_end_id = transfer.order().end_to_end_id;
        let Some(id) = transfer.ends().order_id else { return false };
        match side {
            Side::Payer => self.outside.completed.contains(&id),
            Side::Payee => {
                let resolved = self.resolution(&end_to_end_id);
                self.is_confirmed(&id) || resolved == Some(Resolution::Credited)
            }
        }
    }

    /// The hub completes without the word of a payer's program only after it has waited.
    pub(super) fn waited(&self, transfer: &Transfer) -> Finding {
        let id = transfer.order().end_to_end_id;
        let standing = transfer.standing();
        let is_outside = transfer.ends().timing(Side::Payer) == CreditTiming::OnDelivery;
        must(is_outside, || format!("{id} is completed, and its payer's bank did not report"))?;
        let waited = standing.finished_at.zip(standing.confirmed_at);
        let waited = waited.map(|(to, from)| to.micros() - from.micros());
        must(!self.clocks_agree || waited >= Some(80_000_000), || {
            let waited = u64::try_from(waited.unwrap_or(0)).unwrap_or(0);
            let waited = span(Duration::from_micros(waited));
            format!("{id} is completed without its payer's bank after {waited}, which has 80 s")
        })
    }
}
