//! What happens to the aggregates: private to this context, and free to change. What others may
//! rely on is in `infrastructure/kafka/published.rs`.

use shared_kernel::domain::{Money, ReasonCode, Timestamp};

use super::{ParticipantName, Protocol, Side};

/// What happened to a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEvent {
    /// Stored as pending: the payee's bank is asked.
    Registered,
    /// It was handed over, and its deadline passed without a word of the payee's bank.
    Overdue {
        /// When the hub found it so.
        at: Timestamp,
    },
    /// Accepted in time, or credited on delivery: settled, final.
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
    /// The hub waits no longer for the report of a payer's bank that had debited before.
    CompletedAlone {
        /// When.
        at: Timestamp,
    },
    /// Refused by the hub, the payee's bank or an operator.
    Rejected {
        /// Why.
        reason: ReasonCode,
        /// When.
        at: Timestamp,
    },
    /// The payee's bank has credited what an operator resolved as refused. Nobody is told: it
    /// changes nothing, and the operator finds it in the audit.
    Contradicted {
        /// When the hub heard of it.
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
    /// It has another name, protocol or limit.
    Changed {
        /// Its name.
        name: ParticipantName,
        /// How the hub talks to it.
        protocol: Protocol,
        /// Most that it may owe; no limit when absent.
        position_limit: Option<Money>,
    },
}
