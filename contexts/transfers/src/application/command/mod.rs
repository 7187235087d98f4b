//! What operators order.

mod acknowledge_credit;
mod enrol_participant;
mod resolve_transfer;

pub use acknowledge_credit::{AcknowledgeCredit, AcknowledgeCreditHandler};
pub use enrol_participant::{EnrolParticipant, EnrolParticipantHandler};
pub use resolve_transfer::{ResolveTransfer, ResolveTransferHandler};
