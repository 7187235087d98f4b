//! Transactions of the log, as Kafka has them: producers with one name follow each other in
//! epochs, and only the newest may write. Taking the name over undoes what a former holder left
//! open, or waits until what it was committing is committed. A transaction ends by a marker in each
//! partition that it wrote to, not in all of them at once; one that nobody ends is undone by the
//! broker. Careful readers see what is committed, and nothing behind a transaction that is open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use shared_kernel::application::log::{InboundRecord, LogError, OutboundRecord, TopicPartition};

use super::{At, Kept, Log, State};
use crate::executor::WORLD;
use crate::planted::Bug;

/// After which the broker undoes a transaction that nobody ends.
const OPEN_MAX: Duration = Duration::from_secs(10);
/// How long a producer waits for the broker to end a transaction.
const PATIENCE: Duration = Duration::from_secs(15);

/// A transaction of the log.
pub(super) type TransactionNumber = u64;

/// What the broker knows of one name.
#[derive(Default)]
struct Holder {
    epoch: u64,
    /// The transaction of each epoch that is not over: of a fenced one until it is undone.
    open: BTreeMap<u64, Open>,
}

struct Open {
    number: TransactionNumber,
    partitions: BTreeSet<TopicPartition>,
    is_ending: bool,
}

/// How transactions stand.
#[derive(Default)]
pub(super) struct Transactions {
    holders: BTreeMap<String, Holder>,
    numbers: TransactionNumber,
    /// Where a transaction has ended, and whether it was committed.
    ended: BTreeMap<(TransactionNumber, TopicPartition), bool>,
}

/// What a careful reader makes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is there.
    Committed,
    /// It was undone, or is no record but a marker.
    Skipped,
    /// Nobody knows yet: nothing is shown from here on.
    Open,
}

impl Transactions {
    pub(super) fn seen(&self, kept: &Kept) -> Seen {
        if kept.is_marker {
            return Seen::Skipped;
        }
        let Some(number) = kept.transaction else { return Seen::Committed };
        match self.ended.get(&(number, kept.record.from.clone())) {
            Some(true) => Seen::Committed,
            Some(false) => Seen::Skipped,
            None => Seen::Open,
        }
    }
}

fn fenced() -> LogError {
    LogError::Unavailable("a newer producer has this transactional id".into())
}

impl State {
    fn holder(&mut self, name: &str) -> &mut Holder {
        self.transactions.holders.entry(name.to_owned()).or_default()
    }
}

impl Log {
    /// The next epoch of a name; what the one before left open is being undone.
    pub(super) fn next_epoch(self: &Arc<Self>, name: &str) -> u64 {
        let is_open_to_all = self.world.has(Bug::LineWithoutFencing);
        let (epoch, left_open) = {
            let mut state = self.state();
            let holder = state.holder(name);
            holder.epoch += 1;
            let left_open = holder.open.iter().filter(|(_, open)| !open.is_ending);
            let left_open: Vec<u64> = left_open.map(|(epoch, _)| *epoch).collect();
            (holder.epoch, left_open)
        };
        for former in left_open.into_iter().filter(|_| !is_open_to_all) {
            self.begin_to_end(name, former, false);
        }
        epoch
    }

    /// Returns once no former transaction of the name is under way.
    pub(super) async fn settled(&self, name: &str, epoch: u64) -> Result<(), LogError> {
        let patience = self.world.executor.now() + u64::try_from(PATIENCE.as_micros()).unwrap_or(0);
        loop {
            let (seen, is_settled) = {
                let mut state = self.state();
                let former = state.holder(name).open.range(..epoch).next().is_some();
                (state.changes, !former || self.world.has(Bug::LineWithoutFencing))
            };
            if is_settled {
                return Ok(());
            }
            let left = Duration::from_micros(patience.saturating_sub(self.world.executor.now()));
            let changed = Box::pin(self.changed(seen));
            match select(changed, self.world.executor.sleep(left)).await {
                Either::Left(_) => {}
                Either::Right(_) => return Err(LogError::Unavailable("timed out".into())),
            }
        }
    }

    fn must_hold(&self, name: &str, epoch: u64) -> Result<(), LogError> {
        let newest = self.state().holder(name).epoch;
        if newest == epoch || self.world.has(Bug::LineWithoutFencing) {
            return Ok(());
        }
        Err(fenced())
    }

    /// Appends a record in the open transaction of this epoch, which begins with its first.
    pub(super) fn append_within(
        self: &Arc<Self>,
        (name, epoch): (&str, u64),
        topic: &str,
        record: &OutboundRecord,
    ) -> Result<At, LogError> {
        self.must_hold(name, epoch)?;
        let (number, is_new) = {
            let mut state = self.state();
            let State { transactions, .. } = &mut *state;
            let next = transactions.numbers + 1;
            let holder = transactions.holders.entry(name.to_owned()).or_default();
            let is_new = !holder.open.contains_key(&epoch);
            let open = holder.open.entry(epoch).or_insert_with(|| {
                transactions.numbers = next;
                Open { number: next, partitions: BTreeSet::new(), is_ending: false }
            });
            if open.is_ending {
                return Err(fenced());
            }
            (open.number, is_new)
        };
        if is_new {
            self.undo_in_time(name, epoch, number);
        }
        let at = self.append_as(topic, record, Some(number));
        let at = at.ok_or_else(|| LogError::Unavailable("the broker did not take it".into()))?;
        if let Some(open) = self.state().holder(name).open.get_mut(&epoch) {
            open.partitions.insert(at.partition.clone());
        }
        Ok(at)
    }

    /// The broker undoes the transaction unless its holder ends it soon, and the holder is none.
    fn undo_in_time(self: &Arc<Self>, name: &str, epoch: u64, number: TransactionNumber) {
        let (log, name) = (Arc::clone(self), name.to_owned());
        let slept = self.world.executor.sleep(OPEN_MAX);
        self.world.executor.spawn(WORLD, async move {
            slept.await;
            let is_left = {
                let mut state = log.state();
                let holder = state.holder(&name);
                let open = holder.open.get(&epoch);
                let is_left = open.is_some_and(|it| it.number == number && !it.is_ending);
                if is_left && holder.epoch == epoch {
                    holder.epoch += 1;
                }
                is_left
            };
            if is_left {
                log.begin_to_end(&name, epoch, false);
            }
        });
    }

    /// Asks the broker to commit what this epoch has open.
    pub(super) fn commit(self: &Arc<Self>, name: &str, epoch: u64) -> Result<(), LogError> {
        self.must_hold(name, epoch)?;
        if self.state().is_down {
            return Err(LogError::Unavailable("all brokers are down".into()));
        }
        self.begin_to_end(name, epoch, true);
        Ok(())
    }

    /// Returns once the transaction of this epoch is over, whatever became of it.
    pub(super) async fn over(&self, name: &str, epoch: u64) -> Result<(), LogError> {
        self.settled(name, epoch + 1).await
    }

    /// The outcome is decided; the markers follow, partition by partition.
    fn begin_to_end(self: &Arc<Self>, name: &str, epoch: u64, is_committed: bool) {
        let (number, partitions) = {
            let mut state = self.state();
            let Some(open) = state.holder(name).open.get_mut(&epoch) else { return };
            if std::mem::replace(&mut open.is_ending, true) {
                return;
            }
            (open.number, open.partitions.iter().cloned().collect::<Vec<_>>())
        };
        self.world.say(WORLD, "transaction", || {
            let outcome = if is_committed { "committed" } else { "undone" };
            format!("broker: transaction {number} of {name} is {outcome}")
        });
        let (log, name) = (Arc::clone(self), name.to_owned());
        let mut partitions = partitions;
        self.world.chance.shuffle(&mut partitions);
        self.world.executor.spawn(WORLD, async move {
            for at in partitions {
                log.world.delay(WORLD, "before the broker ends it in a partition").await;
                log.mark_end(number, &at, is_committed);
            }
            log.state().holder(&name).open.remove(&epoch);
            log.wake();
        });
    }

    fn mark_end(&self, number: TransactionNumber, at: &TopicPartition, is_committed: bool) {
        let appended_at = self.world.executor.now();
        {
            let mut state = self.state();
            let State { topics, transactions, .. } = &mut *state;
            transactions.ended.insert((number, at.clone()), is_committed);
            let place = usize::try_from(at.partition).unwrap_or(0);
            let Some(records) = topics.get_mut(&at.topic).and_then(|it| it.get_mut(place)) else {
                return;
            };
            let record = InboundRecord {
                from: at.clone(),
                offset: i64::try_from(records.len()).unwrap_or(i64::MAX),
                broker_time: shared_kernel::domain::Timestamp::EPOCH,
                key: None,
                headers: Vec::new(),
                payload: None,
            };
            let record = Arc::new(record);
            records.push(Kept { record, appended_at, transaction: None, is_marker: true });
        }
        self.wake();
    }
}
