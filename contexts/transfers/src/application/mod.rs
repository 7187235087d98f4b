//! Use cases of the hub, over ports: what banks report, what operators order, what anyone asks,
//! and what falls due.

pub mod clearing;
pub mod command;
mod desk;
#[cfg(test)]
mod laws;
pub mod message;
pub mod ports;
pub mod query;
pub mod reaction;
pub mod settings;
pub mod sweep;
#[cfg(test)]
pub(crate) mod testing;

use shared_kernel::application::Batcher;

use crate::domain::Participant;

pub use clearing::Clearing;
pub use command::{EnrolParticipant, EnrolParticipantHandler};
pub use query::{
    GetTransfer, ListParticipants, ListPositions, ListTransfers, TransferPage, WatchTransfer,
};
pub use settings::TransfersSettings;
pub use sweep::{ExpireOverdue, RepeatConfirmations};

/// What the hub can do for those who call it. Transfers are ordered through the log alone.
#[derive(Clone, Debug)]
pub struct Transfers {
    /// Enrols banks, or changes their name or limit.
    pub enrol_participant: Batcher<EnrolParticipant, Participant>,
    /// One transfer.
    pub get_transfer: GetTransfer,
    /// Transfers, newest first.
    pub list_transfers: ListTransfers,
    /// One transfer, followed to its end.
    pub watch_transfer: WatchTransfer,
    /// All banks that take part.
    pub list_participants: ListParticipants,
    /// What each bank owes.
    pub list_positions: ListPositions,
}
