//! A log in memory: partitions, a reader that a test disturbs, a writer that a test breaks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::log::{LogError, Position};
use shared_kernel::application::{
    InboundRecord, LogReader, LogWriter, OutboundRecord, Polled, TopicPartition,
};
use shared_kernel::domain::Timestamp;

/// One turn of the executor: where a test may drop what it drives.
pub(crate) async fn turn() {
    let mut turned = false;
    std::future::poll_fn(|context| {
        if turned {
            return Poll::Ready(());
        }
        turned = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) fn partition(number: i32) -> TopicPartition {
    TopicPartition { topic: "notes".into(), partition: number }
}

pub(crate) fn record(number: i32, offset: i64, text: &str) -> InboundRecord {
    InboundRecord {
        from: partition(number),
        offset,
        broker_time: Timestamp::EPOCH,
        key: None,
        headers: Vec::new(),
        payload: Some(text.as_bytes().to_vec()),
    }
}

pub(crate) fn text_of(record: &InboundRecord) -> String {
    String::from_utf8_lossy(record.payload.as_deref().unwrap_or_default()).into_owned()
}

/// What lies on the partitions, and what happened to those who read there.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) partitions: Mutex<BTreeMap<TopicPartition, Vec<String>>>,
    /// Polls that bring this instead of records.
    pub(crate) script: Mutex<VecDeque<Result<Polled, LogError>>>,
    /// Assignments that fail.
    pub(crate) refused_assignments: Mutex<usize>,
    /// Marks of transactions behind the last record of every partition.
    pub(crate) marks: AtomicI64,
    /// The group has a word for its member, which the next poll tells.
    pub(crate) word: AtomicBool,
    pub(crate) reported: Mutex<Vec<Position>>,
    pub(crate) closed: AtomicUsize,
}

impl Log {
    /// Partitions 0, 1, … with these records.
    pub(crate) fn of(partitions: &[&[&str]]) -> Arc<Self> {
        let log = Self::default();
        for (number, texts) in (0..).zip(partitions) {
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            log.partitions.lock().unwrap().insert(partition(number), texts);
        }
        Arc::new(log)
    }

    pub(crate) fn then(&self, polled: Result<Polled, LogError>) {
        self.script.lock().unwrap().push_back(polled);
    }

    pub(crate) fn reader(self: &Arc<Self>) -> Reader {
        Reader { log: Arc::clone(self), joined: false, at: BTreeMap::new() }
    }
}

/// A member that is given every partition at its first poll.
pub(crate) struct Reader {
    log: Arc<Log>,
    joined: bool,
    /// Next offset, and whether the end was told.
    at: BTreeMap<TopicPartition, (i64, bool)>,
}

#[async_trait]
impl LogReader for Reader {
    async fn cluster_id(&mut self) -> Result<String, LogError> {
        turn().await;
        Ok("cluster".into())
    }

    async fn poll(&mut self, limit: usize, _wait: Duration) -> Result<Polled, LogError> {
        turn().await;
        if !self.joined {
            self.joined = true;
            let partitions = self.log.partitions.lock().unwrap();
            return Ok(Polled::Assigned(partitions.keys().cloned().collect()));
        }
        if let Some(scripted) = self.log.script.lock().unwrap().pop_front() {
            return scripted;
        }
        let partitions = self.log.partitions.lock().unwrap();
        let (mut records, mut ends) = (Vec::new(), Vec::new());
        for (at, (next, told)) in &mut self.at {
            let texts = &partitions[at];
            while let Some(text) = texts.get(usize::try_from(*next).unwrap()) {
                if records.len() == limit {
                    break;
                }
                records.push(record(at.partition, *next, text));
                (*next, *told) = (next.saturating_add(1), false);
            }
            if usize::try_from(*next).unwrap() == texts.len() && !*told {
                *told = true;
                ends.push(at.clone());
            }
        }
        let nothing = records.is_empty() && ends.is_empty();
        Ok(if nothing { Polled::Nothing } else { Polled::Batch { records, ends } })
    }

    fn has_word(&self) -> bool {
        self.log.word.load(Ordering::SeqCst)
    }

    async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        turn().await;
        Ok(of.iter().map(|at| Position { at: at.clone(), next_offset: 0 }).collect())
    }

    async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        turn().await;
        let partitions = self.log.partitions.lock().unwrap();
        let end = |at: &TopicPartition| {
            let marks = self.log.marks.load(Ordering::SeqCst);
            let next_offset = i64::try_from(partitions[at].len()).unwrap();
            Position { at: at.clone(), next_offset: next_offset.saturating_add(marks) }
        };
        Ok(of.iter().map(end).collect())
    }

    async fn assign(&mut self, positions: &[Position]) -> Result<(), LogError> {
        turn().await;
        let mut refused = self.log.refused_assignments.lock().unwrap();
        if let Some(fewer) = refused.checked_sub(1) {
            *refused = fewer;
            return Err(LogError::Unavailable("not now".into()));
        }
        let positions = positions.iter();
        self.at = positions.map(|it| (it.at.clone(), (it.next_offset, false))).collect();
        Ok(())
    }

    async fn report(&mut self, positions: &[Position]) {
        *self.log.reported.lock().unwrap() = positions.to_vec();
    }

    async fn close(&mut self) {
        self.log.closed.fetch_add(1, Ordering::SeqCst);
    }
}

/// Takes records; fails as often as it is told, after it has taken some of them.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) written: Mutex<Vec<OutboundRecord>>,
    pub(crate) failures: Mutex<usize>,
    /// A text that is refused for ever, when all else is written.
    pub(crate) refused: Mutex<Option<String>>,
}

#[async_trait]
impl LogWriter for Writer {
    async fn write(&self, records: &[OutboundRecord]) -> Result<(), LogError> {
        let fails = {
            let mut failures = self.failures.lock().unwrap();
            let fails = *failures > 0;
            *failures = failures.saturating_sub(1);
            fails
        };
        let refused = self.refused.lock().unwrap().clone();
        let is_refused = |record: &OutboundRecord| {
            refused.as_ref().is_some_and(|text| record.payload.as_deref() == Some(text.as_bytes()))
        };
        for (at, record) in records.iter().enumerate() {
            turn().await;
            if is_refused(record) {
                continue;
            }
            if fails && at >= records.len() / 2 {
                return Err(LogError::Unavailable("the broker went away".into()));
            }
            self.written.lock().unwrap().push(record.clone());
        }
        turn().await;
        if records.iter().any(is_refused) {
            return Err(LogError::Fatal("it is too large".into()));
        }
        Ok(())
    }
}
