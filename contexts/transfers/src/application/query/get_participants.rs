//! Participants by their ISPBs, in one read.

use std::sync::Arc;

use shared_kernel::application::ApplicationError;
use shared_kernel::domain::Ispb;

use crate::application::ports::TransfersReads;
use crate::domain::Participant;

/// Reads participants.
#[derive(Clone)]
pub struct GetParticipants {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for GetParticipants {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GetParticipants").finish_non_exhaustive()
    }
}

impl GetParticipants {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// Those of `ispbs` that take part. Who does is no secret.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(&self, ispbs: &[Ispb]) -> Result<Vec<Participant>, ApplicationError> {
        Ok(self.reads.participants_of(ispbs).await?)
    }
}
