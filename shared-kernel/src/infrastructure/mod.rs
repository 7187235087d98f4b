//! `PostgreSQL`, Kafka, gRPC, GraphQL and REST behind the ports of the application layer.

pub mod context;
pub mod graphql;
pub mod grpc;
pub mod kafka;
pub mod postgres;
pub mod rest;
pub mod system;
pub mod traces;

pub use context::{ContextPlan, ContextSettings, ContextStart, Stage, StartError, Worker};
