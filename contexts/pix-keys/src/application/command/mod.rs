//! Use cases that change something.

mod enrol_account;
mod register_key;
mod remove_key;

pub use enrol_account::{EnrolAccount, EnrolAccountHandler, EnrolAccountQueue};
pub use register_key::{Leniency, RegisterKey, RegisterKeyHandler, RegisterKeyQueue};
pub use remove_key::{KeyRemoval, RemoveKey, RemoveKeyHandler, RemoveKeyQueue};
