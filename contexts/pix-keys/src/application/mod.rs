//! What the directory does for others: three commands, three queries, two reactions.

pub mod command;
mod desk;
#[cfg(test)]
pub(crate) mod memory;
pub mod ports;
pub mod query;
pub mod reaction;
mod view;

pub use desk::{Desk, DeskPorts, EnrolOrder, KeyOrder, PATIENCE, RemovalOrder, WantedKey};
pub use ports::{DirectoryReads, DirectoryStore, DirectoryTransaction};
pub use view::{AccountView, BankView, EntryView, ShownAccount};

use query::{FindAccountQueue, FindKeyQueue, ListKeys};

/// The use cases of the directory.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct PixKeys {
    /// Registers and removes keys, enrols accounts.
    pub desk: Desk,
    /// Resolves a key; lookups that come together share one query.
    pub find_key: FindKeyQueue,
    /// Resolves an account id; shared in the same way.
    pub find_account: FindAccountQueue,
    /// The keys of one account.
    pub list_keys: ListKeys,
}
