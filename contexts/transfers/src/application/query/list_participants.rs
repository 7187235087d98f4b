//! All banks that take part.

use std::sync::Arc;

use shared_kernel::application::ApplicationError;

use crate::application::ports::TransfersReads;
use crate::domain::Participant;

/// Lists participants.
#[derive(Clone)]
pub struct ListParticipants {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for ListParticipants {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ListParticipants").finish_non_exhaustive()
    }
}

impl ListParticipants {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// All participants, by ISPB. Who takes part is no secret.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(&self) -> Result<Vec<Participant>, ApplicationError> {
        Ok(self.reads.participants().await?)
    }
}
