//! How a use case fails: a rule said no, or something it needs does not answer.

use crate::application::transaction::StoreError;
use crate::domain::Violation;

/// The failure of a command or query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationError {
    /// A rule refused it: nothing was stored, nothing was published.
    #[error(transparent)]
    Refused(#[from] Violation),
    /// Store, broker or a neighbour does not answer: whether it took effect is unknown, and
    /// repeating the command with its idempotency key is safe.
    #[error("{0}")]
    Unavailable(String),
}

impl From<StoreError> for ApplicationError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
