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

use crate::client::{ClientError, KafkaOptions};

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(10);
/// How often new topics are looked for: a bank may be enrolled meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
}

impl<W: Fn(&str) -> bool> Follower<W> {
    /// A reader of the topics that `is_wanted` by their names without prefix, from what is there
    /// or from what comes. It is in place when this returns.
    pub(super) async fn start(
        options: &KafkaOptions,
        is_wanted: W,
        from_beginning: bool,
    ) -> anyhow::Result<Self> {
        let consumer: StreamConsumer =
            options.reader().create().context("the settings of Kafka are not right")?;
        let (consumer, options) = (Arc::new(consumer), options.clone());
        let mut follower = Self { consumer, options, is_wanted, assigned: BTreeSet::new() };
        follower.look(from_beginning).await?;
        Ok(follower)
    }

    /// Topics that are read, with prefix.
    pub(super) fn topics(&self) -> BTreeSet<&str> {
        self.assigned.iter().map(|at| at.topic.as_str()).collect()
    }

    /// The next record, whenever it comes.
    pub(super) async fn next(&mut self) -> anyhow::Result<InboundRecord> {
        loop {
            match tokio::time::timeout(LOOK_EVERY, self.consumer.recv()).await {
                Ok(Ok(message)) => return Ok(inbound(&message)),
                // What has just been made is read whole: nothing of it was missed.
                Err(_nothing_came) => self.look(true).await?,
                Ok(Err(KafkaError::PartitionEOF(_))) => {}
                Ok(Err(error)) if is_passing(&error) => {}
                Ok(Err(error)) => return Err(error).context("the log cannot be read"),
            }
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
