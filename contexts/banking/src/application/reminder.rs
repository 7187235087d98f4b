//! The stale sweeper: what the hub has not answered is told again.
//!
//! Holds end only on the hub's word, so an order or acceptance that got lost is repeated until the
//! hub answers with the state that it knows.

use async_trait::async_trait;
use shared_kernel::application::{StoreError, Sweep};

use super::books::Books;
use super::ports::BankingPorts;
use crate::domain::IncomingTransfer;

/// Rows of each side that are handled in one transaction.
const DUE_MAX: i64 = 200;

/// Tells the hub again of open holds and expected credits that are overdue.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Reminder(pub BankingPorts);

#[async_trait]
impl Sweep for Reminder {
    async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.0.clock.now();
        let mut transaction = self.0.store.begin().await?;
        let outgoing = transaction.due_outgoing(now, DUE_MAX).await?;
        let incoming = transaction.due_incoming(now, DUE_MAX).await?;
        let mut books = Books::by(self.0.clock.clone(), self.0.ids.clone());
        books.adopt(&outgoing, &incoming);
        for due in &outgoing {
            if let Some(reminded) = due.value.remind(now) {
                books.record_outgoing(due.value.state().payment.end_to_end_id, &reminded);
                books.tell(due.value.order(), &due.trace);
            }
        }
        for due in &incoming {
            let reply = IncomingTransfer::reply(&due.value);
            if let (Some(reminded), Some(reply)) = (due.value.remind(now), reply) {
                books.record_incoming(due.value.state().payment.end_to_end_id, &reminded);
                books.tell(reply, &due.trace);
            }
        }
        let swept = outgoing.len().saturating_add(incoming.len());
        if swept > 0 {
            transaction.save(books.finish()).await?;
        }
        transaction.commit().await?;
        Ok(swept)
    }
}
