//! A transfer within one bank: settled at once, without the hub.

use shared_kernel::domain::Timestamp;

use super::Payment;

/// A transfer within one bank. It has one state: it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookTransfer {
    /// What was paid.
    pub payment: Payment,
    /// When.
    pub booked_at: Timestamp,
}
