//! The hub behind its ports: `PostgreSQL`, Kafka, gRPC, GraphQL, and how they start.

pub mod classic;
pub mod graphql;
pub mod grpc;
pub mod kafka;
pub mod postgres;
mod start;

use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};
use shared_kernel::infrastructure::postgres::Migration;
use shared_kernel::migration;

pub use crate::application::TransfersSettings;
pub use graphql::{GraphSchema, sdl};
pub use grpc::{FILE_DESCRIPTOR_SET, TransfersServices};
pub use kafka::READERS;
pub use kafka::published::{Hub, SOURCE};
pub use postgres::audit;
pub use start::{ClassicSettings, Running, start};

/// The context's name.
pub const NAME: &str = "transfers";

/// Its schema.
pub const SCHEMA: &str = "transfers";

/// Its migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!("transfers", "2026-11-20_hub"),
    migration!("transfers", "2026-11-21_transfers_of_accounts"),
    migration!("transfers", "2026-11-29_classic"),
    migration!("transfers", "2026-11-29_hand_over_age"),
    migration!("transfers", "2026-11-30_acknowledgements"),
];

/// Topics that it owns, and the one that it reads. The topics of the banks are made as the banks
/// are enrolled.
pub fn topics() -> Vec<TopicPlan> {
    let own =
        [TopicPlan::new(kafka::inbound::BANK_MESSAGES, Retention::Days30), classic::line::plan()];
    TopicPlan::all_of::<Hub>().into_iter().chain(own).collect()
}
