//! The directory as a port: whose an account is, and whose a key.

use async_trait::async_trait;
use shared_kernel::application::{StoreError, TraceParent};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, TaxId, Violation};

use crate::domain::{Party, PayeeKey};

/// What the directory is asked about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuestion {
    /// The key.
    pub key: String,
    /// The bank for which the hub asks.
    pub requester: Ispb,
    /// On whose behalf.
    pub payer_tax_id: TaxId,
    /// For which payment.
    pub end_to_end_id: EndToEndId,
    /// The trace of the order.
    pub trace: TraceParent,
}

/// A key that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Whose it is.
    pub owner: Party,
    /// The key as it was written when it was registered: its bank's program finds it by that text
    /// and by no other.
    pub registered_as: PayeeKey,
}

/// What the directory says of a key.
pub type KeyAnswer = Result<Option<FoundKey>, Violation>;

/// Knows whose accounts and keys are. One that does not answer is [`StoreError::Unavailable`]: the
/// orders wait, and nobody is told that they failed.
#[async_trait]
pub trait OrderDirectory: Send + Sync {
    /// The accounts that are known of `ids`, in any order, classic ones included.
    async fn accounts(
        &self,
        ids: &[AccountId],
        trace: &TraceParent,
    ) -> Result<Vec<Party>, StoreError>;

    /// Whose the keys are, one answer for each question, in their order: nobody's, or a refusal
    /// that would be given again.
    async fn keys(&self, questions: &[KeyQuestion]) -> Result<Vec<KeyAnswer>, StoreError>;
}
