//! The line of hand-overs over Kafka: a producer with a transactional id of its shard, and a scan
//! of the marks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared_kernel::application::OutboundRecord;
use shared_kernel::application::log::LogError;
use shared_kernel::infrastructure::kafka::{
    KafkaScan, KafkaSettings, Retention, TopicPlan, TransactionalWriter, extents,
};

use crate::application::marked_line::{DELIVERED, MarkedLine, Scan, TransactionalLog};

/// The topic of marks. One partition: each shard would need one of its own, or the open transaction
/// of another would hide its marks.
pub fn plan() -> TopicPlan {
    let plan = TopicPlan::new(DELIVERED, Retention::LastOfEachKey).partitions(1);
    TopicPlan { dead_letters: false, ..plan }
}

/// What the line of one shard writes to and reads from.
#[derive(Debug)]
pub struct KafkaLine {
    settings: KafkaSettings,
    writer: TransactionalWriter,
}

impl KafkaLine {
    /// The line of a shard, not held yet.
    pub fn of_shard(settings: &KafkaSettings, shard: u16) -> MarkedLine {
        let id = format!("codepix.transfers.hand-over-{shard}");
        let writer = TransactionalWriter::new(settings.clone(), &id);
        MarkedLine::new(Box::new(Self { settings: settings.clone(), writer }))
    }
}

#[async_trait]
impl TransactionalLog for KafkaLine {
    fn named(&self, topic: &str) -> String {
        self.settings.named(topic)
    }

    async fn take_over(&mut self) -> Result<(), LogError> {
        self.writer.take_over().await
    }

    async fn write(&mut self, records: Vec<OutboundRecord>) -> Result<(), LogError> {
        self.writer.write(records).await
    }

    async fn scan(&mut self, topic: &str) -> Result<Scan, LogError> {
        let extents = extents(&self.settings, topic).await?.into_iter();
        let ends: BTreeMap<_, _> = extents.map(|extent| (extent.at, extent.high)).collect();
        let partitions = ends.keys().cloned().collect();
        Ok((Box::new(KafkaScan::new(&self.settings, ends)?), partitions))
    }
}
