//! Row locks: exclusive, held until the transaction ends, with deadlocks found at once.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::task::Waker;

/// A transaction of one schema.
pub(super) type TransactionId = u64;

/// A row, or a unique value that may become one. Two that share a number wait for each other
/// without need, and for no longer than a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row(u64);

impl Row {
    /// The row of a table under a key.
    pub(crate) fn of(table: &'static str, key: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (table, key).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Who holds and who waits.
#[derive(Default)]
pub(super) struct Locks {
    held: BTreeMap<Row, TransactionId>,
    of: BTreeMap<TransactionId, BTreeSet<Row>>,
    waiting: BTreeMap<TransactionId, (Row, Option<Waker>)>,
}

/// What became of the wish for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// It is the transaction's now.
    Granted,
    /// Another one has it.
    Busy,
    /// Another one has it, and waits for this one.
    Deadlock,
}

impl Locks {
    pub(super) fn wish(&mut self, by: TransactionId, row: Row) -> Wish {
        match self.held.get(&row) {
            Some(holder) if *holder == by => Wish::Granted,
            Some(_) => {
                self.waiting.insert(by, (row, None));
                if self.is_circle(by) {
                    self.waiting.remove(&by);
                    return Wish::Deadlock;
                }
                Wish::Busy
            }
            None => {
                self.waiting.remove(&by);
                self.held.insert(row, by);
                self.of.entry(by).or_default().insert(row);
                Wish::Granted
            }
        }
    }

    /// Takes the lock if it is free, and does not wait.
    pub(super) fn grab(&mut self, by: TransactionId, row: Row) -> bool {
        match self.held.get(&row) {
            Some(holder) => *holder == by,
            None => self.wish(by, row) == Wish::Granted,
        }
    }

    /// Wakes this one when the row that it waits for is free.
    pub(super) fn wait(&mut self, by: TransactionId, waker: &Waker) {
        if let Some((_, waiting)) = self.waiting.get_mut(&by) {
            *waiting = Some(waker.clone());
        }
    }

    fn is_circle(&self, by: TransactionId) -> bool {
        let mut at = by;
        for _ in 0..=self.waiting.len() {
            let Some((row, _)) = self.waiting.get(&at) else { return false };
            let Some(holder) = self.held.get(row) else { return false };
            if *holder == by {
                return true;
            }
            at = *holder;
        }
        false
    }

    /// Everybody who waits looks again.
    pub(super) fn wake_all(self) {
        self.waiting.into_values().filter_map(|(_, waker)| waker).for_each(Waker::wake);
    }

    /// The transaction has ended: who waited for its rows is to be woken.
    #[must_use]
    pub(super) fn release(&mut self, by: TransactionId) -> Vec<Waker> {
        self.waiting.remove(&by);
        let rows = self.of.remove(&by).unwrap_or_default();
        for row in &rows {
            self.held.remove(row);
        }
        let wake = |(row, waker): &mut (Row, Option<Waker>)| {
            if rows.contains(row) { waker.take() } else { None }
        };
        self.waiting.values_mut().filter_map(wake).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_transaction_s_until_it_ends() {
        let mut locks = Locks::default();
        let row = Row::of("account", &1);
        assert_eq!(locks.wish(1, row), Wish::Granted);
        assert_eq!(locks.wish(1, row), Wish::Granted);
        assert_eq!(locks.wish(2, row), Wish::Busy);
        assert!(!locks.grab(3, row));
        locks.wait(2, Waker::noop());
        assert_eq!(locks.release(1).len(), 1);
        assert_eq!(locks.wish(2, row), Wish::Granted);
    }

    #[test]
    fn who_would_wait_in_a_circle_is_told() {
        let mut locks = Locks::default();
        let (first, second) = (Row::of("account", &1), Row::of("account", &2));
        assert_eq!(locks.wish(1, first), Wish::Granted);
        assert_eq!(locks.wish(2, second), Wish::Granted);
        assert_eq!(locks.wish(1, second), Wish::Busy);
        assert_eq!(locks.wish(2, first), Wish::Deadlock);
    }
}
