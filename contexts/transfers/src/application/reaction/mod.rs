//! What follows from each thing that a bank says, one file each.

mod on_transfer_accepted;
mod on_transfer_refused;
mod on_transfer_requested;
mod on_transfer_requested_again;
mod on_transfer_settled_by_payee;
mod on_transfer_settled_by_payer;

pub use on_transfer_accepted::OnTransferAccepted;
pub use on_transfer_refused::OnTransferRefused;
pub use on_transfer_requested::OnTransferRequested;
pub use on_transfer_requested_again::OnTransferRequestedAgain;
pub use on_transfer_settled_by_payee::OnTransferSettledByPayee;
pub use on_transfer_settled_by_payer::OnTransferSettledByPayer;
