//! The line of hand-overs over Kafka: records and their marks in one transaction, marks read from a
//! compacted topic.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::catalogue::{Event as _, Reader};
use shared_kernel::application::log::{LogError, LogReader, Polled};
use shared_kernel::application::{InboundRecord, OutboundRecord, Unreadable};
use shared_kernel::domain::EndToEndId;
use shared_kernel::infrastructure::kafka::{
    KafkaScan, KafkaSettings, TopicPlan, TransactionalWriter, extents,
};

use super::super::NAME;
use super::published::{DELIVERED, HandOverMarked};
use crate::application::hand_over::{HandOver, Line, LineError};

/// Records of one poll, and how long one waits.
const MARKS_MAX: usize = 10_000;
const WAIT: Duration = Duration::from_millis(250);
/// Polls without a word after which reading the marks begins anew.
const SILENCE_MAX: u32 = 60;

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

/// The line of one shard.
#[derive(Debug)]
pub struct KafkaLine {
    settings: KafkaSettings,
    writer: TransactionalWriter,
}

impl KafkaLine {
    /// A line that is not held yet.
    pub fn new(settings: &KafkaSettings, shard: u16) -> Self {
        let id = format!("codepix.transfers.hand-over-{shard}");
        Self { settings: settings.clone(), writer: TransactionalWriter::new(settings.clone(), &id) }
    }

    fn mark(&self, id: &EndToEndId, payload: Option<Vec<u8>>) -> OutboundRecord {
        OutboundRecord {
            topics: vec![self.settings.named(DELIVERED.address)],
            key: Some(id.as_str().as_bytes().to_vec()),
            headers: Vec::new(),
            payload,
            time: None,
        }
    }

    fn record(&self, hand_over: &HandOver) -> OutboundRecord {
        OutboundRecord {
            topics: vec![self.settings.named(&hand_over.topic)],
            key: Some(hand_over.key.clone().into_bytes()),
            headers: vec![("traceparent".to_owned(), hand_over.trace.clone().into_bytes())],
            payload: Some(hand_over.payload.clone().into_bytes()),
            time: None,
        }
    }

    async fn read_marks(&self) -> Result<HashSet<EndToEndId>, LogError> {
        let ends: BTreeMap<_, _> = extents(&self.settings, DELIVERED.address)
            .await?
            .into_iter()
            .map(|extent| (extent.at, extent.high))
            .collect();
        let mut scan = KafkaScan::new(&self.settings, ends.clone())?;
        let partitions: Vec<_> = ends.keys().cloned().collect();
        let beginnings = scan.beginnings(&partitions).await?;
        scan.assign(&beginnings).await?;
        // The first word of a scan only names its partitions.
        scan.poll(0, Duration::ZERO).await?;
        let (mut open, mut silence) = (ends.len(), 0_u32);
        let mut marks = HashSet::new();
        while open > 0 {
            match scan.poll(MARKS_MAX, WAIT).await? {
                Polled::Batch { records, ends } => {
                    silence = 0;
                    for record in &records {
                        take(&mut marks, record);
                    }
                    open = open.saturating_sub(ends.len());
                }
                Polled::Nothing | Polled::Assigned(_) | Polled::Revoked => {
                    silence = silence.saturating_add(1);
                    if silence > SILENCE_MAX {
                        return Err(LogError::Unavailable("the marks cannot be read".into()));
                    }
                }
            }
        }
        scan.close().await;
        Ok(marks)
    }
}

/// The transfer that a mark is about.
fn marked(record: &InboundRecord) -> Option<EndToEndId> {
    let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    key.and_then(|key| EndToEndId::parse(key).ok())
}

/// The last word on a transfer counts.
fn take(marks: &mut HashSet<EndToEndId>, record: &InboundRecord) {
    let Some(id) = marked(record) else {
        tracing::error!(from = %record.from, offset = record.offset, "a mark names no transfer");
        return;
    };
    if record.payload.is_some() {
        marks.insert(id);
    } else {
        marks.remove(&id);
    }
}

fn broken(error: &LogError) -> LineError {
    LineError(error.to_string())
}

#[async_trait]
impl Line for KafkaLine {
    async fn take_over(&mut self) -> Result<(), LineError> {
        self.writer.take_over().await.map_err(|error| broken(&error))
    }

    async fn marked(&mut self) -> Result<HashSet<EndToEndId>, LineError> {
        self.read_marks().await.map_err(|error| broken(&error))
    }

    async fn deliver(&mut self, batch: &[HandOver]) -> Result<(), LineError> {
        let mut records = Vec::with_capacity(batch.len().saturating_mul(2));
        for hand_over in batch {
            let end_to_end_id = &hand_over.end_to_end_id;
            let body = serde_json::to_vec(&HandOverMarked { end_to_end_id });
            let body = body.map_err(|error| LineError(error.to_string()))?;
            records.extend([self.record(hand_over), self.mark(end_to_end_id, Some(body))]);
        }
        self.writer.write(records).await.map_err(|error| broken(&error))
    }

    async fn erase(&mut self, ids: &[EndToEndId]) -> Result<(), LineError> {
        let tombstones = ids.iter().map(|id| self.mark(id, None)).collect();
        self.writer.write(tombstones).await.map_err(|error| broken(&error))
    }
}
