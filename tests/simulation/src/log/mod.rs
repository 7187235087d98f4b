//! A log in memory: topics with partitions, order within a partition and nowhere else, groups
//! that rebalance, members that are expelled while they stand still and read on as zombies.

mod committed;
mod groups;
mod line;
mod reader;
mod topics;
mod transactions;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use shared_kernel::application::log::{InboundRecord, OutboundRecord, TopicPartition};
use shared_kernel::application::outbox::shard_of;
use shared_kernel::application::{Clock as _, dead_letter};
use shared_kernel::domain::{EndToEndId, Timestamp};

use crate::executor::NodeId;
use crate::planted::Bug;
use crate::programs;
use crate::workload::MARK;
use crate::world::{MachineClock, World};
use groups::Group;
use transactions::{Seen, TransactionNumber, Transactions};

pub(crate) use committed::Shown;
pub(crate) use line::HandOverLine;
pub(crate) use reader::Reader;
pub(crate) use topics::{Places, Topics};
pub(crate) use writer::Writer;

/// A place in the log: the record there has this offset in the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) partition: TopicPartition,
    offset: i64,
}

impl Display for At {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

/// Where a record is, for the story; nonsense has its number.
pub(crate) fn place(record: &InboundRecord) -> String {
    let at = At { partition: record.from.clone(), offset: record.offset };
    match record.header(MARK) {
        Some(number) => format!("nonsense {number} ({at})"),
        None => at.to_string(),
    }
}

/// A record in a few words: what is said, and of whom. Nonsense is told by its number.
pub(crate) fn words(headers: &[(String, Vec<u8>)], payload: Option<&[u8]>) -> String {
    let header = |name: &str| {
        let found = headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    let nonsense = header(MARK).map(|number| format!("nonsense {number}: ")).unwrap_or_default();
    let Some(event) = header("ce_type") else {
        let said = programs::words(payload).unwrap_or_else(|| "something without a name".into());
        return format!("{nonsense}{said}");
    };
    let event = event.trim_end_matches(".v1").rsplit('.').next().unwrap_or_default();
    format!("{nonsense}{event} {}", header("ce_subject").unwrap_or_default())
}

/// A record with the true time at which it was appended.
#[derive(Clone)]
struct Kept {
    record: Arc<InboundRecord>,
    appended_at: u64,
    /// The transaction of the log that it was written in.
    transaction: Option<TransactionNumber>,
    /// No record, but the end of a transaction: it takes an offset.
    is_marker: bool,
}

#[derive(Default)]
struct State {
    topics: BTreeMap<String, Vec<Vec<Kept>>>,
    /// How many records of a partition somebody was shown or told of: no end falls behind that.
    in_sync: BTreeMap<TopicPartition, usize>,
    transactions: Transactions,
    groups: BTreeMap<String, Group>,
    members: u64,
    is_down: bool,
    /// Records that nobody can write before a time, by their hashes.
    refused: BTreeMap<u64, u64>,
    /// How long before its deadline an acceptance is taken, where that is decided.
    tardy: BTreeMap<EndToEndId, Option<Duration>>,
    /// Processes whose line to the broker is dead without a word.
    cut_off: BTreeSet<NodeId>,
    changes: u64,
    waiting: Vec<Waker>,
}

/// The log.
pub(crate) struct Log {
    world: Arc<World>,
    clock: MachineClock,
    state: Mutex<State>,
}

impl Log {
    pub(crate) fn new(world: &Arc<World>) -> Arc<Self> {
        let clock = MachineClock::new(world);
        Arc::new(Self { world: Arc::clone(world), clock, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The broker's own clock.
    pub(crate) fn clock(&self) -> &MachineClock {
        &self.clock
    }

    fn wake(&self) {
        let waiting = {
            let mut state = self.state();
            state.changes += 1;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Returns once something changed since `seen`.
    async fn changed(&self, seen: u64) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.changes != seen {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Nobody can write or read until [`Self::up`].
    pub(crate) fn down(&self) {
        self.state().is_down = true;
        self.wake();
    }

    pub(crate) fn up(&self) {
        self.state().is_down = false;
        self.wake();
    }

    /// The line of a process is dead from now on: nothing comes, nothing goes, nobody says so.
    pub(crate) fn cut_off(&self, node: NodeId) {
        self.state().cut_off.insert(node);
    }

    /// The line of a process works again.
    pub(crate) fn reconnect(&self, node: NodeId) {
        self.state().cut_off.remove(&node);
        self.wake();
    }

    fn is_cut_off(&self, node: NodeId) -> bool {
        self.state().cut_off.contains(&node)
    }

    /// Makes a topic and its dead-letter topic, unless they are there.
    pub(crate) fn create(self: &Arc<Self>, topic: &str, partitions: i32) {
        let partitions = usize::try_from(partitions).unwrap_or(1).max(1);
        {
            let mut state = self.state();
            if state.topics.contains_key(topic) {
                return;
            }
            state.topics.insert(topic.to_owned(), vec![Vec::new(); partitions]);
            let letters = format!("{topic}{}", dead_letter::SUFFIX);
            state.topics.insert(letters, vec![Vec::new(); partitions]);
        }
        self.found(topic);
    }

    /// Whether the record is refused now, as one that the log will never take: too large, until
    /// somebody allows more.
    fn refuses(&self, record: &OutboundRecord, times: u32) -> bool {
        let (world, now) = (&self.world, self.world.executor.now());
        if !world.is_faulty() {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        (&record.key, &record.headers, &record.payload).hash(&mut hasher);
        let until = self.state().refused.get(&hasher.finish()).copied();
        if until.is_none() && world.unlucky(times) {
            let most = world.chance.one_of(&[1, 10, 60, 150]).unwrap_or(1);
            let time = world.chance.time(Duration::from_millis(200), Duration::from_secs(most));
            let until = now + u64::try_from(time.as_micros()).unwrap_or(0);
            self.state().refused.insert(hasher.finish(), until);
            return true;
        }
        until.is_some_and(|until| now < until)
    }

    /// The partition that a key belongs to.
    fn partition_of(&self, topic: &str, record: &OutboundRecord) -> Option<(usize, Timestamp)> {
        let state = self.state();
        let count = u16::try_from(state.topics.get(topic)?.len()).unwrap_or(1);
        let place = match &record.key {
            Some(key) if !self.world.has(Bug::UnkeyedRecords) => shard_of(key, count),
            Some(_) | None => u16::try_from(self.world.chance.below(u64::from(count))).unwrap_or(0),
        };
        drop(state);
        let now = self.clock.now();
        Some((usize::from(place), Timestamp::from_millis(now.millis()).unwrap_or(now)))
    }

    /// Appends one record. `None` when there is no such topic, or the broker is away.
    pub(crate) fn append(&self, topic: &str, record: &OutboundRecord) -> Option<At> {
        self.append_as(topic, record, None)
    }

    fn append_as(
        &self,
        topic: &str,
        record: &OutboundRecord,
        transaction: Option<TransactionNumber>,
    ) -> Option<At> {
        let (place, broker_time) = self.partition_of(topic, record)?;
        let partition = i32::try_from(place).unwrap_or(0);
        let from = TopicPartition { topic: topic.to_owned(), partition };
        let offset = {
            let appended_at = self.world.executor.now();
            let mut state = self.state();
            if state.is_down {
                return None;
            }
            let records = state.topics.get_mut(topic)?.get_mut(place)?;
            let offset = i64::try_from(records.len()).unwrap_or(i64::MAX);
            let record = InboundRecord {
                from: from.clone(),
                offset,
                broker_time,
                key: record.key.clone(),
                headers: record.headers.clone(),
                payload: record.payload.clone(),
            };
            self.world.oracle().heard(&record);
            let record = Arc::new(record);
            records.push(Kept { record, appended_at, transaction, is_marker: false });
            offset
        };
        self.wake();
        Some(At { partition: from, offset })
    }

    /// Every committed record of the topics whose names `is_wanted` accepts, from outside the
    /// simulation.
    pub(crate) fn all(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Arc<InboundRecord>> {
        let state = self.state();
        let topics = state.topics.iter().filter(|(name, _)| is_wanted(name));
        let records = topics.flat_map(|(_, partitions)| partitions.iter().flatten());
        let records = records.filter(|kept| state.transactions.seen(kept) == Seen::Committed);
        records.map(|kept| Arc::clone(&kept.record)).collect()
    }

    /// The ends of all partitions that a group reads: topic, partition, offset behind the last.
    pub(crate) fn ends(&self) -> Vec<(String, TopicPartition, i64)> {
        let state = self.state();
        let mut ends = Vec::new();
        for (name, group) in &state.groups {
            for (topic, partitions) in &state.topics {
                if !group.reads(topic) {
                    continue;
                }
                for (partition, records) in (0..).zip(partitions) {
                    let at = TopicPartition { topic: topic.clone(), partition };
                    let end = i64::try_from(records.len()).unwrap_or(i64::MAX);
                    ends.push((name.clone(), at, end));
                }
            }
        }
        ends
    }
}
