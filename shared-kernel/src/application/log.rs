//! The log as ports: partitions, at-least-once delivery, order only within a partition.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TopicPartition {
    /// Full topic name, prefix included.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]", self.topic, self.partition)
    }
}

/// A place in a partition: the offset of the next record to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Where.
    pub at: TopicPartition,
    /// Offset of the next record.
    pub next_offset: i64,
}

/// Stands in a record for a header whose name is no text: such a record is no event.
pub const UNREADABLE_HEADER: &str = "header_unreadable";

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundRecord {
    /// Where it was read.
    pub from: TopicPartition,
    /// Its offset there.
    pub offset: i64,
    /// The record's time: the broker's own on our topics (`LogAppendTime`).
    pub broker_time: Timestamp,
    /// Record key, if any.
    pub key: Option<Vec<u8>>,
    /// Headers in order; a repeated name is allowed by Kafka.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Record value; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}

impl InboundRecord {
    /// What it weighs: key, headers and payload.
    pub fn bytes(&self) -> usize {
        let length = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        let headers =
            self.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        headers.fold(length(&self.key).saturating_add(length(&self.payload)), usize::saturating_add)
    }

    /// The first header of that name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// A record to be written, with its copies: the same bytes on each topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundRecord {
    /// Full topic names, prefix included; one copy each.
    pub topics: Vec<String>,
    /// Record key.
    pub key: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Record value.
    pub payload: Option<Vec<u8>>,
    /// Record time, where the topic keeps the producer's (`CreateTime`).
    pub time: Option<Timestamp>,
}

/// The log cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// May pass: try again.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// Will not pass: a person must look (e.g. an offset that no longer exists).
    #[error("{0}")]
    Fatal(String),
}

/// What one poll of the log brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// These partitions are this reader's from now on; it must call [`LogReader::assign`].
    Assigned(Vec<TopicPartition>),
    /// All partitions were taken away.
    Revoked,
    /// Records in order per partition, then the partitions whose end was reached after them.
    Batch {
        /// The records; may be empty when only ends were reached.
        records: Vec<InboundRecord>,
        /// Partitions that have nothing after those records.
        ends: Vec<TopicPartition>,
    },
    /// Nothing happened within the wait.
    Nothing,
}

/// A member of a consumer group. Offsets are the caller's business: it says where to read.
#[async_trait]
pub trait LogReader: Send {
    /// Identity of the cluster: stored beside offsets, which mean nothing on another.
    async fn cluster_id(&mut self) -> Result<String, LogError>;

    /// Waits up to `wait` for something, then takes what is there, at most `limit` records; a
    /// reader ends a batch of large ones before that.
    async fn poll(&mut self, limit: usize, wait: Duration) -> Result<Polled, LogError>;

    /// Whether the group has said something that the next poll will tell: what was assigned
    /// before may not stand any more.
    fn has_word(&self) -> bool {
        false
    }

    /// First offset that exists in each partition.
    async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError>;

    /// The offset after the last record of each partition, as the broker says now.
    async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError>;

    /// Reads on from these positions, and only there.
    async fn assign(&mut self, positions: &[Position]) -> Result<(), LogError>;

    /// Tells the broker how far this group is: for lag monitoring, nothing depends on it.
    async fn report(&mut self, positions: &[Position]);

    /// Leaves the group.
    async fn close(&mut self);
}

/// Writes records; every copy is acknowledged by all in-sync replicas before it returns.
#[async_trait]
pub trait LogWriter: Send + Sync {
    /// Writes all copies of all records, in order per key. On an error any part of them may
    /// have been written: the caller sends all of them again.
    ///
    /// # Errors
    /// [`LogError::Fatal`] names a record that the log will never take, such as one too large.
    async fn write(&self, records: &[OutboundRecord]) -> Result<(), LogError>;
}
