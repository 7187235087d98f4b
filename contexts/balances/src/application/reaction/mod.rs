//! What this context does when something happened elsewhere.

mod on_account_event;

pub use on_account_event::{OnAccountEvent, Refused};
