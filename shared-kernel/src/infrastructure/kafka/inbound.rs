//! What librdkafka hands over, as a record.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rdkafka::message::{BorrowedMessage, Headers, Message};

use crate::application::log::{InboundRecord, TopicPartition, UNREADABLE_HEADER};
use crate::domain::Timestamp;

/// A message as a record of ours. Whatever a sender wrote, there is one.
pub fn inbound(message: &BorrowedMessage<'_>) -> InboundRecord {
    let millis = message.timestamp().to_millis().unwrap_or_default();
    InboundRecord {
        from: TopicPartition { topic: message.topic().to_owned(), partition: message.partition() },
        offset: message.offset(),
        broker_time: Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH),
        key: message.key().map(<[u8]>::to_vec),
        headers: message.headers().map_or_else(Vec::new, headers),
        payload: message.payload().map(<[u8]>::to_vec),
    }
}

/// The headers, in order. Kafka takes any bytes as the name of one; the driver panics at a name
/// that is no UTF-8, so each is read by itself and such a one is replaced by a mark. The panic
/// unwinds through nothing that holds a state; all that is left of it is a line on stderr.
fn headers(read: &impl Headers) -> Vec<(String, Vec<u8>)> {
    let header = |index| {
        let header = catch_unwind(AssertUnwindSafe(|| read.try_get(index)));
        let Ok(header) = header else { return Some((UNREADABLE_HEADER.to_owned(), Vec::new())) };
        header.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
    };
    (0..read.count()).filter_map(header).collect()
}
