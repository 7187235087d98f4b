//! Reads one topic up to fixed ends, as a member of no group.
//!
//! For work that goes through a log once: the caller stores its offsets where it likes, as the
//! consumer does, and may stop and go on. Each partition reports its end once. Memory is bounded by
//! what librdkafka fetches ahead. Costs two clients: one reads, the other asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::application::log::{LogError, LogReader, Polled, Position, TopicPartition};
use crate::infrastructure::kafka::gathered::Gathered;
use crate::infrastructure::kafka::inbound::inbound;
use crate::infrastructure::kafka::passing::is_passing;
use crate::infrastructure::kafka::questions::Questions;
use crate::infrastructure::kafka::settings::KafkaSettings;

fn unavailable(error: &KafkaError) -> LogError {
    LogError::Unavailable(error.to_string())
}

/// A reader of some partitions of one topic.
pub struct KafkaScan {
    consumer: Arc<StreamConsumer>,
    questions: Questions,
    ends: BTreeMap<TopicPartition, i64>,
    /// Partitions whose end was not reached.
    open: BTreeSet<TopicPartition>,
    /// Ends that were reached and not told.
    reached: Vec<TopicPartition>,
    begun: bool,
}

impl std::fmt::Debug for KafkaScan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KafkaScan")
            .field("ends", &self.ends)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl KafkaScan {
    /// A reader of these partitions of one topic, each up to its end and no further.
    ///
    /// # Errors
    /// [`LogError::Fatal`] when librdkafka refuses the settings.
    pub fn new(
        settings: &KafkaSettings,
        ends: BTreeMap<TopicPartition, i64>,
    ) -> Result<Self, LogError> {
        let consumer: Result<StreamConsumer, KafkaError> = settings
            .client(&[
                // librdkafka wants a name; nothing joins it and nothing is committed to it.
                ("group.id", &settings.named("codepix.scan")),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"),
                ("enable.partition.eof", "true"),
                ("isolation.level", "read_committed"),
                // Not for long, and then somebody waits for the end of what is read.
                ("fetch.wait.max.ms", "50"),
                ("queued.min.messages", "50000"),
                ("queued.max.messages.kbytes", "65536"),
            ])
            .create();
        let fatal = |error| LogError::Fatal(format!("the Kafka consumer cannot start: {error}"));
        let consumer = Arc::new(consumer.map_err(fatal)?);
        let (questions, open, reached) =
            (Questions::connect(settings)?, BTreeSet::new(), Vec::new());
        Ok(Self { consumer, questions, ends, open, reached, begun: false })
    }

    /// Takes a polled message in; what lies behind an end is left out.
    fn sort(
        &mut self,
        polled: Result<BorrowedMessage<'_>, KafkaError>,
        gathered: &mut Gathered,
    ) -> Result<(), LogError> {
        match polled {
            Ok(message) => {
                let at = TopicPartition {
                    topic: message.topic().to_owned(),
                    partition: message.partition(),
                };
                let end = self.ends.get(&at).copied().unwrap_or_default();
                if !self.open.contains(&at) {
                    return Ok(());
                }
                if message.offset() < end {
                    gathered.record(inbound(&message));
                }
                if message.offset().saturating_add(1) >= end {
                    self.close_partition(at);
                }
                Ok(())
            }
            // The log ends here, and no end of ours lies behind that of the log.
            Err(KafkaError::PartitionEOF(partition)) => {
                let ended: Vec<TopicPartition> =
                    self.open.iter().filter(|at| at.partition == partition).cloned().collect();
                for at in ended {
                    self.close_partition(at);
                }
                Ok(())
            }
            Err(error) if is_passing(&error) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    fn close_partition(&mut self, at: TopicPartition) {
        let mut list = TopicPartitionList::new();
        list.add_partition(&at.topic, at.partition);
        if let Err(error) = self.consumer.pause(&list) {
            tracing::debug!(%error, "a partition that is read is fetched on");
        }
        self.open.remove(&at);
        self.reached.push(at);
    }
}

#[async_trait]
impl LogReader for KafkaScan {
    async fn cluster_id(&mut self) -> Result<String, LogError> {
        self.questions.cluster_id().await
    }

    async fn poll(&mut self, limit: usize, wait: Duration) -> Result<Polled, LogError> {
        if !self.begun {
            self.begun = true;
            return Ok(Polled::Assigned(self.ends.keys().cloned().collect()));
        }
        self.questions.listen();
        let mut gathered = Gathered::default();
        if !self.open.is_empty() {
            let consumer = Arc::clone(&self.consumer);
            let mut stream = consumer.stream();
            let first = tokio::time::timeout(wait, stream.next()).await;
            let mut next = first.ok().flatten();
            while let Some(polled) = next {
                self.sort(polled, &mut gathered)?;
                let more = !gathered.is_full(limit) && !self.open.is_empty();
                next = if more { stream.next().now_or_never().flatten() } else { None };
            }
        }
        if gathered.is_empty() && self.reached.is_empty() {
            return Ok(Polled::Nothing);
        }
        for end in std::mem::take(&mut self.reached) {
            gathered.end(end);
        }
        Ok(gathered.into_polled())
    }

    async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        self.questions.beginnings(of).await
    }

    async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        let end = |at: &TopicPartition| {
            let next_offset = self.ends.get(at).copied().unwrap_or_default();
            Position { at: at.clone(), next_offset }
        };
        Ok(of.iter().map(end).collect())
    }

    async fn assign(&mut self, positions: &[Position]) -> Result<(), LogError> {
        let mut list = TopicPartitionList::new();
        (self.open, self.reached) = (BTreeSet::new(), Vec::new());
        for Position { at, next_offset } in positions {
            if *next_offset < self.ends.get(at).copied().unwrap_or_default() {
                let from = Offset::Offset(*next_offset);
                list.add_partition_offset(&at.topic, at.partition, from)
                    .map_err(|error| unavailable(&error))?;
                self.open.insert(at.clone());
            } else {
                self.reached.push(at.clone());
            }
        }
        self.consumer.assign(&list).map_err(|error| unavailable(&error))
    }

    async fn report(&mut self, _positions: &[Position]) {}

    async fn close(&mut self) {
        if let Err(error) = self.consumer.unassign() {
            tracing::debug!(%error, "partitions were not given back");
        }
    }
}
