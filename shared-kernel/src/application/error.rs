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

impl ApplicationError {
    /// The hub is at fault and a repetition is no remedy: nothing was stored. The cause is for the
    /// log, and whoever learns of it writes it there.
    pub(crate) fn internal() -> Self {
        Violation::internal(
            "internal_error",
            "",
            "the hub cannot carry this out, and a repetition does not help; its operator finds \
             the cause in its log",
        )
        .into()
    }
}

impl From<StoreError> for ApplicationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rejected(cause) => {
                tracing::error!(cause, "the store refuses what it will never take");
                Self::internal()
            }
            passing @ (StoreError::Unavailable(_)
            | StoreError::Fenced
            | StoreError::Conflict(_)) => Self::Unavailable(passing.to_string()),
        }
    }
}
