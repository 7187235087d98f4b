//! A message that can never succeed: set aside with its reason, found again, redriven.

use crate::application::cut::{Content, shortened};
use crate::application::log::{InboundRecord, OutboundRecord};
use crate::domain::Timestamp;

/// Bytes of the longest reason: it may quote what a sender wrote.
pub const REASON_BYTES_MAX: usize = 1_024;

/// Suffix of a dead-letter topic.
pub const SUFFIX: &str = ".dlq";

/// Names of the headers that a dead letter adds to the original ones.
pub mod header {
    /// Consumer that gave up.
    pub const CONSUMER: &str = "dlq_consumer";
    /// Stable code of the reason.
    pub const CODE: &str = "dlq_code";
    /// The reason as a sentence.
    pub const REASON: &str = "dlq_reason";
    /// Topic it was read from.
    pub const TOPIC: &str = "dlq_origin_topic";
    /// Partition it was read from.
    pub const PARTITION: &str = "dlq_origin_partition";
    /// Offset it was read at.
    pub const OFFSET: &str = "dlq_origin_offset";
    /// Time of the original record.
    pub const TIME: &str = "dlq_origin_time";
    /// When the consumer gave up.
    pub const FAILED_AT: &str = "dlq_failed_at";
    /// Prefix of all of them.
    pub const PREFIX: &str = "dlq_";
}

/// A record that a consumer gave up on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The record as it was read.
    pub record: InboundRecord,
    /// Consumer that gave up.
    pub consumer: String,
    /// Stable code of the reason.
    pub code: String,
    /// The reason as a sentence, causes included; at most [`REASON_BYTES_MAX`].
    pub reason: String,
}

impl DeadLetter {
    /// The letter of `record`; a longer reason is cut.
    pub fn new(record: InboundRecord, consumer: &str, code: &str, reason: &str) -> Self {
        Self {
            record,
            consumer: consumer.to_owned(),
            code: code.to_owned(),
            reason: shortened(reason, REASON_BYTES_MAX),
        }
    }

    /// The record for `<topic>.dlq`: key, body and headers as they were, or as much of them as
    /// fits, then the reason.
    pub fn into_record(self, failed_at: Timestamp) -> OutboundRecord {
        let Self { record, consumer, code, reason } = self;
        let own = |(name, _): &(String, Vec<u8>)| !name.starts_with(header::PREFIX);
        let headers = record.headers.into_iter().filter(own).collect();
        let content = Content { key: record.key, headers, payload: record.payload };
        let Content { key, mut headers, payload } = content.fitted();
        headers.extend(
            [
                (header::CONSUMER, consumer),
                (header::CODE, code),
                (header::REASON, reason),
                (header::TOPIC, record.from.topic.clone()),
                (header::PARTITION, record.from.partition.to_string()),
                (header::OFFSET, record.offset.to_string()),
                (header::TIME, record.broker_time.to_string()),
                (header::FAILED_AT, failed_at.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value.into_bytes())),
        );
        OutboundRecord {
            topics: vec![format!("{}{SUFFIX}", record.from.topic)],
            key,
            headers,
            payload,
            // Its age counts from here: an old record is kept as long as any other.
            time: Some(failed_at),
        }
    }
}
