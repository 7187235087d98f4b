//! Bugs of the hub.

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::log::TopicPartition;
use shared_kernel::application::{Clock, Progress, Published};
use shared_kernel::domain::ReasonCode;
use transfers::application::ports::{Audience, Change, Notice, SavedTransfer};
use transfers::domain::{PositionMove, Standing, Transfer, TransferState};

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
