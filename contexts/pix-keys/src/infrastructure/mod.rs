//! `PostgreSQL`, Kafka, gRPC and GraphQL behind the ports of the directory.

pub mod classic;
pub mod graphql;
pub mod grpc;
pub mod kafka;
mod naming;
mod plan;
pub mod postgres;
mod start;

pub use classic::{ClassicPackage, ClassicService};
pub use graphql::{GraphSchema, sdl};
pub use grpc::{FILE_DESCRIPTOR_SET, PixKeysServices};
pub use kafka::READERS;
pub use kafka::published::{Directory, SOURCE};
pub use plan::{MIGRATIONS, plan, topics};
pub use start::{PixKeysSettings, Running, start};
