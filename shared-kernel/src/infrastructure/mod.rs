//! `PostgreSQL`, Kafka, gRPC and GraphQL behind the ports of the application layer.

pub mod context;
pub mod graphql;
pub mod grpc;
pub mod kafka;
pub mod postgres;
pub mod system;

pub use context::{ContextPlan, ContextSettings, ContextStart, Stage, StartError, Worker};
