//! The live end of a topic: wakes those who watch an aggregate, on every process of a context.
//!
//! A watcher reads the present state from its store, then again each time the tail names its
//! aggregate: nothing is missed, nothing is polled. The tail belongs to no group and stores no
//! offsets: it remembers where it was as long as it runs, and after a restart watchers read the
//! state anew.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::broadcast;

use crate::application::log::{InboundRecord, LogError};
use crate::application::stop::StopSignal;
use crate::infrastructure::kafka::inbound::inbound;
use crate::infrastructure::kafka::passing::is_passing;
use crate::infrastructure::kafka::settings::KafkaSettings;

/// Names that watchers may lag behind before they are told to look anew.
const BACKLOG_MAX: usize = 16_384;

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(5);

/// In place of a key: any may have changed.
const ANY: &str = "";

/// A record at the end of a topic.
#[derive(Clone, Copy, Debug)]
pub struct TailRecord<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its body.
    pub body: &'a [u8],
}

/// Hears what a tail reads. It is called between two records, so it must not take its time.
pub trait TailListener: Send + Sync {
    /// A record arrived.
    fn heard(&self, record: TailRecord<'_>);

    /// The same record, for those who need its headers too; `read` copies it whole.
    fn heard_whole(&self, _read: &dyn Fn() -> InboundRecord) {}

    /// The tail begins, or begins again in a log that lost its place: what came before was not
    /// heard.
    fn begins(&self);
}

/// Where watchers subscribe.
#[derive(Clone, Debug)]
pub struct TailFeed(broadcast::Sender<Arc<str>>);

impl Default for TailFeed {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG_MAX).0)
    }
}

impl TailFeed {
    /// The record keys that arrive from now on.
    pub fn watch(&self) -> TailWatch {
        TailWatch(self.0.subscribe())
    }

    /// Tells every watcher of `key` to look anew.
    pub fn changed(&self, key: &str) {
        if self.0.receiver_count() > 0 {
            drop(self.0.send(Arc::from(key)));
        }
    }

    /// Tells every watcher to look anew: something may have been missed.
    pub fn all_changed(&self) {
        self.changed(ANY);
    }
}

impl TailListener for TailFeed {
    fn heard(&self, record: TailRecord<'_>) {
        self.changed(record.key);
    }

    fn begins(&self) {
        self.all_changed();
    }
}

/// One watcher.
#[derive(Debug)]
pub struct TailWatch(broadcast::Receiver<Arc<str>>);

impl TailWatch {
    /// Returns when one of `keys` changed, or may have. `false` when the process is stopping.
    pub async fn changed(&mut self, keys: &[&str]) -> bool {
        loop {
            match self.0.recv().await {
                Ok(key) if &*key == ANY || keys.contains(&&*key) => return true,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Err(broadcast::error::RecvError::Closed) => return false,
            }
        }
    }
}

/// Follows one topic from its end.
pub struct Tail {
    settings: KafkaSettings,
    topic: String,
    listeners: Vec<Arc<dyn TailListener>>,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tail").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Tail {
    /// A tail of `topic` (name without prefix) that all of `listeners` hear.
    pub fn new(
        settings: &KafkaSettings,
        topic: &str,
        listeners: Vec<Arc<dyn TailListener>>,
    ) -> Self {
        Self { settings: settings.clone(), topic: settings.named(topic), listeners }
    }

    /// Follows until asked to stop; after an error it goes on where it was.
    pub async fn run(self, mut stop: StopSignal) {
        let mut place = Place::default();
        while !stop.is_stopped() {
            let following = self.follow(&mut place);
            tokio::select! {
                () = stop.stopped() => return,
                outcome = following => {
                    if let Err(error) = outcome {
                        tracing::debug!(topic = self.topic, %error, "the tail connects again");
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn follow(&self, place: &mut Place) -> Result<(), LogError> {
        let consumer: StreamConsumer = self
            .settings
            .client(&[
                ("group.id", &self.settings.named("codepix.tail")),
                ("enable.auto.commit", "false"),
                ("auto.offset.reset", "error"),
            ])
            .create()
            .map_err(|error| unavailable(&error))?;
        let (topic, known) = (self.topic.clone(), place.clone());
        let ask = move || positions(&consumer, &topic, known).map(|found| (consumer, found));
        let asked = tokio::task::spawn_blocking(ask);
        let (consumer, found) = match asked.await {
            Ok(answer) => answer.map_err(|error| unavailable(&error))?,
            Err(stopped) => return Err(LogError::Unavailable(stopped.to_string())),
        };
        if found.is_empty() {
            return Err(LogError::Unavailable("the topic does not exist yet".into()));
        }
        let is_beginning = place.is_empty();
        *place = found;
        consumer
            .assign(&offsets(&self.topic, place).map_err(|error| unavailable(&error))?)
            .map_err(|error| unavailable(&error))?;
        if is_beginning {
            // Whatever happened while nothing followed the topic.
            self.listeners.iter().for_each(|listener| listener.begins());
        }
        let mut stream = consumer.stream();
        while let Some(polled) = stream.next().await {
            match polled {
                Ok(message) => {
                    self.tell(&message);
                    place.insert(message.partition(), message.offset().saturating_add(1));
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    if is_gone(&error) {
                        place.clear();
                    }
                    return Err(unavailable(&error));
                }
            }
        }
        Ok(())
    }

    fn tell(&self, message: &BorrowedMessage<'_>) {
        if let Some(Ok(key)) = message.key().map(std::str::from_utf8) {
            let record = TailRecord { key, body: message.payload().unwrap_or_default() };
            for listener in &self.listeners {
                listener.heard(record);
                listener.heard_whole(&|| inbound(message));
            }
        }
    }
}

/// The next offset of each partition; empty while the topic is not followed, or when what comes
/// next is gone.
type Place = BTreeMap<i32, i64>;

fn unavailable(error: &KafkaError) -> LogError {
    LogError::Unavailable(error.to_string())
}

/// Whether the log does not have what comes next any more.
fn is_gone(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

/// Where to go on: where the tail was; in a topic that was not followed at its end, so that what
/// comes after this question is followed, and what came before it is seen by those who look anew.
/// Partitions that were added meanwhile are followed whole. Asking blocks.
fn positions(consumer: &StreamConsumer, topic: &str, known: Place) -> Result<Place, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), ASK)?;
    let is_beginning = known.is_empty();
    let mut found = known;
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        if let Entry::Vacant(place) = found.entry(partition.id()) {
            let (begin, end) = consumer.fetch_watermarks(topic, partition.id(), ASK)?;
            place.insert(if is_beginning { end } else { begin });
        }
    }
    Ok(found)
}

fn offsets(topic: &str, place: &Place) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(place.len());
    for (partition, next_offset) in place {
        list.add_partition_offset(topic, *partition, Offset::Offset(*next_offset))?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watcher_wakes_for_its_keys_and_for_any() {
        let feed = TailFeed::default();
        let mut watch = feed.watch();
        feed.changed("other");
        feed.changed("mine");
        assert!(watch.changed(&["mine"]).await);
        feed.changed("other");
        feed.all_changed();
        assert!(watch.changed(&["mine"]).await);
        drop(feed);
        assert!(!watch.changed(&["mine"]).await);
    }
}
