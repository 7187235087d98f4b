//! The banks: accounts, their money, and the transfers that they owe each other an answer to.
//!
//! Every aggregate decides (`&self`, input, now: an event or a [`Violation`]) and applies; nothing
//! here reads a clock, makes an id or does I/O.
//!
//! [`Violation`]: shared_kernel::domain::Violation

mod account;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "sums that overflow fail the test")]
mod account_tests;
mod bank;
mod book_transfer;
mod client;
mod event;
mod incoming_transfer;
mod ledger;
mod limits;
mod outgoing_transfer;
mod party;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "sums that overflow fail the test")]
pub(crate) mod samples;
mod text;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "sums that overflow fail the test")]
mod transfer_tests;

pub use account::{Account, AccountState, AccountStatus, Funds, Opening};
pub use bank::{Bank, BankColors, Colors, Customer};
pub use book_transfer::BookTransfer;
pub use client::{CLIENT_NUMBER_FIRST, Client, ClientId, client_tax_id};
pub use event::{AccountEvent, AccountFact, BookSide, Booked, Held, HubMessage, Moved};
pub use incoming_transfer::{IncomingEvent, IncomingState, IncomingStatus, IncomingTransfer};
pub use ledger::{
    Entry, EntryAccount, EntryId, EntryKind, InternalAccount, Leg, Posting, PostingHead,
};
pub use limits::{Limits, Spent};
pub use outgoing_transfer::{OutgoingEvent, OutgoingState, OutgoingStatus, OutgoingTransfer};
pub use party::{Party, Payment};
pub use text::{AccountNumber, Branch, Description, Email, OwnerName, PayeeKey};
