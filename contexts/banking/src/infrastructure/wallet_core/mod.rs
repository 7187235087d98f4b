//! Wallet Core's protocol, spoken by a bank of its own: its HTTP API in, its messages out.
//!
//! Wallet Core is a wallet service that many people run. Its clients and accounts are clients and
//! accounts of the bank [`ISPB`] here, in the ledger like all others; its transactions are
//! transfers within that bank. What it tells its readers on Kafka goes with the ledger's entries
//! in one transaction. Nothing further inside knows its messages.

mod docs;
pub(crate) mod echo;
mod fixtures;
mod problem;
pub mod published;
mod routes;
mod settings;
mod wire;

pub use docs::openapi;
pub use echo::WalletCoreEcho;
pub(super) use fixtures::Fixtures;
pub use routes::routes;
pub use settings::{BANK_NAME, CODE, ISPB, WalletCoreSettings, WalletCoreTopics, ispb};
