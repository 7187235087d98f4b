//! Reads topics as a member of no group, from their beginning or their end, and notices new ones.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use shared_kernel::application::{InboundRecord, TopicPartition};
use shared_kernel::infrastructure::kafka::{inbound, is_passing};
use tokio::time::Instant;

use super::looks::Looks;
use crate::cli::output::Output;
use crate::client::{ClientError, KafkaOptions};

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(10);

/// A topic that is only just there has no leader yet: the next look finds one.
fn is_being_made(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownPartition
        )
    )
}

/// A reader of all topics that are wanted, now and later.
pub(super) struct Follower<W> {
    consumer: Arc<StreamConsumer>,
    options: KafkaOptions,
    is_wanted: W,
    assigned: BTreeSet<TopicPartition>,
    looks: Looks,
    output: Output,
}

impl<W: Fn(&str) -> bool> Follower<W> {
    /// A reader of the topics that `is_wanted` by their names without prefix, from what is there
    /// or from what comes. It is in place when this returns; what befalls it then it says to
    /// `output`.
    pub(super) async fn start(
        options: &KafkaOptions,
        is_wanted: W,
        from_beginning: bool,
        output: Output,
    ) -> anyhow::Result<Self> {
        let consumer: StreamConsumer =
            options.reader().create().context("the settings of Kafka are not right")?;
        let (consumer, options) = (Arc::new(consumer), options.clone());
        let (assigned, looks) = (BTreeSet::new(), Looks::begun(Instant::now()));
        let mut follower = Self { consumer, options, is_wanted, assigned, looks, output };
        follower.look(from_beginning).await?;
        follower.looks = Looks::begun(Instant::now());
        Ok(follower)
    }

    /// Topics that are read, with prefix.
    pub(super) fn topics(&self) -> BTreeSet<&str> {
        self.assigned.iter().map(|at| at.topic.as_str()).collect()
    }

    /// The next record, whenever it comes: an outage of Kafka is waited for.
    pub(super) async fn next(&mut self) -> anyhow::Result<InboundRecord> {
        loop {
            let Some(wait) = self.looks.wait(Instant::now()) else {
                self.look_again().await;
                continue;
            };
            match tokio::time::timeout(wait, self.consumer.recv()).await {
                Ok(Ok(message)) => return Ok(inbound(&message)),
                // Nothing came in time, or nothing more is there.
                Err(_) | Ok(Err(KafkaError::PartitionEOF(_))) => {}
                Ok(Err(error)) if is_passing(&error) || is_being_made(&error) => {}
                Ok(Err(error)) => return Err(error).context("the log cannot be read"),
            }
        }
    }

    /// What has just been made is read whole: nothing of it was missed. The first look was
    /// answered, so one that is not is an outage, and the next one may be.
    async fn look_again(&mut self) {
        let is_answered = self.look(true).await.is_ok();
        if let Some(sentence) = self.looks.looked(Instant::now(), is_answered) {
            self.output.remark(sentence);
        }
    }

    /// Takes in partitions that are not read yet.
    async fn look(&mut self, from_beginning: bool) -> anyhow::Result<()> {
        let consumer = Arc::clone(&self.consumer);
        let asked = tokio::task::spawn_blocking(move || consumer.fetch_metadata(None, ASK)).await?;
        let metadata = asked
            .map_err(|error| ClientError::no_kafka(self.options.addresses(), error.to_string()))?;
        let mut new = Vec::new();
        for topic in metadata.topics() {
            let bare = topic.name().strip_prefix(self.options.topic_prefix.as_str());
            if bare.is_some_and(&self.is_wanted) {
                let at = |id| TopicPartition { topic: topic.name().to_owned(), partition: id };
                new.extend(topic.partitions().iter().map(|partition| at(partition.id())));
            }
        }
        new.retain(|at| !self.assigned.contains(at));
        if new.is_empty() {
            return Ok(());
        }
        let consumer = Arc::clone(&self.consumer);
        let asked = tokio::task::spawn_blocking(move || {
            let (mut list, mut found) = (TopicPartitionList::new(), Vec::new());
            for at in new {
                // The end as an offset: what comes after this question is not missed.
                let (low, high) = match consumer.fetch_watermarks(&at.topic, at.partition, ASK) {
                    Err(error) if is_being_made(&error) => continue,
                    marks => marks?,
                };
                let first = Offset::Offset(if from_beginning { low } else { high });
                list.add_partition_offset(&at.topic, at.partition, first)?;
                found.push(at);
            }
            Ok::<_, KafkaError>((list, found))
        });
        let (list, found) = asked.await?.context("Kafka does not tell where its topics end")?;
        if !found.is_empty() {
            self.consumer.incremental_assign(&list).context("the log cannot be read")?;
            self.assigned.extend(found);
        }
        Ok(())
    }
}
