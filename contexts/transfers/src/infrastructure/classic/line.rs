//! The line of hand-overs over Kafka: a producer with a transactional id of its shard, and a scan
//! of the marks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared_kernel::application::catalogue::{Event as _, Reader};
use shared_kernel::application::log::LogError;
use shared_kernel::application::{OutboundRecord, Unreadable};
use shared_kernel::infrastructure::kafka::{
    KafkaScan, KafkaSettings, TopicPlan, TransactionalWriter, extents,
};

use super::super::NAME;
use super::published::{DELIVERED, HandOverMarked};
use crate::application::marked_line::{MarkedLine, Scan, TransactionalLog, marked};

/// The consumer of marks, for the catalogue.
pub const READER: Reader = Reader {
    context: NAME,
    consumer: "courier of hand-overs",
    channels: &[DELIVERED.address],
    knows: &[HandOverMarked::EVENT_TYPE],
    read: |record| match marked(record) {
        Some(_id) => Ok(true),
        None => Err(Unreadable::new("mark_shape", "the key of a mark is an EndToEndId")),
    },
};

/// The topic of marks.
pub fn plan() -> TopicPlan {
    TopicPlan { dead_letters: false, ..TopicPlan::of(&DELIVERED) }
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

#[cfg(test)]
mod tests {
    use shared_kernel::domain::EndToEndId;

    use super::*;
    use crate::application::marked_line::body_of;

    #[test]
    fn a_mark_is_what_the_registry_says() {
        let id = EndToEndId::parse("E0000000120261120120000000000001").unwrap();
        let listed = serde_json::to_vec(&HandOverMarked { end_to_end_id: &id }).unwrap();
        assert_eq!(body_of(&id), listed);
    }
}
