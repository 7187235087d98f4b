//! The line of hand-overs over a log that writes in transactions: each record leaves together with
//! a mark that names its transfer, on a topic that keeps the last record of each key. The mark is
//! what a later holder of the line finds when it does not know how a transaction ended.
//!
//! Cost: one transaction for a batch of any size; the marks are read only after a start or an
//! error, and are as many as hand-overs of which the row or the mark was not removed yet.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::log::{
    InboundRecord, LogError, LogReader, OutboundRecord, Polled, TopicPartition,
};
use shared_kernel::domain::EndToEndId;

use super::hand_over::{HandOver, Line, LineError};

/// Where each hand-over leaves its mark: the `EndToEndId` as key, a tombstone once the row is gone.
pub const DELIVERED: &str = "codepix.transfers.delivered";

/// Records of one poll, and how long one waits.
const MARKS_MAX: usize = 10_000;
const WAIT: Duration = Duration::from_millis(250);
/// Polls without a word after which reading the marks begins anew.
const SILENCE_MAX: u32 = 60;

/// A reader of one topic from outside any group, up to the ends that its partitions have when it
/// is opened, and these partitions.
pub type Scan = (Box<dyn LogReader>, Vec<TopicPartition>);

/// A log that takes records in transactions, of one holder at a time.
#[async_trait]
pub trait TransactionalLog: Send {
    /// Full name of a topic.
    fn named(&self, topic: &str) -> String;

    /// Becomes the holder: the transactions of a former one have ended, and it gets no more.
    ///
    /// # Errors
    /// [`LogError`]: nobody may hold it now.
    async fn take_over(&mut self) -> Result<(), LogError>;

    /// Writes all copies of all records in one transaction.
    ///
    /// # Errors
    /// [`LogError`]: the outcome is unknown, and it must be taken over again.
    async fn write(&mut self, records: Vec<OutboundRecord>) -> Result<(), LogError>;

    /// Opens a topic (name without prefix) to be read to its end; only what is committed is shown.
    ///
    /// # Errors
    /// [`LogError`] when the log does not answer.
    async fn scan(&mut self, topic: &str) -> Result<Scan, LogError>;
}

/// A line that leaves marks.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct MarkedLine(Box<dyn TransactionalLog>);

impl MarkedLine {
    /// A line that is not held yet.
    pub fn new(log: Box<dyn TransactionalLog>) -> Self {
        Self(log)
    }

    fn mark(&self, id: &EndToEndId, payload: Option<Vec<u8>>) -> OutboundRecord {
        OutboundRecord {
            topics: vec![self.0.named(DELIVERED)],
            key: Some(id.as_str().as_bytes().to_vec()),
            headers: Vec::new(),
            payload,
            time: None,
        }
    }

    fn record(&self, hand_over: &HandOver) -> OutboundRecord {
        OutboundRecord {
            topics: vec![self.0.named(&hand_over.topic)],
            key: Some(hand_over.key.clone().into_bytes()),
            headers: vec![("traceparent".to_owned(), hand_over.trace.clone().into_bytes())],
            payload: Some(hand_over.payload.clone().into_bytes()),
            time: None,
        }
    }

    async fn read_marks(&mut self) -> Result<BTreeSet<EndToEndId>, LogError> {
        let (mut scan, partitions) = self.0.scan(DELIVERED).await?;
        let beginnings = scan.beginnings(&partitions).await?;
        scan.assign(&beginnings).await?;
        // The first word of a scan only names its partitions.
        scan.poll(0, Duration::ZERO).await?;
        let (mut open, mut silence) = (partitions.len(), 0_u32);
        let mut marks = BTreeSet::new();
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
pub fn marked(record: &InboundRecord) -> Option<EndToEndId> {
    let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    key.and_then(|key| EndToEndId::parse(key).ok())
}

/// What a mark says, as JSON: an `EndToEndId` is letters and digits, and so needs no escape.
pub fn body_of(id: &EndToEndId) -> Vec<u8> {
    format!("{{\"end_to_end_id\":\"{id}\"}}").into_bytes()
}

/// The last word on a transfer counts.
fn take(marks: &mut BTreeSet<EndToEndId>, record: &InboundRecord) {
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
impl Line for MarkedLine {
    async fn take_over(&mut self) -> Result<(), LineError> {
        self.0.take_over().await.map_err(|error| broken(&error))
    }

    async fn marked(&mut self) -> Result<BTreeSet<EndToEndId>, LineError> {
        self.read_marks().await.map_err(|error| broken(&error))
    }

    async fn deliver(&mut self, batch: &[HandOver]) -> Result<(), LineError> {
        let records = batch.iter().flat_map(|hand_over| {
            let mark = self.mark(&hand_over.end_to_end_id, Some(body_of(&hand_over.end_to_end_id)));
            [self.record(hand_over), mark]
        });
        let records = records.collect();
        self.0.write(records).await.map_err(|error| broken(&error))
    }

    async fn erase(&mut self, ids: &[EndToEndId]) -> Result<(), LineError> {
        let tombstones = ids.iter().map(|id| self.mark(id, None)).collect();
        self.0.write(tombstones).await.map_err(|error| broken(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use futures::FutureExt as _;
    use shared_kernel::application::log::Position;
    use shared_kernel::domain::Timestamp;

    use super::*;
    use crate::domain::testing::order;

    fn place() -> TopicPartition {
        TopicPartition { topic: format!("test.{DELIVERED}"), partition: 0 }
    }

    fn id(number: u64) -> EndToEndId {
        order(number).end_to_end_id
    }

    fn mark(key: &str, is_there: bool) -> InboundRecord {
        InboundRecord {
            from: place(),
            offset: 0,
            broker_time: Timestamp::EPOCH,
            key: Some(key.as_bytes().to_vec()),
            headers: Vec::new(),
            payload: is_there.then(|| b"{}".to_vec()),
        }
    }

    /// Tells what it was given to tell, then nothing more.
    struct Script(VecDeque<Polled>);

    #[async_trait]
    impl LogReader for Script {
        async fn cluster_id(&mut self) -> Result<String, LogError> {
            Ok(String::new())
        }

        async fn poll(&mut self, _limit: usize, _wait: Duration) -> Result<Polled, LogError> {
            Ok(self.0.pop_front().unwrap_or(Polled::Nothing))
        }

        async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
            Ok(of.iter().map(|at| Position { at: at.clone(), next_offset: 0 }).collect())
        }

        async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
            self.beginnings(of).await
        }

        async fn assign(&mut self, _positions: &[Position]) -> Result<(), LogError> {
            Ok(())
        }

        async fn report(&mut self, _positions: &[Position]) {}

        async fn close(&mut self) {}
    }

    #[derive(Clone, Default)]
    struct Memory {
        script: Vec<Polled>,
        written: Arc<Mutex<Vec<Vec<OutboundRecord>>>>,
    }

    #[async_trait]
    impl TransactionalLog for Memory {
        fn named(&self, topic: &str) -> String {
            format!("test.{topic}")
        }

        async fn take_over(&mut self) -> Result<(), LogError> {
            Ok(())
        }

        async fn write(&mut self, records: Vec<OutboundRecord>) -> Result<(), LogError> {
            self.written.lock().unwrap().push(records);
            Ok(())
        }

        async fn scan(&mut self, topic: &str) -> Result<Scan, LogError> {
            assert_eq!(topic, DELIVERED);
            Ok((Box::new(Script(self.script.clone().into())), vec![place()]))
        }
    }

    fn marked(script: Vec<Polled>) -> Result<BTreeSet<EndToEndId>, LineError> {
        let memory = Memory { script, ..Memory::default() };
        MarkedLine::new(Box::new(memory)).marked().now_or_never().unwrap()
    }

    #[test]
    fn the_last_word_on_a_transfer_counts() {
        let (one, other) = (id(1), id(2));
        let first = vec![mark(one.as_str(), true), mark(other.as_str(), true), mark("E1", true)];
        let rest = vec![mark(one.as_str(), false)];
        let script = vec![
            Polled::Assigned(vec![place()]),
            Polled::Batch { records: first, ends: vec![] },
            Polled::Nothing,
            Polled::Batch { records: rest, ends: vec![place()] },
        ];
        assert_eq!(marked(script), Ok(BTreeSet::from([other])));
    }

    #[test]
    fn marks_that_cannot_be_read_to_their_end_are_not_taken_for_none() {
        assert!(marked(vec![Polled::Assigned(vec![place()])]).is_err());
    }

    #[test]
    fn a_hand_over_leaves_with_its_mark_and_the_mark_goes_by_a_tombstone() {
        let memory = Memory::default();
        let mut line = MarkedLine::new(Box::new(memory.clone()));
        let hand_over = HandOver {
            end_to_end_id: id(1),
            topic: "bank002".into(),
            key: "key".into(),
            payload: "{}".into(),
            trace: "trace".into(),
        };
        line.deliver(&[hand_over]).now_or_never().unwrap().unwrap();
        line.erase(&[id(1)]).now_or_never().unwrap().unwrap();
        let written = memory.written.lock().unwrap();
        let of = |it: &OutboundRecord| (it.topics.concat(), it.key.clone(), it.payload.clone());
        let written: Vec<Vec<_>> = written.iter().map(|it| it.iter().map(of).collect()).collect();
        let body = || Some(b"{}".to_vec());
        let mark = |payload| (place().topic, Some(id(1).as_str().as_bytes().to_vec()), payload);
        let record = ("test.bank002".to_owned(), Some(b"key".to_vec()), body());
        let said = mark(Some(body_of(&id(1))));
        assert_eq!(written, [vec![record, said], vec![mark(None)]]);
    }
}
