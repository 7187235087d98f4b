//! Expires pending transfers whose deadline has passed.
//!
//! An acceptance that was in time is never beaten. So the hour that counts is not the clock's but,
//! for each partition, the one until which the consumer is known to have read it, less a grace:
//! after an outage of the hub, the broker or the line between them, deadlines wait until what came
//! meanwhile is read. Row locks decide between the sweeper and an acceptance that comes just then;
//! rows that are locked are left to their holder.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{Clock, Progress, StoreError, Sweep, TopicPartition};
use shared_kernel::domain::{Ispb, Timestamp};

use crate::application::desk::Desk;
use crate::application::ports::{DueTransfer, Horizon, TransfersStore, TransfersTransaction};
use crate::application::settings::TransfersSettings;
use crate::domain::{Side, Transfer};

/// The sweeper of deadlines.
pub struct ExpireOverdue {
    store: Arc<dyn TransfersStore>,
    progress: Arc<Progress>,
    clock: Arc<dyn Clock>,
    settings: TransfersSettings,
}

impl std::fmt::Debug for ExpireOverdue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ExpireOverdue")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl ExpireOverdue {
    /// A sweeper that asks `progress`, of the consumer of bank messages, how far the log is read.
    pub fn new(
        store: Arc<dyn TransfersStore>,
        progress: Arc<Progress>,
        clock: Arc<dyn Clock>,
        settings: TransfersSettings,
    ) -> Self {
        Self { store, progress, clock, settings }
    }

    /// Until when deadlines may pass, by partition.
    fn horizons(&self) -> Vec<Horizon> {
        let (now, grace) = (self.clock.now(), self.settings.sweep_grace);
        let horizon = |(partition, read_until): (TopicPartition, Timestamp)| {
            let before = read_until.min(now).checked_sub(grace).ok()?;
            Some(Horizon { origin: partition.partition, before })
        };
        self.progress.read_until().into_iter().filter_map(horizon).collect()
    }

    async fn expire(
        &self,
        transaction: &mut dyn TransfersTransaction,
        due: Vec<DueTransfer>,
    ) -> Result<usize, StoreError> {
        let banks = banks(due.iter().map(|due| &due.transfer));
        let participants = transaction.load_participants(&banks).await?;
        let now = self.clock.now();
        let (transfers, traces): (Vec<_>, Vec<_>) =
            due.into_iter().map(|due| (due.transfer, due.trace)).unzip();
        let events: Vec<_> = transfers
            .iter()
            .map(|transfer| (transfer.order().end_to_end_id, transfer.expire(now)))
            .collect();
        let mut desk = Desk::new(now, self.settings, transfers, participants);
        for ((id, event), trace) in events.into_iter().zip(traces) {
            let Some(event) = event else { continue };
            if let Err(violation) = desk.happen(&id, event, &trace) {
                tracing::error!(%id, %violation, "a deadline cannot pass");
            }
        }
        let (saved, moves) = desk.clear();
        let expired = saved.len();
        if !saved.is_empty() {
            transaction.save_transfers(saved).await?;
        }
        if !moves.is_empty() {
            transaction.move_positions(&moves).await?;
        }
        Ok(expired)
    }
}

/// The banks at the ends of some transfers, by ISPB.
pub(super) fn banks<'a>(transfers: impl Iterator<Item = &'a Transfer>) -> Vec<Ispb> {
    let ends = |transfer: &Transfer| [Side::Payer, Side::Payee].map(|side| transfer.bank(side));
    let mut banks: Vec<Ispb> = transfers.flat_map(ends).collect();
    banks.sort_unstable();
    banks.dedup();
    banks
}

#[async_trait]
impl Sweep for ExpireOverdue {
    async fn sweep(&self) -> Result<usize, StoreError> {
        let horizons = self.horizons();
        if horizons.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.store.begin().await?;
        let limit = self.settings.sweep_batch_max;
        let due = transaction.lock_overdue(&horizons, limit).await?;
        if due.is_empty() {
            transaction.rollback().await;
            return Ok(0);
        }
        let expired = self.expire(&mut *transaction, due).await?;
        transaction.commit().await?;
        Ok(expired)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared_kernel::domain::Money;
    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::testing::{Bench, accepted, requested};
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, native, order};
    use crate::domain::{Participant, TransferState};

    fn partition(number: i32) -> TopicPartition {
        TopicPartition { topic: "codepix.banking.transfers".into(), partition: number }
    }

    /// A pending transfer from partition 0, a sweeper, and the progress that it asks.
    async fn overdue(bench: &Bench) -> (ExpireOverdue, Arc<Progress>) {
        bench.hear(0, vec![requested(order(1))]).await;
        bench.told();
        let progress = Arc::new(Progress::default());
        progress.assigned([&partition(0), &partition(1)]);
        let store = Arc::new(bench.store.clone());
        let clock = Arc::<FixedClock>::clone(&bench.clock);
        let settings = TransfersSettings::default();
        (ExpireOverdue::new(store, Arc::clone(&progress), clock, settings), progress)
    }

    fn passes(bench: &Bench, seconds: u64) {
        bench.clock.advance(Duration::from_secs(seconds));
    }

    #[tokio::test]
    async fn past_deadline_and_grace_it_expires_and_frees_the_reservation() {
        let position_limit = Some(Money::from_centavos(100));
        let limited = Participant { position_limit, ..native(PAYER_BANK) };
        let bench = Bench::with([limited, native(PAYEE_BANK)]);
        let (sweeper, progress) = overdue(&bench).await;
        assert_eq!(bench.positions(), (0, 0, 100));
        passes(&bench, 42);
        progress.caught_up(&partition(0));
        progress.looked(at(42));
        assert_eq!(sweeper.sweep().await.unwrap(), 1);
        assert_eq!(bench.told(), [(TransferState::Expired, vec!["hub", "payer", "payee"])]);
        assert_eq!(bench.positions(), (0, 0, 0));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
    }

    #[tokio::test]
    async fn within_the_grace_it_waits() {
        let bench = Bench::new();
        let (sweeper, progress) = overdue(&bench).await;
        passes(&bench, 41);
        progress.caught_up(&partition(0));
        progress.looked(at(41));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_partition_that_is_behind_keeps_its_transfers() {
        let bench = Bench::new();
        let (sweeper, progress) = overdue(&bench).await;
        passes(&bench, 100);
        progress.caught_up(&partition(1));
        progress.looked(at(100));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        progress.caught_up(&partition(0));
        progress.behind(&partition(0));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        progress.caught_up(&partition(0));
        assert_eq!(sweeper.sweep().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn after_an_outage_deadlines_wait_for_the_next_look_into_the_log() {
        let bench = Bench::new();
        let (sweeper, progress) = overdue(&bench).await;
        progress.caught_up(&partition(0));
        progress.looked(at(1));
        // The process stood still: its clock went on, what it knows of the log did not.
        passes(&bench, 100);
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        bench.hear(39, vec![accepted(1)]).await;
        progress.looked(at(100));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        assert_eq!(bench.state(1), TransferState::Confirmed);
    }

    #[tokio::test]
    async fn in_a_partition_that_is_never_at_its_end_later_records_let_deadlines_pass() {
        let bench = Bench::new();
        let (sweeper, progress) = overdue(&bench).await;
        passes(&bench, 100);
        progress.committed(&partition(0), at(41));
        progress.committed(&partition(1), at(99));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        progress.committed(&partition(0), at(42));
        assert_eq!(sweeper.sweep().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn before_the_first_look_nothing_expires() {
        let bench = Bench::new();
        let (sweeper, progress) = overdue(&bench).await;
        passes(&bench, 100);
        progress.caught_up(&partition(0));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_sweep_is_bounded() {
        let bench = Bench::new();
        let (sweeper, progress) = overdue(&bench).await;
        bench.hear(0, vec![requested(order(2)), requested(order(3))]).await;
        let settings = TransfersSettings { sweep_batch_max: 2, ..sweeper.settings };
        let sweeper = ExpireOverdue { settings, ..sweeper };
        passes(&bench, 100);
        progress.caught_up(&partition(0));
        progress.looked(at(100));
        assert_eq!(sweeper.sweep().await.unwrap(), 2);
        assert_eq!(sweeper.sweep().await.unwrap(), 1);
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
    }
}
