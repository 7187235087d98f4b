//! `PostgreSQL`, Kafka and gRPC behind the ports of the directory.

pub mod grpc;
pub mod kafka;
mod plan;
pub mod postgres;
mod start;

pub use grpc::{FILE_DESCRIPTOR_SET, PixKeysServices};
pub use plan::{MIGRATIONS, plan, topics};
pub use start::{PixKeysSettings, Running, start};
