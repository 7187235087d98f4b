//! `PostgreSQL`, Kafka and gRPC behind the ports of the projection.

pub mod grpc;
pub mod kafka;
pub mod postgres;
mod start;

pub use grpc::{BalancesServices, FILE_DESCRIPTOR_SET};
pub use postgres::{AuditedBalance, AuditedGap, BalancesAudit, MIGRATIONS};
pub use start::{Running, start, topics};
