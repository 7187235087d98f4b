//! Use cases of the hub, over ports: what banks report, what operators order, what anyone asks,
//! and what falls due.

pub mod clearing;
pub mod command;
mod desk;
pub mod directory;
mod facade;
pub mod hand_over;
#[cfg(test)]
mod hand_over_tests;
#[cfg(test)]
mod laws;
pub mod marked_line;
pub mod message;
pub mod outside;
pub mod ports;
pub mod query;
pub mod reaction;
mod scope;
pub mod settings;
pub mod sweep;
#[cfg(test)]
pub(crate) mod testing;
mod view;

pub use clearing::Clearing;
pub use command::{
    AcknowledgeCredit, AcknowledgeCreditHandler, EnrolParticipant, EnrolParticipantHandler,
    ResolveTransfer, ResolveTransferHandler,
};
pub use facade::Transfers;
pub use query::{
    FindTransfer, FollowTransfers, GetParticipants, GetPositions, GetResolution, GetTransfer,
    GetTransfers, ListParticipants, ListPositions, ListTransfers, ParticipantList, TransferList,
    TransferName, WatchTransfer,
};
pub use scope::TransfersOf;
pub use settings::TransfersSettings;
pub use sweep::{ExpireOverdue, RepeatConfirmations};
pub use view::TransferView;
