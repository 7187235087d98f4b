//! A member of a group reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::select;
use shared_kernel::application::log::{InboundRecord, LogError, Polled, Position, TopicPartition};
use shared_kernel::application::{Clock as _, LogReader};

use super::Log;
use crate::executor::NodeId;
use crate::planted::Bug;

/// The newest records may be shown this much later.
const LAG_MAX: Duration = Duration::from_millis(400);

/// What comes before the answer to a question.
const ASKS: &str = "before the log answers";

#[derive(Clone, Copy)]
struct Place {
    next: i64,
    was_at_end: bool,
    /// Of this record it was told that it is shown late.
    late: Option<i64>,
}

/// A member of a group.
pub(crate) struct Reader {
    log: Arc<Log>,
    node: NodeId,
    group: String,
    member: u64,
    only_topic: bool,
    places: BTreeMap<TopicPartition, Place>,
    knows_of_trouble: bool,
    has_left: bool,
}

/// What there is to read.
#[derive(Default)]
struct Fetched {
    records: Vec<InboundRecord>,
    ends: Vec<TopicPartition>,
    is_behind: bool,
}

impl Reader {
    pub(crate) fn join(log: &Arc<Log>, group: &str, topics: &[String], node: NodeId) -> Self {
        let member = log.join(group, topics, node);
        let only_topic = matches!(topics, [topic] if !topic.starts_with('^'));
        Self {
            log: Arc::clone(log),
            node,
            group: group.to_owned(),
            member,
            only_topic,
            places: BTreeMap::new(),
            knows_of_trouble: false,
            has_left: false,
        }
    }

    fn fetch(&mut self, limit: usize) -> Fetched {
        let world = Arc::clone(&self.log.world);
        let mut order: Vec<TopicPartition> = self.places.keys().cloned().collect();
        world.chance.shuffle(&mut order);
        let mut fetched = Fetched::default();
        let mut state = self.log.state();
        let state = &mut *state;
        let now = world.executor.now();
        for at in order {
            let Some(place) = self.places.get_mut(&at) else { continue };
            let partition = usize::try_from(at.partition).unwrap_or(0);
            let Some(kept) = state.topics.get(&at.topic).and_then(|them| them.get(partition))
            else {
                continue;
            };
            let next = usize::try_from(place.next).unwrap_or(usize::MAX);
            for kept in kept.get(next..).unwrap_or_default() {
                let age = Duration::from_micros(now.saturating_sub(kept.appended_at));
                let lags = age < LAG_MAX && world.unlucky(world.plan.rates.lag);
                if lags && place.late.replace(place.next) != Some(place.next) {
                    world.fault(self.node, || {
                        format!("{} does not see {at}@{} yet", self.group, kept.record.offset)
                    });
                }
                if lags || fetched.records.len() >= limit {
                    fetched.is_behind = true;
                    break;
                }
                let mut record = (*kept.record).clone();
                if world.has(Bug::HeardWhenRead) {
                    record.broker_time = self.log.clock.now();
                }
                fetched.records.push(record);
                place.next += 1;
                place.was_at_end = false;
            }
            let shown = usize::try_from(place.next).unwrap_or(0);
            let in_sync = state.in_sync.entry(at.clone()).or_insert(0);
            *in_sync = shown.max(*in_sync);
            let is_at_end = usize::try_from(place.next).is_ok_and(|next| next == kept.len());
            if is_at_end && !std::mem::replace(&mut place.was_at_end, true) && self.only_topic {
                fetched.ends.push(at);
            }
        }
        fetched
    }

    /// The end that the broker names: the newest records may not be in sync yet.
    fn seen_end(&self, at: &TopicPartition) -> i64 {
        let world = &self.log.world;
        let mut state = self.log.state();
        let state = &mut *state;
        let partition = usize::try_from(at.partition).unwrap_or(0);
        let kept = state.topics.get(&at.topic).and_then(|them| them.get(partition));
        let Some(kept) = kept else { return 0 };
        let now = world.executor.now();
        let lags = |appended_at: u64| {
            let age = Duration::from_micros(now.saturating_sub(appended_at));
            age < LAG_MAX && world.unlucky(world.plan.rates.lag)
        };
        let in_sync = state.in_sync.entry(at.clone()).or_insert(0);
        let behind = kept.iter().skip(*in_sync).position(|kept| lags(kept.appended_at));
        let end = behind.map_or(kept.len(), |lag| *in_sync + lag);
        if end < kept.len() {
            world.fault(self.node, || format!("{} takes {at}@{end} for the end", self.group));
        }
        *in_sync = end;
        i64::try_from(end).unwrap_or(i64::MAX)
    }

    fn must_be_up(&self, question: &str) -> Result<(), LogError> {
        if self.log.state().is_down || self.log.is_cut_off(self.node) {
            return Err(LogError::Unavailable("all brokers are down".into()));
        }
        let world = &self.log.world;
        if world.unlucky(world.plan.rates.poll) {
            world.fault(self.node, || {
                format!("{} asks the log {question} and gets no answer", self.group)
            });
            return Err(LogError::Unavailable("timed out".into()));
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.has_left {
            self.log.leave(&self.group, self.member, true);
        }
    }
}

#[async_trait]
impl LogReader for Reader {
    async fn cluster_id(&mut self) -> Result<String, LogError> {
        self.log.world.delay(self.node, ASKS).await;
        self.must_be_up("who it is").map(|()| "simulated".to_owned())
    }

    async fn poll(&mut self, limit: usize, wait: Duration) -> Result<Polled, LogError> {
        let world = Arc::clone(&self.log.world);
        world.at(self.node, "before it reads the log").await;
        let until = world.executor.now() + u64::try_from(wait.as_micros()).unwrap_or(0);
        loop {
            let seen = self.log.state().changes;
            if let Some(word) = self.log.word(&self.group, self.member) {
                return Ok(word);
            }
            let is_down = self.log.state().is_down;
            if is_down && !std::mem::replace(&mut self.knows_of_trouble, true) {
                return Err(LogError::Unavailable("all brokers are down".into()));
            }
            self.knows_of_trouble = is_down;
            if world.unlucky(world.plan.rates.poll / 4) {
                world.fault(self.node, || format!("{} reads the log and fails", self.group));
                return Err(LogError::Unavailable("timed out".into()));
            }
            let is_silent = is_down || self.log.is_cut_off(self.node);
            let fetched = if is_silent { Fetched::default() } else { self.fetch(limit) };
            if !fetched.records.is_empty() || !fetched.ends.is_empty() {
                return Ok(Polled::Batch { records: fetched.records, ends: fetched.ends });
            }
            let left = Duration::from_micros(until.saturating_sub(world.executor.now()));
            if left.is_zero() {
                return Ok(Polled::Nothing);
            }
            let pause = if fetched.is_behind { left.min(LAG_MAX / 8) } else { left };
            let changed = Box::pin(self.log.changed(seen));
            select(changed, world.executor.sleep(pause)).await;
        }
    }

    fn has_word(&self) -> bool {
        let has_word = self.log.has_word(&self.group, self.member);
        if has_word {
            self.log.world.reach("a group has spoken while a member takes its partitions up");
        }
        has_word
    }

    async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        self.log.world.delay(self.node, ASKS).await;
        self.must_be_up("where its partitions begin")?;
        Ok(of.iter().map(|at| Position { at: at.clone(), next_offset: 0 }).collect())
    }

    async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        self.log.world.delay(self.node, ASKS).await;
        self.must_be_up("where its partitions end")?;
        let end = |at: &TopicPartition| Position { at: at.clone(), next_offset: self.seen_end(at) };
        Ok(of.iter().map(end).collect())
    }

    async fn assign(&mut self, positions: &[Position]) -> Result<(), LogError> {
        if self.log.has_word(&self.group, self.member) {
            return Ok(());
        }
        self.must_be_up("for its partitions")?;
        let place = |position: &Position| {
            (
                position.at.clone(),
                Place { next: position.next_offset, was_at_end: false, late: None },
            )
        };
        self.places = positions.iter().map(place).collect();
        Ok(())
    }

    async fn report(&mut self, _positions: &[Position]) {
        self.log.world.at(self.node, "before it reports its offsets").await;
    }

    async fn close(&mut self) {
        self.has_left = true;
        self.log.leave(&self.group, self.member, false);
    }
}
