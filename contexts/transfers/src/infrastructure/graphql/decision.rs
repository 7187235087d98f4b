//! What an operator decided of a transfer that was overdue.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use shared_kernel::domain::Timestamp;
use shared_kernel::infrastructure::graphql::{DateTime, caller, refused};

use super::loaders::Loaders;
use super::mutation::TransferResolution;
use super::transfer::Transfer;
use crate::application::ports::SavedResolution;

/// What an operator decided of a transfer that was overdue, and how they knew.
#[derive(Debug, SimpleObject)]
pub(super) struct TransferDecision {
    /// What the payee's bank had done.
    resolution: TransferResolution,
    /// How the operator knew.
    reason: String,
    /// When it was decided.
    resolved_at: DateTime,
    /// When the payee's bank said that it had credited what was resolved as refused; null where it
    /// did not.
    contradicted_at: Option<DateTime>,
    /// How the banks settled a credit that came although it had been refused; null where no
    /// operator noted it.
    acknowledgement: Option<String>,
    /// When that was noted; null where it was not.
    acknowledged_at: Option<DateTime>,
}

impl TransferDecision {
    fn new(saved: SavedResolution, contradicted_at: Option<Timestamp>) -> Self {
        let noted = saved.acknowledged;
        Self {
            resolution: saved.resolution.into(),
            reason: saved.reason,
            resolved_at: saved.at.into(),
            contradicted_at: contradicted_at.map(DateTime::from),
            acknowledged_at: noted.as_ref().map(|it| it.at.into()),
            acknowledgement: noted.map(|it| it.reason),
        }
    }
}

#[ComplexObject]
impl Transfer {
    /// What an operator decided of it while it was overdue; null where none did, and to a bank's
    /// token: the words are one operator's for another.
    async fn decision(&self, context: &Context<'_>) -> Result<Option<TransferDecision>> {
        let asked = (caller(context)?, self.end_to_end_id.0);
        let found = context.data::<Loaders>()?.resolution(asked).await.map_err(refused)?;
        Ok(found.map(|saved| TransferDecision::new(saved, self.contradicted_at)))
    }
}
