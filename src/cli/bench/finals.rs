//! Reads the ends of transfers from the log: one reader at the end of one topic, no polling.

use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Offset, TopicPartitionList};

use super::counts::Outcome;
use super::open_loop::Stopwatch;
use super::tracker::Tracker;
use crate::client::{ClientError, KafkaOptions};

/// Where the hub publishes what becomes of transfers, before the prefix.
const TOPIC: &str = "codepix.transfers";
/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(10);
/// Pause after an error of the log, which librdkafka mends itself.
const PAUSE: Duration = Duration::from_millis(100);

/// A reader that stands at the end of the topic.
pub(super) struct Finals(StreamConsumer);

impl Finals {
    /// Takes its place behind every record that exists now.
    pub(super) async fn at_the_end(options: &KafkaOptions) -> anyhow::Result<Self> {
        let topic = format!("{}{TOPIC}", options.topic_prefix);
        let brokers = options.addresses().to_owned();
        let mut config = options.reader();
        config.set("fetch.wait.max.ms", "10");
        let consumer: StreamConsumer =
            config.create().context("the settings of Kafka are not right")?;
        tokio::task::spawn_blocking(move || {
            let metadata = consumer
                .fetch_metadata(Some(&topic), ASK)
                .map_err(|error| ClientError::no_kafka(&brokers, error.to_string()))?;
            let mut list = TopicPartitionList::new();
            for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
                let (_, end) = consumer.fetch_watermarks(&topic, partition.id(), ASK)?;
                list.add_partition_offset(&topic, partition.id(), Offset::Offset(end))?;
            }
            if list.count() == 0 {
                let sentence = format!(
                    "the topic {topic} is not at {brokers}: name the hub's Kafka with \
                     --kafka-brokers and its --topic-prefix"
                );
                return Err(ClientError::refused("topic_not_found", None, sentence).into());
            }
            consumer.assign(&list)?;
            Ok(Self(consumer))
        })
        .await?
    }

    /// Tells the tracker of each end, as long as there is one.
    pub(super) async fn follow(self, tracker: Weak<Mutex<Tracker>>, stopwatch: Stopwatch) {
        loop {
            let Ok(message) = self.0.recv().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (Some(outcome), Some(Ok(id))) =
                (outcome(&message), message.key().map(std::str::from_utf8))
            else {
                continue;
            };
            let Some(tracker) = tracker.upgrade() else { return };
            let mut tracker = tracker.lock().unwrap_or_else(PoisonError::into_inner);
            tracker.finished(id, outcome, stopwatch.elapsed_us());
        }
    }
}

fn outcome(message: &BorrowedMessage<'_>) -> Option<Outcome> {
    let headers = message.headers()?;
    let event_type = headers.iter().find(|header| header.key == "ce_type")?.value?;
    outcome_of(std::str::from_utf8(event_type).ok()?)
}

/// The end that an event of the hub reports, in whichever version.
fn outcome_of(event_type: &str) -> Option<Outcome> {
    let (name, _version) = event_type.strip_prefix("codepix.transfers.")?.split_once('.')?;
    match name {
        "TransferCompleted" => Some(Outcome::Completed),
        "TransferRejected" => Some(Outcome::Rejected),
        "TransferExpired" => Some(Outcome::Expired),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_count() {
        let of = |name: &str| outcome_of(&format!("codepix.transfers.{name}.v1"));
        assert_eq!(of("TransferCompleted"), Some(Outcome::Completed));
        assert_eq!(of("TransferRejected"), Some(Outcome::Rejected));
        assert_eq!(of("TransferExpired"), Some(Outcome::Expired));
        assert_eq!(of("TransferConfirmed"), None);
        assert_eq!(outcome_of("codepix.banking.TransferCompleted.v1"), None);
    }
}
