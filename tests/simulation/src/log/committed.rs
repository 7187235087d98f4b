//! Careful readers from outside any group: they see committed records alone, and wait behind
//! transactions that are open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::LogReader;
use shared_kernel::application::log::{InboundRecord, LogError, Polled, Position, TopicPartition};

use super::Log;
use super::transactions::Seen;
use crate::executor::NodeId;

/// What a careful reader is shown of a partition.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) records: Vec<InboundRecord>,
    /// Where to read on.
    pub(crate) next: usize,
    /// It goes no further for now: the end, or an open transaction.
    is_stable_end: bool,
}

impl Log {
    /// What is committed of a partition from a place on, before `end`.
    fn show(&self, at: &TopicPartition, from: usize, end: usize) -> Shown {
        let state = self.state();
        let mut shown = Shown { next: from, ..Shown::default() };
        let place = usize::try_from(at.partition).unwrap_or(0);
        let Some(kept) = state.topics.get(&at.topic).and_then(|it| it.get(place)) else {
            return shown;
        };
        for kept in kept.get(from..end.min(kept.len())).unwrap_or_default() {
            match state.transactions.seen(kept) {
                Seen::Open => {
                    shown.is_stable_end = true;
                    return shown;
                }
                Seen::Skipped => {}
                Seen::Committed => shown.records.push((*kept.record).clone()),
            }
            shown.next += 1;
        }
        shown.is_stable_end = shown.next >= end.min(kept.len());
        shown
    }

    /// What a program of a bank reads on its topic; none while the broker is away.
    pub(crate) fn committed(&self, topic: &str, from: usize) -> Option<Shown> {
        if self.state().is_down {
            return None;
        }
        let at = TopicPartition { topic: topic.to_owned(), partition: 0 };
        Some(self.show(&at, from, usize::MAX))
    }

    /// The number of places in the first partition of a topic, markers included.
    pub(crate) fn length(&self, topic: &str) -> usize {
        let state = self.state();
        state.topics.get(topic).and_then(|it| it.first()).map_or(0, Vec::len)
    }
}

/// A scan of one topic, up to the ends that it had when it was opened.
pub(super) struct CommittedScan {
    log: Arc<Log>,
    node: NodeId,
    ends: BTreeMap<TopicPartition, usize>,
    places: BTreeMap<TopicPartition, usize>,
    open: BTreeSet<TopicPartition>,
    has_begun: bool,
    /// It shows nothing, as a scan that asks for the end of an empty topic.
    is_blind: bool,
}

impl CommittedScan {
    /// The ends include whatever the broker has acknowledged: an end falls behind only what is not
    /// in sync yet, and transactions end when their markers are.
    pub(super) fn open(log: &Arc<Log>, node: NodeId, topic: &str, is_blind: bool) -> Self {
        let ends = {
            let state = log.state();
            let partitions = state.topics.get(topic).into_iter().flatten();
            let end = |(partition, kept): (i32, &Vec<super::Kept>)| {
                (TopicPartition { topic: topic.to_owned(), partition }, kept.len())
            };
            (0..).zip(partitions).map(end).collect()
        };
        let (places, open) = (BTreeMap::new(), BTreeSet::new());
        Self { log: Arc::clone(log), node, ends, places, open, has_begun: false, is_blind }
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.ends.keys().cloned().collect()
    }

    async fn reach(&self) -> Result<(), LogError> {
        let world = &self.log.world;
        world.delay(self.node, "before the log answers").await;
        let timed_out = || Err(LogError::Unavailable("timed out".into()));
        if self.log.state().is_down || self.log.is_cut_off(self.node) {
            return timed_out();
        }
        if world.unlucky(world.plan.rates.poll) {
            world.fault(self.node, || "reads the marks of hand-overs and fails".to_owned());
            return timed_out();
        }
        Ok(())
    }
}

#[async_trait]
impl LogReader for CommittedScan {
    async fn cluster_id(&mut self) -> Result<String, LogError> {
        self.reach().await.map(|()| "simulated".to_owned())
    }

    async fn poll(&mut self, limit: usize, _wait: Duration) -> Result<Polled, LogError> {
        if !std::mem::replace(&mut self.has_begun, true) {
            return Ok(Polled::Assigned(self.partitions()));
        }
        self.log.world.at(self.node, "before it reads marks").await;
        self.reach().await?;
        let (mut records, mut ends) = (Vec::new(), Vec::new());
        // A poll brings some of what is there: the rest comes with the next.
        let limit = usize::try_from(self.log.world.chance.between(1, 8)).unwrap_or(1).min(limit);
        for at in self.open.clone() {
            let (from, end) = (self.places.get(&at).copied().unwrap_or(0), self.ends.get(&at));
            let end = end.copied().unwrap_or(0);
            let piece = self.log.show(&at, from, end.min(from.saturating_add(limit)));
            self.places.insert(at.clone(), piece.next);
            if !self.is_blind {
                records.extend(piece.records);
            }
            // The last place that is stable counts as the end, as it does to librdkafka.
            let is_stuck = piece.next == from && piece.is_stable_end;
            if piece.next >= end || is_stuck {
                self.open.remove(&at);
                ends.push(at);
            }
        }
        Ok(Polled::Batch { records, ends })
    }

    async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        self.reach().await?;
        Ok(of.iter().map(|at| Position { at: at.clone(), next_offset: 0 }).collect())
    }

    async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        let end = |at: &TopicPartition| {
            let end = self.ends.get(at).copied().unwrap_or(0);
            Position { at: at.clone(), next_offset: i64::try_from(end).unwrap_or(i64::MAX) }
        };
        Ok(of.iter().map(end).collect())
    }

    async fn assign(&mut self, positions: &[Position]) -> Result<(), LogError> {
        for Position { at, next_offset } in positions {
            self.places.insert(at.clone(), usize::try_from(*next_offset).unwrap_or(0));
            self.open.insert(at.clone());
        }
        Ok(())
    }

    async fn report(&mut self, _positions: &[Position]) {}

    async fn close(&mut self) {}
}
