//! Why a replay ended without a result.

use shared_kernel::application::StoreError;
use shared_kernel::application::log::LogError;

/// A replay that could not be.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Somebody else is at it.
    #[error("another replay of balances is running on this database")]
    Running,
    /// The live side has no tables of ours, or those of another version.
    #[error(
        "the live side is at other migrations than this program: start the hub once, then replay"
    )]
    OtherVersion,
    /// The live side's offsets belong to another log.
    #[error("the live side has read another Kafka cluster than this one")]
    OtherCluster,
    /// The log lost what the live side has read.
    #[error("{0} begins after its beginning: what the log has lost cannot be rebuilt")]
    Truncated(String),
    /// The live side never stood still for long enough.
    #[error("the live side could not be locked in time; nothing was swapped, try again")]
    Busy,
}
