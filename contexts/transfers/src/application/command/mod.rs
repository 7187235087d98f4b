//! What operators order.

mod enrol_participant;
mod resolve_transfer;

pub use enrol_participant::{EnrolParticipant, EnrolParticipantHandler};
pub use resolve_transfer::{ResolveTransfer, ResolveTransferHandler};
