//! What an account has and had, as its bank stated it.

mod account_balance;
mod digest;
mod event;
mod funds;
mod movement;
#[cfg(test)]
pub(crate) mod testing;
mod version;

pub use account_balance::{AccountBalance, Applied};
pub use digest::{AccountDigester, SideDigester};
pub use event::{AccountEvent, AccountState, Party, TransferParties};
pub use funds::Funds;
pub use movement::{Counterparty, Direction, Movement, MovementKind};
pub use version::{AccountVersion, MissingVersions};
