//! What one poll has gathered so far, and when it is enough.

use crate::application::log::{InboundRecord, Polled, TopicPartition};

/// Bytes of records after which a poll ends: a batch is held several times over, as records, as
/// events and as the row of the outbox. The last record may go beyond.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Records and ends of one poll.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    records: Vec<InboundRecord>,
    ends: Vec<TopicPartition>,
    bytes: usize,
}

impl Gathered {
    /// The next record; an end of its partition that came before says nothing any more.
    pub(super) fn record(&mut self, record: InboundRecord) {
        self.ends.retain(|end| *end != record.from);
        self.bytes = self.bytes.saturating_add(record.bytes());
        self.records.push(record);
    }

    /// A partition that has nothing after what was gathered.
    pub(super) fn end(&mut self, partition: TopicPartition) {
        self.ends.push(partition);
    }

    /// Whether it holds no record.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether it holds `limit` records, or as many bytes as a batch may.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        self.records.len() >= limit || self.bytes >= BATCH_BYTES_MAX
    }

    /// The batch.
    pub(super) fn into_polled(self) -> Polled {
        Polled::Batch { records: self.records, ends: self.ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    /// A record of 20 bytes more than its payload.
    fn record(partition: i32, payload: usize) -> InboundRecord {
        InboundRecord {
            from: TopicPartition { topic: "t".into(), partition },
            offset: 0,
            broker_time: Timestamp::EPOCH,
            key: Some(vec![0; 10]),
            headers: vec![("name".into(), vec![0; 6])],
            payload: Some(vec![0; payload]),
        }
    }

    #[test]
    fn a_poll_ends_with_its_records_or_with_their_bytes() {
        let mut small = Gathered::default();
        small.record(record(0, 100));
        assert!(!small.is_full(2));
        small.record(record(0, 100));
        assert!(small.is_full(2) && !small.is_full(3));

        let mut large = Gathered::default();
        for _ in 0..4 {
            assert!(!large.is_full(1_000));
            large.record(record(0, 1_048_556));
        }
        assert!(large.is_full(1_000), "four of a mebibyte, keys and headers counted");
    }

    #[test]
    fn an_end_is_told_only_when_nothing_came_after_it() {
        let mut gathered = Gathered::default();
        let (first, second) = (record(0, 100), record(1, 100));
        gathered.end(first.from.clone());
        gathered.end(second.from.clone());
        gathered.record(first);
        let Polled::Batch { ends, .. } = gathered.into_polled() else { panic!() };
        assert_eq!(ends, [second.from]);
    }
}
