//! The log: Apache Kafka through librdkafka.

mod gathered;
pub mod inbound;
mod passing;
pub mod questions;
pub mod reader;
pub mod scan;
pub mod settings;
pub mod subscription;
pub mod tail;
pub mod topics;
pub mod transactional;
pub mod writer;

pub use inbound::inbound;
pub use passing::is_passing;
pub use questions::{Extent, cluster_id, cut_at, existing, extents, partition_count};
pub use reader::KafkaReader;
pub use scan::KafkaScan;
pub use settings::KafkaSettings;
pub use subscription::Subscription;
pub use tail::{Tail, TailFeed, TailListener, TailRecord};
pub use topics::{Retention, TopicPlan, delete_topics, ensure_topics};
pub use transactional::TransactionalWriter;
pub use writer::KafkaWriter;
