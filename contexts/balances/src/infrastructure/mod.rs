//! `PostgreSQL` and Kafka behind the ports of the projection; gRPC, the graph and REST before them.

pub mod graphql;
pub mod grpc;
pub mod kafka;
pub mod postgres;
pub mod replay;
pub mod rest;
mod start;
pub mod wallet_core;

pub use graphql::{GraphSchema, sdl};
pub use grpc::{BalancesServices, FILE_DESCRIPTOR_SET};
pub use kafka::READERS;
pub use postgres::{AuditedBalance, AuditedGap, BalancesAudit, MIGRATIONS};
pub use start::{BalancesSettings, Running, start, topics};
pub use wallet_core::WalletCoreTopics;
