//! What is asked of the brokers beside what is read: topics, and the offsets that exist in them.
//!
//! On connections of their own. A broker answers the requests of one connection one after another,
//! and lets a fetch wait until there is something to read: a question on the connection of a reader
//! that idles would wait with it. Costs one librdkafka client; its questions block, so they run
//! beside the runtime's workers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::application::log::{LogError, Position, TopicPartition};
use crate::domain::Timestamp;
use crate::infrastructure::kafka::settings::KafkaSettings;

/// How long a question to the broker may take.
pub(crate) const ASK: Duration = Duration::from_secs(10);

/// How much of what a client has to say is heard at once.
const WORDS_MAX: usize = 8;

/// A partition and the offsets that exist in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Which.
    pub at: TopicPartition,
    /// First offset that exists.
    pub low: i64,
    /// Offset after the last.
    pub high: i64,
}

/// A client that reads nothing.
pub(crate) struct Questions(Arc<BaseConsumer>);

fn unavailable(error: &KafkaError) -> LogError {
    LogError::Unavailable(error.to_string())
}

impl Questions {
    /// Connects in the background.
    pub(crate) fn connect(settings: &KafkaSettings) -> Result<Self, LogError> {
        let client: Result<BaseConsumer, KafkaError> = settings
            .client(&[
                // The end is what a reader can reach: no transaction is open before it.
                ("isolation.level", "read_committed"),
                // Who leads a partition is known as soon as its reader knows it.
                ("topic.metadata.refresh.interval.ms", "2000"),
                ("metadata.max.age.ms", "2000"),
            ])
            .create();
        let fatal = |error| LogError::Fatal(format!("the Kafka client cannot start: {error}"));
        client.map(|client| Self(Arc::new(client))).map_err(fatal)
    }

    async fn ask<T, Q>(&self, question: Q) -> Result<T, LogError>
    where
        T: Send + 'static,
        Q: FnOnce(&BaseConsumer) -> Result<T, KafkaError> + Send + 'static,
    {
        self.listen();
        let client = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || question(&client)).await {
            Ok(answer) => answer.map_err(|error| unavailable(&error)),
            Err(stopped) => Err(LogError::Unavailable(stopped.to_string())),
        }
    }

    /// Hears what the client has to say of its connections, and does not wait: until somebody
    /// does, it keeps all of it, and in an outage that is more every second.
    pub(crate) fn listen(&self) {
        for _ in 0..WORDS_MAX {
            if let Some(Err(error)) = self.0.poll(Duration::ZERO) {
                tracing::debug!(%error, "the connections for questions");
            }
        }
    }

    /// The cluster that answers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the broker does not answer.
    pub(crate) async fn cluster_id(&self) -> Result<String, LogError> {
        let client = Arc::clone(&self.0);
        cluster_of(move || client.client().fetch_cluster_id(ASK)).await
    }

    /// The first offset that exists in each.
    pub(crate) async fn beginnings(
        &self,
        of: &[TopicPartition],
    ) -> Result<Vec<Position>, LogError> {
        let wanted = of.to_vec();
        self.ask(move |client| {
            let beginning = |at: TopicPartition| {
                let (low, _high) = client.fetch_watermarks(&at.topic, at.partition, ASK)?;
                Ok(Position { at, next_offset: low })
            };
            wanted.into_iter().map(beginning).collect()
        })
        .await
    }

    /// The offset after the last committed record of each.
    pub(crate) async fn ends(&self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let mut wanted = TopicPartitionList::with_capacity(of.len());
        for TopicPartition { topic, partition } in of {
            // In place of a time: the end. So one question names the ends of all partitions.
            let added = wanted.add_partition_offset(topic, *partition, Offset::End);
            added.map_err(|error| unavailable(&error))?;
        }
        self.ask(move |client| {
            let answered = client.offsets_for_times(wanted, ASK)?;
            let end = |element: &TopicPartitionListElem<'_>| {
                element.error()?;
                let (topic, partition) = (element.topic().to_owned(), element.partition());
                let Offset::Offset(next_offset) = element.offset() else {
                    return Err(KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset));
                };
                Ok(Position { at: TopicPartition { topic, partition }, next_offset })
            };
            answered.elements().iter().map(end).collect()
        })
        .await
    }
}

/// The cluster that a client names when it is asked. It knows, once it is connected.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer.
pub(crate) async fn cluster_of(
    ask: impl FnOnce() -> Option<String> + Send + 'static,
) -> Result<String, LogError> {
    let asked = tokio::task::spawn_blocking(ask).await;
    let named = asked.map_err(|stopped| LogError::Unavailable(stopped.to_string()))?;
    named.ok_or_else(|| LogError::Unavailable("the broker did not name its cluster".into()))
}

/// The cluster behind these settings.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer.
pub async fn cluster_id(settings: &KafkaSettings) -> Result<String, LogError> {
    Questions::connect(settings)?.cluster_id().await
}

/// How many partitions a topic (name without prefix) has.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer or does not know the topic, perhaps
/// not yet.
pub async fn partition_count(settings: &KafkaSettings, topic: &str) -> Result<usize, LogError> {
    let (questions, topic) = (Questions::connect(settings)?, settings.named(topic));
    let name = topic.clone();
    let count = questions
        .ask(move |client| {
            let metadata = client.fetch_metadata(Some(&topic), ASK)?;
            Ok(metadata.topics().iter().flat_map(MetadataTopic::partitions).count())
        })
        .await?;
    if count == 0 {
        return Err(LogError::Unavailable(format!("there is no topic {name}")));
    }
    Ok(count)
}

/// Those of these topics (names without prefix) that the broker has.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer.
pub async fn existing(
    settings: &KafkaSettings,
    topics: &[String],
) -> Result<Vec<String>, LogError> {
    let questions = Questions::connect(settings)?;
    // All of them: a question about one may create it.
    let there = questions
        .ask(move |client| {
            let metadata = client.fetch_metadata(None, ASK)?;
            let names = metadata.topics().iter().map(|topic| topic.name().to_owned());
            Ok(names.collect::<BTreeSet<String>>())
        })
        .await?;
    Ok(topics.iter().filter(|topic| there.contains(&settings.named(topic))).cloned().collect())
}

/// What exists of a topic (name without prefix), partition by partition.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer or has no such topic.
pub async fn extents(settings: &KafkaSettings, topic: &str) -> Result<Vec<Extent>, LogError> {
    let (questions, topic) = (Questions::connect(settings)?, settings.named(topic));
    let name = topic.clone();
    let found = questions
        .ask(move |client| {
            let metadata = client.fetch_metadata(Some(&topic), ASK)?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            let extent = |partition: i32| {
                let (low, high) = client.fetch_watermarks(&topic, partition, ASK)?;
                Ok(Extent { at: TopicPartition { topic: topic.clone(), partition }, low, high })
            };
            partitions.map(MetadataPartition::id).map(extent).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    if found.is_empty() {
        return Err(LogError::Unavailable(format!("there is no topic {name}")));
    }
    Ok(found)
}

/// Cuts extents off before the first record that the broker took at `until` or later.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer.
pub async fn cut_at(
    settings: &KafkaSettings,
    mut extents: Vec<Extent>,
    until: Timestamp,
) -> Result<Vec<Extent>, LogError> {
    let questions = Questions::connect(settings)?;
    let mut times = TopicPartitionList::new();
    for Extent { at, .. } in &extents {
        let wanted = Offset::Offset(until.millis());
        times
            .add_partition_offset(&at.topic, at.partition, wanted)
            .map_err(|error| unavailable(&error))?;
    }
    let found = questions.ask(move |client| client.offsets_for_times(times, ASK)).await?;
    for extent in &mut extents {
        let first = found.find_partition(&extent.at.topic, extent.at.partition);
        // A partition without such a record ends where it ends.
        if let Some(Offset::Offset(offset)) = first.map(|element| element.offset()) {
            extent.high = extent.high.min(offset);
        }
    }
    Ok(extents)
}
