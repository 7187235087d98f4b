//! What happens to the aggregates: private to this context, and free to change. What others may
//! rely on is in `infrastructure/kafka/published.rs`.

use shared_kernel::domain::{Money, ReasonCode, Timestamp};

use super::{ParticipantName, Side};

/// What happened to a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEvent {
    /// Stored as pending: the payee's bank is asked.
    Registered,
    /// Accepted in time: settled, final.
    Confirmed {
        /// When.
        at: Timestamp,
    },
    /// One bank has posted it; the other has not yet. Nobody is told.
    Reported {
        /// Which bank.
        by: Side,
    },
    /// The second bank has posted it too.
    Completed {
        /// Which bank was the second.
        by: Side,
        /// When.
        at: Timestamp,
    },
    /// Refused by the hub or the payee's bank.
    Rejected {
        /// Why.
        reason: ReasonCode,
        /// When.
        at: Timestamp,
    },
    /// Not accepted in time.
    Expired {
        /// When the hub found it so.
        at: Timestamp,
    },
}

/// What happened to a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParticipantEvent {
    /// It takes part from now on.
    Enrolled,
    /// It has another name or limit.
    Changed {
        /// Its name.
        name: ParticipantName,
        /// Most that it may owe; no limit when absent.
        position_limit: Option<Money>,
    },
}
