//! What the directory does for others: three commands, three queries, two reactions.

pub mod command;
mod desk;
mod facade;
#[cfg(test)]
pub(crate) mod memory;
pub mod ports;
pub mod query;
pub mod reaction;
mod view;

pub use desk::{
    Desk, DeskPorts, EnrolOrder, KeyOrder, PATIENCE, ProgramKeyOrder, RemovalOrder, WantedKey,
};
pub use facade::PixKeys;
pub use ports::{DirectoryReads, DirectoryStore, DirectoryTransaction};
pub use view::{AccountView, BankView, EntryView, ShownAccount};
