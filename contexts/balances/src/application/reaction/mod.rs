//! What this context does when something happened elsewhere.

mod on_account_event;
mod on_external_balance;
mod on_transfer_event;

pub use on_account_event::{OnAccountEvent, Refused};
pub use on_external_balance::{ExternalWord, OnExternalBalance};
pub use on_transfer_event::OnTransferEvent;
