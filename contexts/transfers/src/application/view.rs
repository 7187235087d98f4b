//! What callers see of a transfer, whether it was read or told.

use shared_kernel::domain::{ReasonCode, Timestamp};

use crate::domain::{Order, OrderId, Terms, Transfer, TransferState};

/// A transfer in the state that it is in, or was in when it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferView {
    /// What was ordered.
    pub order: Order,
    /// Under which id banks that credit on delivery know it.
    pub order_id: Option<OrderId>,
    /// What was fixed at registration.
    pub terms: Terms,
    /// Where it stands.
    pub state: TransferState,
    /// Why it was rejected or expired.
    pub reason: Option<ReasonCode>,
    /// When it was settled.
    pub confirmed_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// Since when it is pending past its deadline, because the payee's bank may have credited.
    pub overdue_at: Option<Timestamp>,
    /// When the payee's bank said that it had credited what was resolved as refused. No event
    /// tells of it.
    pub contradicted_at: Option<Timestamp>,
    /// Counts the states that were published.
    pub version: i64,
}

impl From<&Transfer> for TransferView {
    fn from(transfer: &Transfer) -> Self {
        let standing = transfer.standing();
        Self {
            order: transfer.order().clone(),
            order_id: transfer.ends().order_id,
            terms: *transfer.terms(),
            state: standing.state,
            reason: standing.reason,
            confirmed_at: standing.confirmed_at,
            finished_at: standing.finished_at,
            overdue_at: standing.overdue_at,
            contradicted_at: standing.contradicted_at,
            version: standing.version,
        }
    }
}
