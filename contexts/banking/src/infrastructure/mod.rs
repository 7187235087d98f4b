//! `PostgreSQL`, Kafka, gRPC and GraphQL behind the ports of the banks, and Wallet Core's protocol.

pub mod graphql;
pub mod grpc;
pub mod kafka;
pub mod postgres;
mod start;
#[cfg(test)]
pub(crate) mod testing;
pub mod wallet_core;
mod watch;

pub use graphql::GraphSchema;
pub use grpc::{BankingServices, FILE_DESCRIPTOR_SET};
pub use kafka::published::{Banks, SOURCE};
pub use kafka::{READERS, topics};
pub use postgres::MIGRATIONS;
pub use postgres::audit::BankingAudit;
pub use start::{BankingSettings, Running, start};
pub use wallet_core::{WalletCoreSettings, WalletCoreTopics};
pub use watch::TransferWatches;
