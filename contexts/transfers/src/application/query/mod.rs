//! What anyone asks. A bank's token sees its own transfers and its own position alone.

mod get_transfer;
mod list_participants;
mod list_positions;
mod list_transfers;
mod watch_transfer;

pub use get_transfer::GetTransfer;
pub use list_participants::ListParticipants;
pub use list_positions::ListPositions;
pub use list_transfers::{ListTransfers, TransferPage};
pub use watch_transfer::WatchTransfer;
