//! What an account has and had, as its bank stated it, or a program beside the hub.

mod account_balance;
mod digest;
mod event;
mod external;
mod funds;
mod movement;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
mod version;

pub use account_balance::{AccountBalance, Applied};
pub use digest::{AccountDigester, SideDigester};
pub use event::{AccountEvent, AccountState, Party, TransferParties};
pub use external::{ExternalAccount, ExternalBalance, RecordPlace};
pub use funds::Funds;
pub use movement::{Counterparty, Direction, Movement, MovementKind};
pub use standing::{BankState, ExternalState, KnownBalance, SeenBalance, Standing};
pub use version::{AccountVersion, MissingVersions};
