//! `PostgreSQL`, Kafka, gRPC and GraphQL behind the ports of the banks.

pub mod graphql;
pub mod grpc;
pub mod kafka;
pub mod postgres;
mod start;
mod watch;

pub use graphql::GraphSchema;
pub use grpc::{BankingServices, FILE_DESCRIPTOR_SET};
pub use kafka::published::{Banks, SOURCE};
pub use kafka::{READERS, topics};
pub use postgres::MIGRATIONS;
pub use postgres::audit::BankingAudit;
pub use start::{BankingSettings, Running, start};
pub use watch::TransferWatches;
