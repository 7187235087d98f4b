//! Sends `TransferConfirmed` again to a bank whose report is missing, and to that bank alone.
//!
//! A bank answers every confirmation with its report, so a lost one is made good. The intervals
//! double up to a bound. The report of a payer's bank that had debited before it ordered is
//! information only: such a bank is told once more, and after a while the hub completes without it.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::retry::doubled;
use shared_kernel::application::{Clock, StoreError, Sweep};
use shared_kernel::domain::Timestamp;

use super::expire_overdue::banks;
use crate::application::desk::Desk;
use crate::application::ports::{DueTransfer, Resend, TransfersStore, TransfersTransaction};
use crate::application::settings::TransfersSettings;
use crate::domain::{CreditTiming, Side, Transfer};

/// The sweeper of missing reports.
pub struct RepeatConfirmations {
    store: Arc<dyn TransfersStore>,
    clock: Arc<dyn Clock>,
    settings: TransfersSettings,
}

impl std::fmt::Debug for RepeatConfirmations {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RepeatConfirmations").finish_non_exhaustive()
    }
}

impl RepeatConfirmations {
    /// A sweeper by the hub's clock.
    pub fn new(
        store: Arc<dyn TransfersStore>,
        clock: Arc<dyn Clock>,
        settings: TransfersSettings,
    ) -> Self {
        Self { store, clock, settings }
    }

    fn next(&self, due: &DueTransfer, now: Timestamp) -> Resend {
        let resends = due.resends.saturating_add(1);
        let wait = if due.resends == 0 && waits_for_information(&due.transfer) {
            self.settings.payer_patience
        } else {
            doubled(self.settings.report_wait, resends, self.settings.report_wait_max)
        };
        let end_to_end_id = due.transfer.order().end_to_end_id;
        Resend { end_to_end_id, at: now.saturating_add(wait), resends }
    }

    async fn remind(
        &self,
        transaction: &mut dyn TransfersTransaction,
        due: Vec<DueTransfer>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let banks = banks(due.iter().map(|due| &due.transfer));
        let participants = transaction.load_participants(&banks).await?;
        let mut plans = Vec::with_capacity(due.len());
        let mut transfers = Vec::with_capacity(due.len());
        for due in due {
            let alone = (due.resends > 0).then(|| due.transfer.complete_without_payer(now));
            plans.push((self.next(&due, now), alone.flatten(), due.trace));
            transfers.push(due.transfer);
        }
        let mut desk = Desk::new(now, self.settings, transfers, participants);
        let mut resends = Vec::with_capacity(plans.len());
        for (resend, alone, trace) in plans {
            let id = resend.end_to_end_id;
            let Some(event) = alone else {
                desk.remind(&id, resend.resends == 1, &trace);
                resends.push(resend);
                continue;
            };
            if let Err(violation) = desk.happen(&id, event, &trace) {
                tracing::error!(%id, %violation, "a transfer cannot be completed");
            }
        }
        transaction.save_transfers(desk.clear().0).await?;
        if resends.is_empty() { Ok(()) } else { transaction.schedule_resends(&resends).await }
    }
}

/// Whether a payer's bank has not reported that had debited before.
fn waits_for_information(transfer: &Transfer) -> bool {
    !transfer.has_report(Side::Payer)
        && transfer.ends().timing(Side::Payer) == CreditTiming::OnDelivery
}

#[async_trait]
impl Sweep for RepeatConfirmations {
    async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let due = transaction.lock_unreported(now, self.settings.sweep_batch_max).await?;
        let found = due.len();
        if found == 0 {
            transaction.rollback().await;
            return Ok(0);
        }
        self.remind(&mut *transaction, due, now).await?;
        transaction.commit().await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::ports::Word;
    use crate::application::testing::{Bench, accepted, delivered, ordered, requested, settled};
    use crate::domain::TransferState;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, classic, order};

    async fn confirmed() -> (Bench, RepeatConfirmations) {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1)]).await;
        bench.told();
        let store = Arc::new(bench.store.clone());
        let clock = Arc::<FixedClock>::clone(&bench.clock);
        let sweeper = RepeatConfirmations::new(store, clock, TransfersSettings::default());
        (bench, sweeper)
    }

    #[tokio::test]
    async fn the_intervals_double() {
        let (bench, sweeper) = confirmed().await;
        let mut sent = Vec::new();
        for second in 0..700 {
            for _ in 0..sweeper.sweep().await.unwrap() {
                sent.push(second);
            }
            bench.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(sent, [20, 60, 140, 300, 620]);
        let both = (TransferState::Confirmed, vec!["payer", "payee"]);
        assert_eq!(bench.told(), vec![both; 5]);
        let row = bench.store.tables().transfers[&order(1).end_to_end_id].clone();
        // 640 s would be next: the bound is 600.
        assert_eq!((row.resends, row.resend_at), (5, Some(at(620 + 600))));
    }

    #[tokio::test]
    async fn only_the_silent_bank_is_told() {
        for (spoke, silent) in [(Side::Payee, "payer"), (Side::Payer, "payee")] {
            let (bench, sweeper) = confirmed().await;
            bench.hear(1, vec![settled(1, spoke)]).await;
            bench.clock.advance(Duration::from_secs(20));
            assert_eq!(sweeper.sweep().await.unwrap(), 1);
            assert_eq!(bench.told(), [(TransferState::Confirmed, vec![silent])]);
        }
    }

    #[tokio::test]
    async fn a_completed_transfer_is_left_alone() {
        let (bench, sweeper) = confirmed().await;
        bench.hear(1, vec![settled(1, Side::Payee), settled(1, Side::Payer)]).await;
        bench.told();
        bench.clock.advance(Duration::from_secs(100));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        assert_eq!(bench.told(), []);
    }

    async fn settled_by_a_program() -> (Bench, RepeatConfirmations) {
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        bench.hear_classic(0, vec![ordered(order(1)), delivered(1)]).await;
        bench.told();
        bench.letters();
        let store = Arc::new(bench.store.clone());
        let clock = Arc::<FixedClock>::clone(&bench.clock);
        let sweeper = RepeatConfirmations::new(store, clock, TransfersSettings::default());
        (bench, sweeper)
    }

    #[tokio::test]
    async fn a_payer_that_debited_before_is_told_once_more_and_then_completed_without() {
        let (bench, sweeper) = settled_by_a_program().await;
        let mut swept = Vec::new();
        for second in 0..700 {
            for _ in 0..sweeper.sweep().await.unwrap() {
                swept.push(second);
            }
            bench.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(swept, [20, 80]);
        assert_eq!(bench.letters(), [(Side::Payer, Word::Settled)]);
        assert_eq!(bench.told(), [(TransferState::Completed, vec!["hub"])]);
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        assert!(!stored.standing().payer_reported);
    }

    #[tokio::test]
    async fn its_late_report_changes_nothing_and_an_early_one_ends_the_wait() {
        let (bench, sweeper) = settled_by_a_program().await;
        bench.hear_classic(1, vec![settled(1, Side::Payer)]).await;
        assert_eq!(bench.state(1), TransferState::Completed);
        bench.told();
        bench.clock.advance(Duration::from_secs(100));
        assert_eq!(sweeper.sweep().await.unwrap(), 0);
        bench.hear_classic(100, vec![settled(1, Side::Payer)]).await;
        assert_eq!((bench.told(), bench.letters()), (vec![], vec![]));
    }
}
