//! How far a consumer has read, with all before it committed.
//!
//! Sweepers ask before they let a deadline pass: an answer that was in time may still lie unread
//! in a partition that is behind. Two things prove that it does not: a committed record that the
//! broker took later (busy partitions), or the end of the partition that the broker named when it
//! was asked, with all before it committed (idle ones). It is asked because somebody waits: each
//! question here makes the consumer put its own, and the next answer is newer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::application::log::TopicPartition;
use crate::domain::Timestamp;

/// How far one partition is read.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    at_end: bool,
    read_to: Option<Timestamp>,
}

/// Shared between a consumer and those who wait for it.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: Mutex<BTreeMap<TopicPartition, Reading>>,
    looked_at: Mutex<Option<Timestamp>>,
    asked: AtomicBool,
}

impl Progress {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<TopicPartition, Reading>) -> T) -> T {
        act(&mut self.partitions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new assignment: nothing of it is known to be read.
    pub fn assigned<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) {
        self.with(|map| {
            map.clear();
            let unread = |partition: &TopicPartition| (partition.clone(), Reading::default());
            map.extend(partitions.into_iter().map(unread));
        });
    }

    /// The log is in trouble: no end that was reached before counts any more.
    pub fn all_behind(&self) {
        self.with(|map| map.values_mut().for_each(|reading| reading.at_end = false));
    }

    /// The consumer asked the broker for the ends at `began`: where a partition is at its end, all
    /// before the one that it named is committed.
    pub fn looked(&self, began: Timestamp) {
        *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
    }

    /// Records of this partition are in work.
    pub fn behind(&self, partition: &TopicPartition) {
        self.with(|map| map.get_mut(partition).map(|reading| reading.at_end = false));
    }

    /// A record of this partition that the broker took at `broker_time` is committed, and all
    /// before it.
    pub fn committed(&self, partition: &TopicPartition, broker_time: Timestamp) {
        self.with(|map| {
            map.get_mut(partition)
                .map(|reading| reading.read_to = reading.read_to.max(Some(broker_time)))
        });
    }

    /// The end was reached and all before it is committed.
    pub fn caught_up(&self, partition: &TopicPartition) {
        self.with(|map| map.get_mut(partition).map(|reading| reading.at_end = true));
    }

    /// Whether somebody has asked since the last look. Forgets it.
    pub fn is_asked(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }

    /// Until when each partition is known to be read: what the broker took by then is committed.
    /// A partition of which nothing is known is left out.
    pub fn read_until(&self) -> Vec<(TopicPartition, Timestamp)> {
        self.asked.store(true, Ordering::SeqCst);
        // In this order: a partition that is at its end afterwards was so since the last look.
        let looked_at = *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let until = |reading: &Reading| reading.read_to.max(looked_at.filter(|_| reading.at_end));
        self.with(|map| {
            let known = map.iter().map(|(partition, reading)| (partition, until(reading)));
            known.filter_map(|(partition, at)| Some((partition.clone(), at?))).collect()
        })
    }

    /// The partitions that are read to their end.
    pub fn at_end(&self) -> Vec<TopicPartition> {
        self.with(|map| {
            map.iter()
                .filter(|(_, reading)| reading.at_end)
                .map(|(partition, _)| partition.clone())
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> TopicPartition {
        TopicPartition { topic: "orders".into(), partition: number }
    }

    #[test]
    fn a_partition_is_at_its_end_only_between_its_end_and_its_next_record() {
        let progress = Progress::default();
        progress.assigned([&partition(0), &partition(1)]);
        assert!(progress.at_end().is_empty());
        progress.caught_up(&partition(1));
        assert_eq!(progress.at_end(), [partition(1)]);
        progress.behind(&partition(1));
        assert!(progress.at_end().is_empty());
    }

    #[test]
    fn a_new_assignment_forgets_and_a_foreign_partition_is_ignored() {
        let progress = Progress::default();
        progress.assigned([&partition(0)]);
        progress.caught_up(&partition(0));
        progress.assigned([&partition(2)]);
        progress.caught_up(&partition(0));
        assert!(progress.at_end().is_empty());
    }

    #[test]
    fn trouble_with_the_log_forgets_every_end() {
        let progress = Progress::default();
        progress.assigned([&partition(0), &partition(1)]);
        progress.caught_up(&partition(0));
        progress.all_behind();
        assert!(progress.at_end().is_empty());
        progress.caught_up(&partition(0));
        assert_eq!(progress.at_end(), [partition(0)]);
    }
    fn at(second: u64) -> Timestamp {
        Timestamp::EPOCH.saturating_add(std::time::Duration::from_secs(second))
    }

    #[test]
    fn a_busy_partition_is_read_until_its_last_record_and_an_idle_one_until_the_last_look() {
        let progress = Progress::default();
        progress.assigned([&partition(0), &partition(1), &partition(2)]);
        progress.caught_up(&partition(1));
        assert_eq!(progress.read_until(), []);
        progress.committed(&partition(0), at(5));
        progress.committed(&partition(0), at(4));
        progress.looked(at(9));
        assert_eq!(progress.read_until(), [(partition(0), at(5)), (partition(1), at(9))]);
        progress.caught_up(&partition(0));
        progress.behind(&partition(1));
        assert_eq!(progress.read_until(), [(partition(0), at(9))]);
        progress.all_behind();
        assert_eq!(progress.read_until(), [(partition(0), at(5))]);
        progress.assigned([&partition(0)]);
        assert_eq!(progress.read_until(), []);
    }
}
