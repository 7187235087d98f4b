//! The client side of the hub: how a command line reaches it and what it says when it cannot.

mod connection;
mod error;
mod graph;
mod idempotency;
mod kafka;
mod options;
mod pages;
mod proto;

pub use connection::{Hub, HubChannel, Identity};
pub use error::{ClientError, Failure, Refusal};
pub use graph::GraphClient;
pub use idempotency::IdempotencyOptions;
pub use kafka::KafkaOptions;
pub use options::ClientOptions;
pub use pages::{Page, collect_pages};
pub use proto::{banking, pix_keys, transfers};
