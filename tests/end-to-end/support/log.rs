//! The raw log: what was published, what is put in from outside, how far its readers are.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use shared_kernel::application::{InboundRecord, TraceParent};
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::testing::TestServers;

use super::eventually;

/// Enrolled banks.
pub(crate) const PARTICIPANTS: &str = "codepix.transfers.participants";
/// Keys.
pub(crate) const KEYS: &str = "codepix.pix-keys";
/// Accounts and their money.
pub(crate) const ACCOUNTS: &str = "codepix.banking.accounts";
/// What banks say to the hub.
pub(crate) const BANK_MESSAGES: &str = "codepix.banking.transfers";
/// What the hub says to everyone.
pub(crate) const TRANSFERS: &str = "codepix.transfers";

/// What the hub says to one bank.
pub(crate) fn bank_topic(ispb: &str) -> String {
    format!("codepix.bank.{ispb}")
}

/// How long one answer of the broker may take.
const ASK: Duration = Duration::from_secs(20);

/// A record that a test puts in.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    /// Name without prefix.
    pub(crate) topic: String,
    /// A certain partition, or the one of its key.
    pub(crate) partition: Option<i32>,
    /// Key.
    pub(crate) key: Option<Vec<u8>>,
    /// Headers.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// Body.
    pub(crate) payload: Option<Vec<u8>>,
}

/// The log of one test.
#[derive(Clone, Debug)]
pub(crate) struct Log(TestServers);

impl Log {
    /// The log of these servers.
    pub(crate) fn of(servers: &TestServers) -> Self {
        Self(servers.clone())
    }

    /// Everything that a topic (name without prefix) holds.
    pub(crate) async fn records(&self, topic: &str) -> Vec<InboundRecord> {
        self.0.read_all(topic).await
    }

    /// The records of one key.
    pub(crate) async fn records_of(&self, topic: &str, key: &str) -> Vec<InboundRecord> {
        let mut records = self.records(topic).await;
        records.retain(|record| record.key.as_deref() == Some(key.as_bytes()));
        records
    }

    /// Waits until a topic holds an event of this type and key.
    pub(crate) async fn event(&self, topic: &str, key: &str, ce_type: &str) -> InboundRecord {
        eventually(async || {
            let records = self.records_of(topic, key).await;
            let of_type = |record: &&InboundRecord| record.header("ce_type") == Some(ce_type);
            let found = records.iter().find(of_type).cloned();
            found.ok_or_else(|| format!("{} records, no {ce_type}", records.len()))
        })
        .await
    }

    /// Waits until a dead-letter topic holds this many, and answers all that it holds.
    pub(crate) async fn letters(&self, topic: &str, count: usize) -> Vec<InboundRecord> {
        let topic = format!("{topic}.dlq");
        eventually(async || {
            let letters = self.records(&topic).await;
            if letters.len() >= count { Ok(letters) } else { Err(codes(&letters)) }
        })
        .await
    }

    /// Puts records in, in order; returns when the broker has them.
    pub(crate) async fn put(&self, records: &[Raw]) {
        let producer: FutureProducer = self.config().set("acks", "all").create().unwrap();
        for record in records {
            let topic = self.0.kafka.named(&record.topic);
            let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, header| {
                headers.insert(Header { key: &header.0, value: Some(&header.1) })
            });
            let mut message: FutureRecord<'_, [u8], [u8]> =
                FutureRecord::to(&topic).headers(headers);
            message.partition = record.partition;
            message.key = record.key.as_deref();
            message.payload = record.payload.as_deref();
            producer.send(message, ASK).await.unwrap();
        }
    }

    /// Where each partition of each topic of this test ends.
    pub(crate) async fn ends(&self) -> BTreeMap<(String, i32), i64> {
        let (config, prefix) = (self.config(), self.0.kafka.topic_prefix.clone());
        let asking = tokio::task::spawn_blocking(move || ends(&reader(&config), &prefix));
        asking.await.unwrap()
    }

    /// How many records each topic (name without prefix) of this test has; no empty ones.
    pub(crate) async fn counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for ((topic, _), end) in self.ends().await {
            let name = topic.trim_start_matches(&self.0.kafka.topic_prefix).to_owned();
            let count: &mut i64 = counts.entry(name).or_default();
            *count = count.saturating_add(end);
        }
        counts.retain(|_, count| *count > 0);
        counts
    }

    /// How many dead letters there are from each topic; no empty ones.
    pub(crate) async fn dead_letters(&self) -> BTreeMap<String, i64> {
        let counts = self.counts().await.into_iter();
        counts
            .filter_map(|(topic, count)| Some((topic.strip_suffix(".dlq")?.into(), count)))
            .collect()
    }

    /// Waits until every group of this test has read everything.
    pub(crate) async fn read_to_the_end(&self) {
        eventually(async || {
            let (config, prefix) = (self.config(), self.0.kafka.topic_prefix.clone());
            let asking = tokio::task::spawn_blocking(move || behind(&config, &prefix));
            let behind = asking.await.unwrap();
            if behind.is_empty() { Ok(()) } else { Err(behind) }
        })
        .await;
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.0.kafka.brokers);
        // Keys go where Java's and our own producers put them.
        config.set("partitioner", "murmur2_random");
        config
    }
}

/// A consumer that joins nothing.
fn reader(config: &ClientConfig) -> BaseConsumer {
    config.clone().set("group.id", "looks-on").create().unwrap()
}

fn ends(reader: &BaseConsumer, prefix: &str) -> BTreeMap<(String, i32), i64> {
    let metadata = reader.fetch_metadata(None, ASK).unwrap();
    let mut ends = BTreeMap::new();
    for topic in metadata.topics().iter().filter(|topic| topic.name().starts_with(prefix)) {
        for partition in topic.partitions() {
            let (_, end) = reader.fetch_watermarks(topic.name(), partition.id(), ASK).unwrap();
            ends.insert((topic.name().to_owned(), partition.id()), end);
        }
    }
    ends
}

/// Group, topic, partition, how far it is, and the end that it has not reached.
fn behind(config: &ClientConfig, prefix: &str) -> Vec<(String, String, i32, Offset, i64)> {
    let looker = reader(config);
    let ends = ends(&looker, prefix);
    let groups = looker.fetch_group_list(None, ASK).unwrap();
    let names = groups.groups().iter().map(|group| group.name().to_owned());
    let mut behind = Vec::new();
    for group in names.filter(|group| group.starts_with(prefix)) {
        let member: BaseConsumer = config.clone().set("group.id", &group).create().unwrap();
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in ends.keys() {
            asked.add_partition(topic, *partition);
        }
        let committed = member.committed_offsets(asked, ASK).unwrap();
        // A group reads a topic when it has ever got on in it.
        let read: Vec<String> = committed
            .elements()
            .iter()
            .filter(|at| at.offset() != Offset::Invalid)
            .map(|at| at.topic().to_owned())
            .collect();
        for at in committed.elements() {
            let key = (at.topic().to_owned(), at.partition());
            let end = ends[&key];
            let is_read = read.contains(&key.0);
            if is_read && end > 0 && at.offset() != Offset::Offset(end) {
                behind.push((group.clone(), key.0, key.1, at.offset(), end));
            }
        }
    }
    behind
}

/// The reasons of dead letters, in the order of their topic.
pub(crate) fn codes(letters: &[InboundRecord]) -> Vec<String> {
    letters.iter().map(|letter| letter.header("dlq_code").unwrap_or("?").to_owned()).collect()
}

/// A record as it was read, to be put in again.
pub(crate) fn again(record: &InboundRecord, prefix: &str) -> Raw {
    Raw {
        topic: record.from.topic.trim_start_matches(prefix).to_owned(),
        partition: Some(record.from.partition),
        key: record.key.clone(),
        headers: record.headers.clone(),
        payload: record.payload.clone(),
    }
}

/// An event as a context would publish it.
pub(crate) fn event(topic: &str, ce_type: &str, subject: &str, body: &serde_json::Value) -> Raw {
    let source = ce_type.split('.').nth(1).unwrap_or_default().replace('_', "-");
    let id = shared_kernel::application::Ids::ordered(&SystemIds).to_string();
    let time =
        shared_kernel::application::Clock::now(&shared_kernel::infrastructure::system::SystemClock);
    let headers = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", id),
        ("ce_type", ce_type.to_owned()),
        ("ce_source", format!("/codepix/{source}")),
        ("ce_time", time.to_string()),
        ("ce_subject", subject.to_owned()),
        ("ce_aggregateversion", "1".to_owned()),
        ("traceparent", TraceParent::begin(&SystemIds).as_str().to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    Raw {
        topic: topic.to_owned(),
        partition: None,
        key: Some(subject.as_bytes().to_vec()),
        headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).into(),
        payload: Some(body.to_string().into_bytes()),
    }
}
