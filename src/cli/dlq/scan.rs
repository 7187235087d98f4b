//! Reads dead-letter topics to their end, without a group and without storing offsets.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use shared_kernel::application::dead_letter::SUFFIX;
use shared_kernel::application::{InboundRecord, TopicPartition};
use shared_kernel::infrastructure::kafka::inbound;

use crate::client::{ClientError, KafkaOptions};

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(10);
/// How long the next record may take.
const READ: Duration = Duration::from_secs(30);

/// A partition and the offsets that exist in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) at: TopicPartition,
    /// First offset that exists.
    pub(super) low: i64,
    /// Offset after the last.
    pub(super) high: i64,
}

impl Extent {
    /// Its last `records_max` offsets.
    pub(super) fn tail(&self, records_max: u32) -> Self {
        let low = self.high.saturating_sub(i64::from(records_max)).max(self.low);
        Self { at: self.at.clone(), low, high: self.high }
    }
}

/// A reader of dead-letter topics.
pub(super) struct Scanner {
    consumer: Arc<StreamConsumer>,
    options: KafkaOptions,
}

impl Scanner {
    /// A reader; it connects with its first question.
    pub(super) fn new(options: &KafkaOptions) -> anyhow::Result<Self> {
        let mut config = options.reader();
        config.set("enable.partition.eof", "true");
        let consumer: StreamConsumer =
            config.create().context("the settings of Kafka are not right")?;
        Ok(Self { consumer: Arc::new(consumer), options: options.clone() })
    }

    /// The partitions of the dead-letter topics under the prefix that `is_wanted` by name.
    pub(super) async fn extents(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<Extent>> {
        let consumer = Arc::clone(&self.consumer);
        let asked = tokio::task::spawn_blocking(move || consumer.fetch_metadata(None, ASK)).await?;
        let metadata = asked
            .map_err(|error| ClientError::no_kafka(self.options.addresses(), error.to_string()))?;
        let prefix = self.options.topic_prefix.as_str();
        let topics = metadata.topics().iter().filter(|topic| {
            let name = topic.name();
            name.starts_with(prefix) && name.ends_with(SUFFIX) && is_wanted(name)
        });
        let mut extents = Vec::new();
        for topic in topics {
            for partition in topic.partitions() {
                let at =
                    TopicPartition { topic: topic.name().to_owned(), partition: partition.id() };
                extents.push(self.extent(at).await?);
            }
        }
        extents.sort_by(|left, right| left.at.cmp(&right.at));
        Ok(extents)
    }

    async fn extent(&self, at: TopicPartition) -> anyhow::Result<Extent> {
        let consumer = Arc::clone(&self.consumer);
        let asked = tokio::task::spawn_blocking(move || {
            let marks = consumer.fetch_watermarks(&at.topic, at.partition, ASK);
            marks.map(|(low, high)| Extent { at, low, high })
        });
        asked.await?.context("Kafka does not tell where a dead-letter topic ends")
    }

    /// Hands every record of `extent` to `take`, in order, one at a time.
    pub(super) async fn read(
        &self,
        extent: &Extent,
        mut take: impl FnMut(InboundRecord),
    ) -> anyhow::Result<()> {
        if extent.low >= extent.high {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        let from = Offset::Offset(extent.low);
        list.add_partition_offset(&extent.at.topic, extent.at.partition, from)?;
        self.consumer.assign(&list)?;
        loop {
            let next = tokio::time::timeout(READ, self.consumer.recv()).await;
            match next.with_context(|| format!("Kafka stopped answering about {}", extent.at))? {
                Ok(message) if message.offset() >= extent.high => break,
                Ok(message) => {
                    let is_last = message.offset().saturating_add(1) >= extent.high;
                    take(inbound(&message));
                    if is_last {
                        break;
                    }
                }
                Err(KafkaError::PartitionEOF(_)) => break,
                Err(error) => {
                    return Err(error).with_context(|| format!("{} cannot be read", extent.at));
                }
            }
        }
        self.consumer.unassign()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_bounded_from_the_end() {
        let at = TopicPartition { topic: "a.dlq".to_owned(), partition: 0 };
        let extent = Extent { at, low: 10, high: 100 };
        assert_eq!((extent.tail(30).low, extent.tail(30).high), (70, 100));
        assert_eq!(extent.tail(1_000).low, 10);
    }
}
