//! Bugs of the hub.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared_kernel::application::log::{InboundRecord, TopicPartition};
use shared_kernel::application::{Clock, Progress, Published};
use shared_kernel::domain::{EndToEndId, Ispb, ReasonCode};
use transfers::application::ports::{Audience, Change, Notice, SavedParticipant, SavedTransfer};
use transfers::domain::{
    Participant, Position, PositionMove, Standing, Terms, Transfer, TransferState,
};

use super::{Bug, outside};
use crate::executor::WORLD;
use crate::world::World;

/// The transfer, standing elsewhere.
pub(super) fn standing_at(transfer: &Transfer, standing: Standing) -> Transfer {
    let (order, digest) = (transfer.order().clone(), *transfer.digest());
    let (terms, ends) = (*transfer.terms(), *transfer.ends());
    Transfer::restore(order, digest, terms, ends, (transfer.reserves(), standing))
}

/// What is loaded.
pub(crate) fn loaded(world: &World, found: Vec<Transfer>) -> Vec<Transfer> {
    let found: Vec<Transfer> = found.into_iter().map(|it| outside::loaded(world, it)).collect();
    if !world.has(Bug::AcceptAfterExpiry) {
        return found;
    }
    let forget = |transfer: Transfer| {
        let standing = *transfer.standing();
        if standing.state != TransferState::Expired {
            return transfer;
        }
        let state = TransferState::Pending;
        standing_at(&transfer, Standing { state, reason: None, finished_at: None, ..standing })
    };
    found.into_iter().map(forget).collect()
}

/// What is saved.
pub(crate) fn saved(world: &World, mut saved: Vec<SavedTransfer>) -> Vec<SavedTransfer> {
    for it in &mut saved {
        outside::saved(world, it);
        if matches!(it.change, Change::Born(_)) && world.has(Bug::LongDeadline) {
            it.transfer = with_more_time(&it.transfer);
        }
        let is_repeat = it.change == Change::None;
        if is_repeat && world.has(Bug::RepeatsUnanswered) {
            it.notices.clear();
        }
        if is_repeat && world.has(Bug::RejectRepeatedOrder) {
            for notice in it.notices.iter_mut().filter(|notice| notice.audience.payer) {
                notice.standing.state = TransferState::Rejected;
                notice.standing.reason = Some(ReasonCode::Am04);
            }
        }
        let standing = *it.transfer.standing();
        let is_half = standing.state == TransferState::Confirmed && standing.payer_reported;
        if is_half && world.has(Bug::CompletedBeforePayee) {
            let standing = Standing {
                state: TransferState::Completed,
                finished_at: standing.confirmed_at,
                version: standing.version + 1,
                ..standing
            };
            it.transfer = standing_at(&it.transfer, standing);
            let audience = Audience { everyone: true, payer: true, payee: true };
            let trace = it.notices.first().map(|notice| notice.trace.clone());
            it.notices.extend(trace.map(|trace| Notice { standing, audience, trace }));
        }
    }
    saved
}

/// The transfer, with more time to be accepted.
fn with_more_time(transfer: &Transfer) -> Transfer {
    let (order, digest) = (transfer.order().clone(), *transfer.digest());
    let terms = *transfer.terms();
    let deadline = terms.deadline.saturating_add(Duration::from_secs(80));
    let (ends, standing) = (*transfer.ends(), *transfer.standing());
    let terms = Terms { deadline, ..terms };
    Transfer::restore(order, digest, terms, ends, (transfer.reserves(), standing))
}

/// What banks say, as the hub reads it. None: as it is.
pub(crate) fn heard(world: &World, batch: &[InboundRecord]) -> Option<Vec<InboundRecord>> {
    let misread: fn(&World, &InboundRecord) -> Option<InboundRecord> = if world
        .has(Bug::OtherBankSpeaks)
    {
        |world, record| {
            let (id, _) = read(record, "codepix.banking.TransferAccepted.v1")?;
            let payment = world.oracle().payment(&id)?;
            with_field(record, "/ispb", payment.payer.ispb.as_str(), payment.payee.ispb.as_str())
        }
    } else if world.has(Bug::AmountsNotCompared) {
        |world, record| {
            let (id, body) = read(record, "codepix.banking.TransferRequested.v1")?;
            let amount = body.pointer("/amount/amount")?.as_str()?.to_owned();
            let known = world.oracle().payment(&id)?.amount.money().to_string();
            with_field(record, "/amount/amount", &amount, &known)
        }
    } else {
        return None;
    };
    let read = |record: &InboundRecord| misread(world, record).unwrap_or_else(|| record.clone());
    Some(batch.iter().map(read).collect())
}

/// The transfer and the body of a record of that type.
fn read(record: &InboundRecord, kind: &str) -> Option<(EndToEndId, Value)> {
    let body = record.payload.as_deref().filter(|_| record.header("ce_type") == Some(kind))?;
    let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
    Some((EndToEndId::parse(key).ok()?, serde_json::from_slice(body).ok()?))
}

/// The record with another text in a field, where that text is.
fn with_field(record: &InboundRecord, field: &str, old: &str, new: &str) -> Option<InboundRecord> {
    let mut body: Value = serde_json::from_slice(record.payload.as_deref()?).ok()?;
    let value = body.pointer_mut(field).filter(|value| value.as_str() == Some(old))?;
    *value = Value::from(new);
    Some(InboundRecord { payload: Some(body.to_string().into_bytes()), ..record.clone() })
}

/// Positions as they are when the hub looks for room.
pub(crate) fn positions(world: &World, mut found: Vec<Position>) -> Vec<Position> {
    if world.has(Bug::ClaimsNotCounted) {
        for position in found.iter_mut().filter(|it| !it.amount.is_negative()) {
            position.amount = PositionMove::none(position.ispb).amount;
        }
    }
    found
}

/// Banks that are enrolled, or changed from what is known of them.
pub(crate) fn enrolments(
    world: &World,
    saved: &[SavedParticipant],
    known: impl Fn(&Ispb) -> Option<Participant>,
) -> Vec<SavedParticipant> {
    let mut saved = saved.to_vec();
    if world.has(Bug::RenamedWithoutLimit) {
        for it in &mut saved {
            let known = known(&it.participant.ispb);
            if known.is_some_and(|known| known.name != it.participant.name) {
                it.participant.position_limit = None;
            }
        }
    }
    if world.has(Bug::EnrolledWithoutLimit) {
        for it in &mut saved {
            it.participant.position_limit = None;
        }
    }
    saved
}

/// What is published of transfers.
pub(crate) fn notices(world: &World, mut events: Vec<Published>) -> Vec<Published> {
    if world.has(Bug::PayerNeverHears) {
        for event in &mut events {
            // Its own bank made the id of a transfer: E, then the bank's.
            let payer = event.subject().get(1..9).unwrap_or_default().to_owned();
            let deaf = format!("codepix.bank.{payer}");
            event.retain_topics(|topic| topic != deaf);
        }
        events.retain(|event| event.topics().next().is_some());
    }
    events
}

/// How positions move.
pub(crate) fn moved(world: &World, moves: &[PositionMove]) -> Vec<PositionMove> {
    let mut moves = moves.to_vec();
    if world.has(Bug::HalfAPosition) {
        moves.retain(|step| step.amount.is_negative() || step.amount.is_zero());
    }
    if world.has(Bug::ReservationsKept) {
        for step in moves.iter_mut().filter(|step| step.reserved.is_negative()) {
            step.reserved = PositionMove::none(step.ispb).reserved;
        }
    }
    moves
}

/// What the sweeper of deadlines believes of the log.
pub(crate) fn progress(
    world: &Arc<World>,
    progress: Arc<Progress>,
    clock: &Arc<dyn Clock>,
) -> Arc<Progress> {
    if !world.has(Bug::ExpireWithoutReading) {
        return progress;
    }
    let hopeful = Arc::new(Progress::default());
    let place = |partition| TopicPartition { topic: "codepix.banking.transfers".into(), partition };
    let places: Vec<TopicPartition> = (0..world.plan.partitions).map(place).collect();
    hopeful.assigned(&places);
    for place in &places {
        hopeful.caught_up(place);
    }
    let (world, clock, told) = (Arc::clone(world), Arc::clone(clock), Arc::clone(&hopeful));
    world.executor.clone().spawn(WORLD, async move {
        loop {
            told.looked(clock.now());
            world.executor.sleep(Duration::from_millis(200)).await;
        }
    });
    hopeful
}
