//! What a bank does when it hears of something.

mod on_participant_enrolled;
mod on_pix_key_registered;
mod on_pix_key_removed;
mod on_transfer_completed;
mod on_transfer_confirmed;
mod on_transfer_expired;
mod on_transfer_pending;
mod on_transfer_rejected;

pub use on_participant_enrolled::{OnParticipantEnrolled, Participant};
pub use on_pix_key_registered::OnPixKeyRegistered;
pub use on_pix_key_removed::OnPixKeyRemoved;
pub use on_transfer_completed::OnTransferCompleted;
pub use on_transfer_confirmed::OnTransferConfirmed;
pub use on_transfer_expired::OnTransferExpired;
pub use on_transfer_pending::OnTransferPending;
pub use on_transfer_rejected::OnTransferRejected;
