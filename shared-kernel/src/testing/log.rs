//! The log of a test: topics, records in, records out, and a consumer that the test drives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::{Offset, TopicPartitionList};

use crate::application::consumer::{BatchHandler, Consumer, ConsumerPorts, ConsumerSettings};
use crate::application::envelope::CloudEvent;
use crate::application::log::{InboundRecord, LogReader, LogWriter, OutboundRecord};
use crate::application::observer::Silent;
use crate::application::stop::{StopHandle, stop_pair};
use crate::application::trace::TraceParent;
use crate::application::{Clock, Ids, Progress};
use crate::infrastructure::context::ContextSettings;
use crate::infrastructure::grpc::Callers;

use crate::infrastructure::kafka::{
    KafkaReader, KafkaWriter, Retention, TopicPlan, ensure_topics, inbound,
};
use crate::infrastructure::postgres::DatabaseSettings;
use crate::infrastructure::postgres::session::Sessions;
use crate::infrastructure::system::{SystemClock, SystemIds};
use crate::testing::TestServers;

/// How long one answer of the broker may take.
const ASK: Duration = Duration::from_secs(10);

/// Settings to start a whole context with, and the handles that stop it.
#[derive(Debug)]
pub struct TestContext {
    /// For the context's `start`.
    pub settings: ContextSettings,
    /// Ends consumers, commands and sweepers.
    pub stop_work: StopHandle,
    /// Ends relays.
    pub stop_relays: StopHandle,
}

/// An event as another context would publish it.
#[derive(Clone, Debug)]
pub struct ForeignEvent {
    /// `ce_type`.
    pub event_type: &'static str,
    /// `ce_source`.
    pub source: &'static str,
    /// `ce_subject` and record key.
    pub subject: String,
    /// `ce_aggregateversion`.
    pub version: i64,
    /// JSON body.
    pub payload: String,
}

#[expect(clippy::expect_used, reason = "a test without its servers has failed")]
impl TestServers {
    /// Creates topics (names without prefix) of `partitions` each, with their dead-letter topics.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn create_topics(&self, names: &[&str], partitions: i32) {
        let plan = |name: &&str| TopicPlan::new(*name, Retention::Forever).partitions(partitions);
        let plans: Vec<TopicPlan> = names.iter().map(plan).collect();
        ensure_topics(&self.kafka, &plans).await.expect("the topics of the test");
    }

    /// Deletes what is before `offset` in a partition of `topic` (name without prefix), as
    /// retention does.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let admin: Result<AdminClient<DefaultClientContext>, KafkaError> =
            self.kafka.client(&[]).create();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.kafka.named(topic), partition, Offset::Offset(offset))
            .expect("an offset");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let deleted = admin.expect("an admin").delete_records(&list, &options).await;
        deleted.map(drop).expect("records are deleted");
    }

    /// A producer.
    ///
    /// # Panics
    /// When librdkafka refuses its settings.
    pub fn writer(&self) -> Arc<KafkaWriter> {
        Arc::new(KafkaWriter::new(&self.kafka).expect("a producer"))
    }

    /// An event of another context, ready to be written to `topic` (name without prefix).
    pub fn foreign(&self, topic: &str, event: ForeignEvent) -> OutboundRecord {
        let now = SystemClock.now();
        let envelope = CloudEvent {
            id: SystemIds.ordered(),
            event_type: event.event_type,
            source: event.source,
            at: now,
            subject: &event.subject,
            aggregate_version: event.version,
            trace: &TraceParent::begin(&SystemIds),
        };
        OutboundRecord {
            topics: vec![self.kafka.named(topic)],
            headers: envelope.headers(),
            key: Some(event.subject.into_bytes()),
            payload: Some(event.payload.into_bytes()),
            time: Some(now),
        }
    }

    /// Writes records; returns when the broker has them.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn write(&self, records: &[OutboundRecord]) {
        self.writer().write(records).await.expect("the broker takes the records");
    }

    /// Everything that a topic (name without prefix) holds now, partition by partition.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn read_all(&self, topic: &str) -> Vec<InboundRecord> {
        let (settings, topic) = (self.kafka.clone(), self.kafka.named(topic));
        let reading = tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = settings
                .client(&[("group.id", "reads-all"), ("enable.partition.eof", "true")])
                .create()
                .expect("a consumer");
            read_to_end(&consumer, &topic)
        });
        reading.await.expect("the topic is read")
    }

    /// A consumer of one topic (name without prefix) that the test drives step by step.
    ///
    /// # Panics
    /// When librdkafka refuses its settings.
    pub fn consumer<H: BatchHandler>(
        &self,
        group: &str,
        topic: &str,
        sessions: &Sessions,
        handler: Arc<H>,
    ) -> (Consumer<H>, Arc<Progress>) {
        let group = self.kafka.named(group);
        let reader = KafkaReader::join(&self.kafka, &group, &[self.kafka.named(topic)]);
        let reader: Box<dyn LogReader> = Box::new(reader.expect("a group member"));
        let progress = Arc::new(Progress::default());
        let ports = ConsumerPorts {
            reader,
            offsets: Arc::new(sessions.clone()),
            clock: Arc::clone(&sessions.clock),
            observer: Arc::new(Silent),
            progress: Arc::clone(&progress),
        };
        (Consumer::new(ConsumerSettings::new(group), ports, handler), progress)
    }

    /// Settings for a context's `start` on these servers.
    pub fn context(&self) -> TestContext {
        let (stop_work, work) = stop_pair();
        let (stop_relays, relays) = stop_pair();
        let settings = ContextSettings {
            database: DatabaseSettings { url: self.database_url.clone(), connections_max: 8 },
            kafka: self.kafka.clone(),
            writer: self.writer(),
            callers: Arc::new(Callers::default()),
            outbox_shards: 1,
            stop_work: work,
            stop_relays: relays,
        };
        TestContext { settings, stop_work, stop_relays }
    }
}

/// Where a partition begins and ends. One that was made a moment ago may have no leader yet.
#[expect(clippy::expect_used, reason = "a test without its servers has failed")]
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    let mut polls = 0..100;
    loop {
        let answer = consumer.fetch_watermarks(topic, partition, ASK);
        if answer.is_ok() || polls.next().is_none() {
            break answer.expect("watermarks");
        }
        consumer.poll(Duration::from_millis(100));
    }
}

#[expect(clippy::expect_used, reason = "a test without its servers has failed")]
fn read_to_end(consumer: &BaseConsumer, topic: &str) -> Vec<InboundRecord> {
    let metadata = consumer.fetch_metadata(Some(topic), ASK).expect("metadata");
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    let mut list = TopicPartitionList::new();
    let mut open = BTreeMap::new();
    for partition in partitions.map(MetadataPartition::id) {
        let (low, high) = watermarks(consumer, topic, partition);
        if low < high {
            list.add_partition_offset(topic, partition, Offset::Offset(low)).expect("an offset");
            open.insert(partition, high);
        }
    }
    consumer.assign(&list).expect("an assignment");
    let mut records: Vec<InboundRecord> = Vec::new();
    // The client may answer a poll with nothing before its time is over.
    let mut polls = 0..100;
    while !open.is_empty() {
        polls.next().expect("the records in time");
        let Some(message) = consumer.poll(Duration::from_secs(1)) else { continue };
        let message = match message {
            // The end behind the mark of a transaction, which no record ever reaches.
            Err(KafkaError::PartitionEOF(partition)) => {
                open.remove(&partition);
                continue;
            }
            message => message.expect("no error"),
        };
        let record = inbound(&message);
        polls = 0..100;
        let next = record.offset.saturating_add(1);
        open.retain(|partition, high| *partition != record.from.partition || next < *high);
        records.push(record);
    }
    records.sort_by_key(|record| (record.from.partition, record.offset));
    records
}
