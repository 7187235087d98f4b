//! The consumer: a polled batch, its effects and its offsets in one transaction.
//!
//! Killed anywhere, it repeats or it continues, never both halves: the offsets move by
//! compare-and-set in the transaction that carries the effects. Transient errors are retried with
//! backoff for ever; a record that can never succeed, or whose handling panics, is found by
//! splitting the batch and goes to the dead-letter topic while its partition goes on.
//! Cost: one transaction for up to `batch_max` records.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;

use crate::application::clock::Clock;
use crate::application::dead_letter::DeadLetter;
use crate::application::ends::Ends;
use crate::application::log::{
    InboundRecord, LogError, LogReader, Polled, Position, TopicPartition,
};
use crate::application::observer::Observer;
use crate::application::progress::Progress;
use crate::application::retry::Backoff;
use crate::application::stop::StopSignal;
use crate::application::transaction::{OffsetMove, OffsetStore, StoreError, Transaction};
use crate::domain::Timestamp;

/// A record that the handler found unfit, by its place in the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Index in the batch.
    pub index: usize,
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub reason: String,
}

/// What a context does with a batch of records.
#[async_trait]
pub trait BatchHandler: Send + Sync {
    /// The context's transaction.
    type Transaction: Transaction + ?Sized;

    /// Opens a transaction.
    async fn begin(&self) -> Result<Box<Self::Transaction>, StoreError>;

    /// Applies the batch inside the transaction. Records that are unfit are named in the answer
    /// and set aside; the others take effect.
    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError>;
}

/// Bounds of a consumer.
#[derive(Clone, Debug)]
pub struct ConsumerSettings {
    /// Name that offsets are stored under and group it is a member of.
    pub name: String,
    /// Records handled in one transaction; the reader bounds their bytes.
    pub batch_max: usize,
    /// How long one poll waits for the first record.
    pub poll_wait: Duration,
}

impl ConsumerSettings {
    /// The usual bounds.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), batch_max: 1_000, poll_wait: Duration::from_millis(250) }
    }
}

/// What a consumer needs.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ConsumerPorts {
    /// The group member that reads.
    pub reader: Box<dyn LogReader>,
    /// Where the offsets are.
    pub offsets: Arc<dyn OffsetStore>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its figures.
    pub observer: Arc<dyn Observer>,
    /// How far it is, for sweepers.
    pub progress: Arc<Progress>,
}

/// One consumer of one context.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Consumer<H: BatchHandler> {
    settings: ConsumerSettings,
    ports: ConsumerPorts,
    handler: Arc<H>,
    positions: BTreeMap<TopicPartition, i64>,
    /// The reader could not be told to read from these positions again: it must be, or the ends of
    /// partitions without news are never told anew.
    is_adrift: bool,
    ends: Ends,
    backoff: Backoff,
}

/// How often in a row a part of a batch that meets a concurrent change, or one record that the
/// store refuses, is tried again before it counts as unfit.
const RETRIES_MAX: u32 = 5;

/// Why an attempt at some records did not commit.
enum Failure {
    Transient(String),
    Conflict(String),
    Refused(String),
    Fenced,
    Poison { code: &'static str, reason: String },
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Transient(error.to_string()),
            StoreError::Conflict(_) => Self::Conflict(error.to_string()),
            StoreError::Fenced => Self::Fenced,
            StoreError::Rejected(_) => Self::Refused(error.to_string()),
        }
    }
}

/// What to do with a part of a batch that did not commit.
enum Next {
    /// The same again, after a pause.
    Again(String),
    /// One of them can never succeed: find it.
    Split { code: &'static str, reason: String },
    /// Another process owns the partitions.
    ReRead,
}

impl Failure {
    /// Conflicts pass, unless the same part meets one again and again. A refusal of one record may
    /// be trouble that the store has no plain word for: it is final when it stays.
    fn next(self, is_one: bool, retries: &mut u32) -> Next {
        let may_retry = *retries < RETRIES_MAX;
        match self {
            Self::Fenced => Next::ReRead,
            Self::Transient(reason) => Next::Again(reason),
            Self::Conflict(reason) if may_retry => {
                *retries = retries.saturating_add(1);
                Next::Again(reason)
            }
            Self::Refused(reason) if may_retry && is_one => {
                *retries = retries.saturating_add(1);
                Next::Again(reason)
            }
            Self::Conflict(reason) => Next::Split { code: "handling_conflicts", reason },
            Self::Refused(reason) => Next::Split { code: "handling_failed", reason },
            Self::Poison { code, reason } => Next::Split { code, reason },
        }
    }
}

impl<H: BatchHandler> Consumer<H> {
    /// A consumer that has not joined its group yet.
    pub fn new(settings: ConsumerSettings, ports: ConsumerPorts, handler: Arc<H>) -> Self {
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        let (positions, ends) = (BTreeMap::new(), Ends::default());
        Self { settings, ports, handler, positions, is_adrift: false, ends, backoff }
    }

    /// Works until it is asked to stop, then leaves the group.
    ///
    /// # Errors
    /// [`LogError::Fatal`] when a person must look: offsets that no longer exist in the log, or
    /// that belong to another cluster.
    pub async fn run(mut self, stop: StopSignal) -> Result<(), LogError> {
        while !stop.is_stopped() {
            self.step(&stop).await?;
        }
        self.ports.reader.close().await;
        Ok(())
    }

    /// One poll and what follows from it.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn step(&mut self, stop: &StopSignal) -> Result<(), LogError> {
        if self.is_adrift {
            self.assign_again().await?;
        }
        let polled = self.ports.reader.poll(self.settings.batch_max, self.settings.poll_wait).await;
        let outcome = match polled {
            Ok(Polled::Nothing) => self.look().await,
            Ok(Polled::Revoked) => {
                self.positions.clear();
                self.ends.clear();
                self.ports.progress.assigned([]);
                Ok(())
            }
            Ok(Polled::Assigned(partitions)) => self.take_up(&partitions, stop).await,
            Ok(Polled::Batch { records, ends }) => {
                if self.handle(records, stop).await? {
                    for end in &ends {
                        if self.ends.told(end, self.position(end)) {
                            self.ports.progress.caught_up(end);
                        }
                    }
                    self.compare().await
                } else {
                    Ok(())
                }
            }
            Err(error) => Err(error),
        };
        match outcome {
            Err(LogError::Unavailable(reason)) => {
                tracing::warn!(
                    consumer = self.settings.name,
                    reason,
                    "the log will be asked again"
                );
                self.start_over(stop).await
            }
            Ok(()) | Err(LogError::Fatal(_)) => outcome,
        }
    }

    fn position(&self, at: &TopicPartition) -> i64 {
        self.positions.get(at).copied().unwrap_or_default()
    }

    /// Nothing came: an end in doubt is read up to once more, another is asked for.
    async fn look(&mut self) -> Result<(), LogError> {
        if self.ends.seek(&self.positions) {
            let standing = self.standing();
            return self.ports.reader.assign(&standing).await;
        }
        self.compare().await
    }

    /// If somebody waits for the ends: asks the broker for them, and compares them with what is
    /// committed. What it took before it was asked is then known to be read. An end before that is
    /// the word of a broker that does not have what was read: it proves nothing.
    async fn compare(&mut self) -> Result<(), LogError> {
        if !self.ports.progress.is_asked() {
            return Ok(());
        }
        let began = self.ports.clock.now();
        let partitions: Vec<TopicPartition> = self.positions.keys().cloned().collect();
        for end in &self.ports.reader.ends(&partitions).await? {
            let position = self.position(&end.at);
            if end.next_offset < position {
                return Err(LogError::Unavailable(format!(
                    "{} was read to {position} and is told to end at {}",
                    end.at, end.next_offset
                )));
            }
            if !self.ends.is_reached(end, position) {
                self.ports.progress.behind(&end.at);
            }
        }
        self.ports.progress.looked(began);
        Ok(())
    }

    /// The log is in trouble: reads again from the positions that are committed, so that the ends
    /// of the partitions are told anew. Until then none of them counts as reached.
    async fn start_over(&mut self, stop: &StopSignal) -> Result<(), LogError> {
        self.ports.progress.all_behind();
        self.pause(stop).await;
        self.assign_again().await
    }

    /// Reads from the committed positions; what fails is tried again before the next poll.
    async fn assign_again(&mut self) -> Result<(), LogError> {
        self.is_adrift = false;
        let positions = self.standing();
        if positions.is_empty() {
            return Ok(());
        }
        let assigned = self.ports.reader.assign(&positions).await;
        if let Err(LogError::Unavailable(reason)) = &assigned {
            tracing::warn!(consumer = self.settings.name, reason, "not assigned again yet");
            self.is_adrift = true;
            return Ok(());
        }
        assigned
    }

    fn standing(&self) -> Vec<Position> {
        let positions = self.positions.iter();
        positions.map(|(at, next)| Position { at: at.clone(), next_offset: *next }).collect()
    }

    /// Waits before the next attempt; a stop ends the wait.
    async fn pause(&mut self, stop: &StopSignal) {
        self.ports.observer.batch_retried(&self.settings.name);
        let slept = self.ports.clock.sleep(self.backoff.delay());
        let mut stop = stop.clone();
        futures::future::select(slept, Box::pin(stop.stopped())).await;
    }

    /// Reads the stored offsets of an assignment and reads on from there.
    async fn take_up(
        &mut self,
        partitions: &[TopicPartition],
        stop: &StopSignal,
    ) -> Result<(), LogError> {
        self.positions.clear();
        self.ends.clear();
        self.ports.progress.assigned(partitions);
        loop {
            match self.assign(partitions).await {
                Ok(positions) => {
                    self.positions = positions
                        .into_iter()
                        .map(|Position { at, next_offset }| (at, next_offset))
                        .collect();
                    self.backoff.reset();
                    return Ok(());
                }
                Err(LogError::Unavailable(reason)) if !stop.is_stopped() => {
                    let consumer = &self.settings.name;
                    tracing::warn!(consumer, reason, "offsets will be read again");
                    if self.ports.reader.has_word() {
                        // These partitions may be another's by now: the next poll says.
                        return Ok(());
                    }
                    self.pause(stop).await;
                }
                Err(LogError::Unavailable(_)) => return Ok(()),
                Err(fatal @ LogError::Fatal(_)) => return Err(fatal),
            }
        }
    }

    /// The stored positions, assigned.
    async fn assign(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        let ConsumerPorts { reader, offsets, .. } = &mut self.ports;
        let cluster_id = reader.cluster_id().await?;
        let beginnings = reader.beginnings(partitions).await?;
        let stored = offsets.positions(&self.settings.name, &cluster_id, &beginnings).await;
        let positions = stored.map_err(|error| match error {
            StoreError::Rejected(reason) => LogError::Fatal(reason),
            StoreError::Unavailable(_) | StoreError::Conflict(_) | StoreError::Fenced => {
                LogError::Unavailable(error.to_string())
            }
        })?;
        // Asked last: whatever is stored was read before, so it lies within what is there now.
        refuse_beyond(&positions, &reader.ends(partitions).await?)?;
        reader.assign(&positions).await?;
        Ok(positions)
    }

    /// Drives a polled batch to its end: every record took effect or is a dead letter. False when
    /// it was left before: its offsets are another's, or a stop was asked for.
    async fn handle(
        &mut self,
        mut records: Vec<InboundRecord>,
        stop: &StopSignal,
    ) -> Result<bool, LogError> {
        records.retain(|record| {
            self.positions.get(&record.from).is_some_and(|next| record.offset >= *next)
        });
        for record in &records {
            self.ports.progress.behind(&record.from);
        }
        let started = self.ports.clock.now();
        let mut retries = 0;
        let mut parts: VecDeque<Range<usize>> = std::iter::once(0..records.len()).collect();
        while let Some(part) = parts.pop_front() {
            let Some(slice) = records.get(part.clone()).filter(|slice| !slice.is_empty()) else {
                continue;
            };
            let next = match self.attempt(slice).await {
                Ok(()) => None,
                Err(failure) => Some(failure.next(slice.len() == 1, &mut retries)),
            };
            match next {
                None => {
                    retries = 0;
                    self.backoff.reset();
                }
                Some(Next::ReRead) => return self.re_read(stop).await,
                Some(Next::Again(reason)) => {
                    if !self.wait_to_retry(reason, stop).await {
                        return Ok(false);
                    }
                    parts.push_front(part);
                }
                Some(Next::Split { code, reason }) => {
                    retries = 0;
                    if let Some((first, second)) = halves(&part) {
                        parts.push_front(second);
                        parts.push_front(first);
                    } else if !self.give_up(slice, code, reason, stop).await? {
                        return Ok(false);
                    }
                }
            }
        }
        let took = self.ports.clock.now().since(started);
        self.ports.observer.batch_committed(&self.settings.name, &records, took);
        self.report().await;
        Ok(true)
    }

    /// False when a stop was asked for: what did not commit is read again after the next start.
    async fn wait_to_retry(&mut self, reason: String, stop: &StopSignal) -> bool {
        tracing::warn!(consumer = self.settings.name, reason, "batch will be retried");
        if !stop.is_stopped() {
            self.pause(stop).await;
        }
        !stop.is_stopped()
    }

    /// Sets the one record aside that can never succeed. False as for [`Self::handle`].
    async fn give_up(
        &mut self,
        record: &[InboundRecord],
        code: &'static str,
        reason: String,
        stop: &StopSignal,
    ) -> Result<bool, LogError> {
        let mut refused = 0;
        loop {
            match self.set_aside(record, code, reason.clone()).await {
                Ok(()) => {
                    self.backoff.reset();
                    return Ok(true);
                }
                Err(Failure::Fenced) => return self.re_read(stop).await,
                Err(Failure::Transient(reason) | Failure::Conflict(reason)) => {
                    if !self.wait_to_retry(reason, stop).await {
                        return Ok(false);
                    }
                }
                Err(Failure::Refused(reason)) if refused < RETRIES_MAX => {
                    refused = refused.saturating_add(1);
                    if !self.wait_to_retry(reason, stop).await {
                        return Ok(false);
                    }
                }
                // Not even its dead letter can be stored: skipping it would lose it.
                Err(Failure::Refused(reason) | Failure::Poison { reason, .. }) => {
                    return Err(LogError::Fatal(reason));
                }
            }
        }
    }

    /// Another process moved our offsets: read them again and go on from there.
    async fn re_read(&mut self, stop: &StopSignal) -> Result<bool, LogError> {
        let partitions: Vec<TopicPartition> = self.positions.keys().cloned().collect();
        tracing::warn!(consumer = self.settings.name, "offsets were moved by another process");
        self.take_up(&partitions, stop).await?;
        Ok(false)
    }

    async fn report(&mut self) {
        let positions = self.standing();
        self.ports.reader.report(&positions).await;
    }

    /// One transaction over `records`.
    async fn attempt(&mut self, records: &[InboundRecord]) -> Result<(), Failure> {
        let mut transaction = self.handler.begin().await?;
        let handling = AssertUnwindSafe(self.handler.handle(&mut *transaction, records));
        let refusals = match handling.catch_unwind().await {
            Ok(Ok(refusals)) => refusals,
            Ok(Err(error)) => {
                transaction.rollback().await;
                return Err(error.into());
            }
            Err(panic) => {
                transaction.rollback().await;
                let reason = panic_text(panic.as_ref());
                return Err(Failure::Poison { code: "handling_panicked", reason });
            }
        };
        let letters = refusals.iter().filter_map(|refusal| {
            let record = records.get(refusal.index)?;
            Some(self.letter(record, &refusal.code, &refusal.reason))
        });
        let letters: Vec<DeadLetter> = letters.collect();
        self.finish(transaction, records, letters).await
    }

    /// Gives up on the one record that can never succeed.
    async fn set_aside(
        &mut self,
        records: &[InboundRecord],
        code: &'static str,
        reason: String,
    ) -> Result<(), Failure> {
        let transaction = self.handler.begin().await?;
        let letters = records.iter().map(|record| self.letter(record, code, &reason)).collect();
        self.finish(transaction, records, letters).await
    }

    fn letter(&self, record: &InboundRecord, code: &str, reason: &str) -> DeadLetter {
        let letter = DeadLetter::new(record.clone(), &self.settings.name, code, reason);
        tracing::warn!(
            consumer = self.settings.name, from = %record.from, offset = record.offset,
            code, reason = letter.reason, "record set aside as a dead letter"
        );
        self.ports.observer.dead_lettered(&self.settings.name, code);
        letter
    }

    /// Dead letters, offsets and commit: the end of every transaction.
    async fn finish(
        &mut self,
        mut transaction: Box<H::Transaction>,
        records: &[InboundRecord],
        letters: Vec<DeadLetter>,
    ) -> Result<(), Failure> {
        let moves = self.moves(records);
        let written = async {
            if !letters.is_empty() {
                transaction.dead_letter(letters).await?;
            }
            transaction.advance(&self.settings.name, &moves).await
        };
        if let Err(error) = written.await {
            transaction.rollback().await;
            return Err(error.into());
        }
        transaction.commit().await?;
        for OffsetMove { at, to, .. } in moves {
            self.positions.insert(at, to);
        }
        let mut last: BTreeMap<&TopicPartition, Timestamp> = BTreeMap::new();
        last.extend(records.iter().map(|record| (&record.from, record.broker_time)));
        for (partition, broker_time) in last {
            self.ports.progress.committed(partition, broker_time);
        }
        Ok(())
    }

    fn moves(&self, records: &[InboundRecord]) -> Vec<OffsetMove> {
        let mut last: BTreeMap<&TopicPartition, i64> = BTreeMap::new();
        for record in records {
            last.insert(&record.from, record.offset.saturating_add(1));
        }
        last.into_iter()
            .filter_map(|(at, to)| {
                let from = *self.positions.get(at)?;
                Some(OffsetMove { at: at.clone(), from, to })
            })
            .collect()
    }
}

/// A position beyond the end belongs to a log that was longer: once this one has grown as long,
/// what was written meanwhile would be skipped and nobody would know.
fn refuse_beyond(positions: &[Position], ends: &[Position]) -> Result<(), LogError> {
    let end_of = |at: &TopicPartition| ends.iter().find(|end| end.at == *at);
    for Position { at, next_offset } in positions {
        if let Some(end) = end_of(at).filter(|end| *next_offset > end.next_offset) {
            return Err(LogError::Fatal(format!(
                "the stored offset {next_offset} of {at} lies beyond the end {} of the log, and \
                 going on would lose messages: restore the log of the same moment, or reset this \
                 context's data",
                end.next_offset
            )));
        }
    }
    Ok(())
}

/// Splits a range of at least two.
fn halves(range: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let length = range.end.checked_sub(range.start)?;
    let middle = range.start.checked_add(length.checked_div(2)?)?;
    (length > 1).then_some((range.start..middle, middle..range.end))
}

/// What a panic said, for the dead letter.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    said.unwrap_or_else(|| "the handler panicked without a message".into())
}
