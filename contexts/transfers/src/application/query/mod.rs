//! What anyone asks. A bank's token sees its own transfers and its own position alone.

mod find_transfer;
mod follow_transfers;
mod get_participants;
mod get_positions;
mod get_resolution;
mod get_transfer;
mod get_transfers;
mod list_participants;
mod list_positions;
mod list_transfers;
mod watch_transfer;

pub use find_transfer::{FindTransfer, Found, TransferName};
pub use follow_transfers::FollowTransfers;
pub use get_participants::GetParticipants;
pub use get_positions::GetPositions;
pub use get_resolution::GetResolution;
pub use get_transfer::GetTransfer;
pub use get_transfers::GetTransfers;
pub use list_participants::{ListParticipants, ParticipantList};
pub use list_positions::ListPositions;
pub use list_transfers::{ListTransfers, Listed, TransferList};
pub use watch_transfer::WatchTransfer;
