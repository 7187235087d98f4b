//! What an account has, as its bank last stated it.

mod account_balance;
mod event;
mod funds;
mod version;

pub use account_balance::{AccountBalance, Applied};
pub use event::AccountEvent;
pub use funds::Funds;
pub use version::{AccountVersion, MissingVersions};
