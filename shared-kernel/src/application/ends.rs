//! Whether a partition is read to its end, by the word of the broker.
//!
//! What a reader holds says nothing of what lies in the log: an empty queue may be one that was
//! not filled. So the broker is asked for the end, and the committed position must have reached
//! it. An end may lie behind marks of transactions, which no record's offset reaches: such a
//! partition is read again from its position, and the end that the reader then tells came after
//! the broker's word. That may take longer than a poll; to begin anew at each would never end.

use std::collections::BTreeMap;

use crate::application::log::{Position, TopicPartition};

/// How often nothing may come before what is being read again, and is not told, is so once more.
/// Twice as often at each time: a broker may be told to answer slower than any fixed bound.
const NOTHINGS_MAX: u32 = 8;

/// How often that is doubled: beyond the slowest answer that librdkafka can ask for, 300 s.
const DOUBLINGS_MAX: u32 = 10;

/// What is known of ends beyond the committed positions.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The broker's end lies beyond the position.
    doubted: BTreeMap<TopicPartition, i64>,
    /// The ends up to which partitions are being read again.
    sought: BTreeMap<TopicPartition, i64>,
    /// How often nothing came since then.
    nothings: u32,
    /// How often they were read once more since an end was told.
    doublings: u32,
    /// No record lies between the position and this offset.
    passed: BTreeMap<TopicPartition, i64>,
}

impl Ends {
    /// Forgets everything: the partitions are others.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Compares the broker's word with the committed position; false puts the end in doubt, unless
    /// its partition is being read again up to there.
    pub(crate) fn is_reached(&mut self, end: &Position, position: i64) -> bool {
        let passed = self.passed.get(&end.at).copied().unwrap_or(position);
        let is_reached = end.next_offset <= position.max(passed);
        if is_reached {
            self.doubted.remove(&end.at);
        } else if self.sought.get(&end.at).is_none_or(|sought| *sought < end.next_offset) {
            self.doubted.insert(end.at.clone(), end.next_offset);
        }
        is_reached
    }

    /// Nothing came although an end was in doubt: true when its partition must be read again, or
    /// once more because its end was not told for long. What was committed meanwhile is in doubt
    /// no more.
    pub(crate) fn seek(&mut self, positions: &BTreeMap<TopicPartition, i64>) -> bool {
        let is_open = |at: &TopicPartition, end: &mut i64| {
            positions.get(at).is_some_and(|position| *position < *end)
        };
        self.doubted.retain(is_open);
        self.sought.retain(is_open);
        self.nothings = self.nothings.saturating_add(1);
        let patience = NOTHINGS_MAX.saturating_mul(1 << self.doublings);
        let is_overdue = !self.sought.is_empty() && self.nothings > patience;
        if self.doubted.is_empty() && !is_overdue {
            return false;
        }
        if is_overdue {
            self.doublings = self.doublings.saturating_add(1).min(DOUBLINGS_MAX);
        }
        self.sought.append(&mut self.doubted);
        self.nothings = 0;
        true
    }

    /// The reader told the end of a partition, and all before it is committed. False when that
    /// may have been before the broker's word of an end beyond.
    pub(crate) fn told(&mut self, at: &TopicPartition, position: i64) -> bool {
        if let Some(end) = self.sought.remove(at) {
            self.passed.insert(at.clone(), end);
            self.doublings = 0;
        }
        let passed = self.passed.get(at).copied().unwrap_or(position);
        if self.doubted.get(at).is_some_and(|end| *end > position.max(passed)) {
            return false;
        }
        self.doubted.remove(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> TopicPartition {
        TopicPartition { topic: "t".into(), partition: 0 }
    }

    fn end(next_offset: i64) -> Position {
        Position { at: at(), next_offset }
    }

    #[test]
    fn an_end_is_reached_by_the_position_or_by_reading_again() {
        let mut ends = Ends::default();
        assert!(ends.is_reached(&end(5), 5));
        assert!(ends.told(&at(), 5), "nothing speaks against it");
        assert!(!ends.is_reached(&end(6), 5));
        assert!(!ends.told(&at(), 5), "it may have waited since before the broker was asked");
        assert!(ends.seek(&BTreeMap::from([(at(), 5)])));
        assert!(ends.told(&at(), 5));
        assert!(ends.is_reached(&end(6), 5));
        assert!(!ends.is_reached(&end(7), 5), "what came later is not read");
    }

    #[test]
    fn what_is_being_read_again_is_left_to_it_for_a_while() {
        let positions = BTreeMap::from([(at(), 5)]);
        let mut ends = Ends::default();
        assert!(!ends.is_reached(&end(6), 5));
        assert!(ends.seek(&positions));
        for _ in 0..NOTHINGS_MAX {
            assert!(!ends.is_reached(&end(6), 5), "asked again before it is told");
            assert!(!ends.seek(&positions), "to seek again would begin anew");
        }
        assert!(ends.seek(&positions), "whatever was to be told is lost");
        for _ in 0..NOTHINGS_MAX * 2 {
            assert!(!ends.seek(&positions), "the broker may be slow: twice as long");
        }
        assert!(ends.seek(&positions));
        assert!(!ends.seek(&positions));
        assert!(ends.told(&at(), 5));
        assert!(ends.is_reached(&end(6), 5));
        assert!((0..=NOTHINGS_MAX).all(|_| !ends.seek(&positions)), "nothing is open");
    }

    #[test]
    fn an_end_that_moves_while_its_partition_is_read_again_is_in_doubt() {
        let positions = BTreeMap::from([(at(), 5)]);
        let mut ends = Ends::default();
        assert!(!ends.is_reached(&end(6), 5));
        assert!(ends.seek(&positions));
        assert!(!ends.is_reached(&end(7), 5));
        assert!(!ends.told(&at(), 5), "it may not be the new one");
        assert!(ends.is_reached(&end(6), 5));
        assert!(!ends.is_reached(&end(7), 5));
        assert!(ends.seek(&positions));
        assert!(ends.told(&at(), 5));
        assert!(ends.is_reached(&end(7), 5));
    }

    #[test]
    fn what_was_committed_meanwhile_is_not_read_again() {
        let mut ends = Ends::default();
        assert!(!ends.is_reached(&end(6), 5));
        assert!(ends.told(&at(), 6), "its records came after all");
        assert!(!ends.is_reached(&end(7), 6));
        assert!(!ends.seek(&BTreeMap::from([(at(), 7)])));
        assert!(!ends.is_reached(&end(7), 6));
        ends.clear();
        assert!(!ends.seek(&BTreeMap::from([(at(), 6)])));
    }
}
