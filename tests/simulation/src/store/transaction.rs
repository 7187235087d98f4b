//! An open transaction: what it wrote, what it holds, and how it ends.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::dead_letter::DeadLetter;
use shared_kernel::application::log::OutboundRecord;
use shared_kernel::application::outbox::shard_of;
use shared_kernel::application::transaction::OffsetMove;
use shared_kernel::application::{Answers, Published, Remembered, StoreError, Transaction};

use super::locks::{TransactionId, Wish};
use super::{Row, Session, StoredRow, Tables};
use crate::checks::Advance;
use crate::executor::WORLD;
use crate::log;
use crate::planted::{self, Bug};
use crate::trace::{count, span};

/// An open transaction. Dropped without commit it is rolled back, though not always at once.
pub(crate) struct OpenTransaction<T: Tables> {
    pub(crate) session: Session<T>,
    id: TransactionId,
    /// The server's session: another one now means that this one was cut off.
    server_session: u64,
    own: T,
    answers: Vec<Remembered>,
    moves: Vec<(String, OffsetMove)>,
    advances: Vec<Advance>,
    set_aside: Vec<(String, i64)>,
    outbox: Vec<OutboundRecord>,
    is_aborted: bool,
    is_over: bool,
}

impl<T: Tables> Session<T> {
    /// Opens a transaction.
    pub(crate) async fn open(&self) -> Result<Box<OpenTransaction<T>>, StoreError> {
        let server_session = self.reach().await?;
        let id = {
            let mut durable = self.database.durable();
            durable.kernel.numbers += 1;
            durable.kernel.numbers
        };
        Ok(Box::new(OpenTransaction {
            session: self.clone(),
            id,
            server_session,
            own: T::default(),
            answers: Vec::new(),
            moves: Vec::new(),
            advances: Vec::new(),
            set_aside: Vec::new(),
            outbox: Vec::new(),
            is_aborted: false,
            is_over: false,
        }))
    }
}

impl<T: Tables> OpenTransaction<T> {
    /// A statement goes to the server. Whatever it answers but success aborts the transaction.
    pub(crate) async fn statement(&mut self) -> Result<(), StoreError> {
        let world = Arc::clone(self.session.world());
        world.delay(self.session.node, "before the database answers").await;
        self.must_live()?;
        if world.unlucky(world.plan.rates.statement) {
            world.fault(self.session.node, || {
                format!("a statement fails, and with it its transaction{}", self.words())
            });
            self.is_aborted = true;
            return Err(StoreError::Unavailable("canceling statement".into()));
        }
        Ok(())
    }

    fn must_live(&mut self) -> Result<(), StoreError> {
        if !self.session.database.server.is_alive(self.server_session) {
            self.is_aborted = true;
            return Err(StoreError::Unavailable("terminating connection".into()));
        }
        if self.is_aborted {
            return Err(StoreError::Unavailable("current transaction is aborted".into()));
        }
        Ok(())
    }

    /// The statement failed, and the transaction with it.
    pub(crate) fn abort(&mut self, error: StoreError) -> StoreError {
        self.is_aborted = true;
        self.session.world().tell(self.session.node, || {
            format!("the database refuses a statement{}: {error}", self.words())
        });
        error
    }

    /// Reads: what is committed, and what this transaction wrote.
    pub(crate) fn see<R>(&self, act: impl FnOnce(&T, &T) -> R) -> R {
        act(&self.session.database.durable().tables, &self.own)
    }

    /// Writes, over what is committed.
    pub(crate) fn write<R>(&mut self, act: impl FnOnce(&T, &mut T) -> R) -> R {
        act(&self.session.database.durable().tables, &mut self.own)
    }

    /// Takes the locks, one after the other; waits for each.
    pub(crate) async fn lock(
        &mut self,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<(), StoreError> {
        if self.session.world().has(Bug::NoRowLocks) {
            return Ok(());
        }
        for row in rows {
            let wish = poll_fn(|context| {
                if self.must_live().is_err() {
                    return Poll::Ready(Wish::Busy);
                }
                let mut durable = self.session.database.durable();
                match durable.locks.wish(self.id, row) {
                    Wish::Busy => {
                        durable.locks.wait(self.id, context.waker());
                        Poll::Pending
                    }
                    decided @ (Wish::Granted | Wish::Deadlock) => Poll::Ready(decided),
                }
            });
            let wish = wish.await;
            self.must_live()?;
            if wish == Wish::Deadlock {
                return Err(self.abort(StoreError::Unavailable("deadlock detected".into())));
            }
        }
        Ok(())
    }

    /// Takes the locks that are free; says which.
    pub(crate) fn grab(&mut self, row: Row) -> bool {
        self.session.database.durable().locks.grab(self.id, row)
    }

    /// A number of its own, as a sequence gives it: before the commit.
    pub(crate) fn number(&self) -> u64 {
        let kernel = &mut self.session.database.durable().kernel;
        kernel.numbers += 1;
        kernel.numbers
    }

    /// Keeps events for the commit.
    pub(crate) fn publish(&mut self, events: impl IntoIterator<Item = Published>) {
        let now = self.session.clock.now();
        for event in events {
            let id = self.session.ids.ordered();
            self.outbox.push(event.into_record("", self.session.source, id, now));
        }
        if self.session.world().has(Bug::PublishOutsideTransaction) {
            let rows = self.rows();
            self.session.database.durable().kernel.outbox.extend(rows);
        }
    }

    /// The rows of the outbox, with their numbers: those are given before the commit.
    fn rows(&mut self) -> Vec<(i64, StoredRow)> {
        let shards = self.session.world().plan.shards;
        let mut by_shard = std::collections::BTreeMap::<u16, Vec<OutboundRecord>>::new();
        for record in self.outbox.drain(..) {
            let shard = shard_of(record.key.as_deref().unwrap_or_default(), shards);
            by_shard.entry(shard).or_default().push(record);
        }
        let mut durable = self.session.database.durable();
        let number = |(shard, records)| {
            durable.kernel.rows += 1;
            (durable.kernel.rows, StoredRow { shard, records: Arc::new(records) })
        };
        by_shard.into_iter().map(number).collect()
    }

    /// Makes it durable, all of it, between two steps of anybody else: it is told, then checked.
    /// A finding is the last line of a story, and what it is about stands before it.
    fn take_effect(&mut self, rows: Vec<(i64, StoredRow)>) {
        let world = Arc::clone(self.session.world());
        let node = self.session.node;
        let own = std::mem::take(&mut self.own);
        let mut durable = self.session.database.durable();
        let marks = own.marks();
        (0..marks).for_each(|_| world.mark("effect"));
        let effects = if world.trace.is_kept() { durable.tables.tell(&own) } else { Vec::new() };
        let is_marked = marks > 0 || !rows.is_empty() || !self.moves.is_empty();
        let is_told = is_marked || !effects.is_empty();
        for line in effects {
            world.tell(node, || line);
        }
        if is_marked {
            world.mark(T::SCHEMA);
        }
        if is_told {
            world.tell(node, || self.summary(rows.len()));
        }
        {
            let mut oracle = world.oracle();
            let finding = durable.tables.examine(&own, &mut oracle);
            let records = rows.iter().flat_map(|(_, row)| row.records.iter());
            oracle.promise(records);
            let covered = oracle.advanced(T::SCHEMA, &self.advances);
            drop(oracle);
            world.judge(finding);
            world.judge(covered);
        }
        durable.tables.absorb(own);
        let kernel = &mut durable.kernel;
        kernel.outbox.extend(rows);
        for (consumer, OffsetMove { at, to, .. }) in self.moves.drain(..) {
            kernel.offsets.insert((consumer, at), to);
        }
        for answer in self.answers.drain(..) {
            kernel.answers.insert((answer.scope.clone(), answer.key.clone()), answer);
        }
    }

    /// The commit in a few words.
    fn summary(&self, rows: usize) -> String {
        let mut parts = vec![format!("commits in {}", T::SCHEMA)];
        let moved =
            |(_, step): &(String, OffsetMove)| format!("{} is read to {}", step.at, step.to);
        parts.extend(self.moves.iter().map(moved));
        if !self.answers.is_empty() {
            parts.push(format!("keeps the answer to {}", self.answered()));
        }
        if rows > 0 {
            parts.push(format!("{} for the relay", count(rows, "row", "rows")));
        }
        parts.join("; ")
    }

    /// The keys of the commands that it answers.
    fn answered(&self) -> String {
        let keys: Vec<&str> = self.answers.iter().map(|answer| answer.key.as_str()).collect();
        keys.join(", ")
    }

    /// Whose it is, as far as that is known by now.
    fn words(&self) -> String {
        let reader = self.moves.first().map(|(consumer, _)| format!(" of {consumer}"));
        let client = (!self.answers.is_empty()).then(|| format!(" for {}", self.answered()));
        let whose = reader.or(client).unwrap_or_default();
        format!(" in {}{whose}", T::SCHEMA)
    }

    /// Whether anything would be kept of it.
    fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.answers.is_empty() && self.outbox.is_empty()
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let wakers = self.session.database.durable().locks.release(self.id);
        wakers.into_iter().for_each(std::task::Waker::wake);
    }
}

impl<T: Tables> Drop for OpenTransaction<T> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let world = Arc::clone(self.session.world());
        if !world.unlucky(100_000) {
            return self.end();
        }
        // The server notices later that its client is gone.
        self.is_over = true;
        let (database, id) = (self.session.database.clone(), self.id);
        let lingers = world.chance.time(Duration::ZERO, Duration::from_secs(3));
        world.fault(self.session.node, || {
            let (whose, time) = (self.words(), span(lingers));
            format!("a transaction{whose} is broken off, and holds its locks for another {time}")
        });
        let slept = world.executor.sleep(lingers);
        world.executor.spawn(WORLD, async move {
            slept.await;
            let wakers = database.durable().locks.release(id);
            wakers.into_iter().for_each(std::task::Waker::wake);
        });
    }
}

#[async_trait]
impl<T: Tables> Transaction for OpenTransaction<T> {
    async fn advance(&mut self, consumer: &str, moves: &[OffsetMove]) -> Result<(), StoreError> {
        self.statement().await?;
        let mut moves = moves.to_vec();
        moves.sort_by(|one, other| one.at.cmp(&other.at));
        let rows: Vec<Row> =
            moves.iter().map(|step| Row::of("consumer_offset", &(consumer, &step.at))).collect();
        self.lock(rows).await?;
        let world = Arc::clone(self.session.world());
        let stored = |step: &OffsetMove| {
            let key = (consumer.to_owned(), step.at.clone());
            let stored = self.session.database.durable().kernel.offsets.get(&key).copied();
            stored == Some(step.from) || world.has(Bug::NoCompareAndSet)
        };
        if !moves.iter().all(stored) {
            world.tell(self.session.node, || {
                format!("{consumer} finds its place in the log moved by another member meanwhile")
            });
            return Err(StoreError::Fenced);
        }
        if world.has(Bug::OffsetBeforeEffect) {
            let steps = moves.iter().map(|it| ((consumer.to_owned(), it.at.clone()), it.to));
            self.session.database.durable().kernel.offsets.extend(steps);
        }
        for step in &moves {
            self.advances.push(Advance {
                node: self.session.node,
                consumer: consumer.to_owned(),
                step: step.clone(),
                aside: self.set_aside.clone(),
            });
        }
        self.moves.extend(moves.into_iter().map(|step| (consumer.to_owned(), step)));
        Ok(())
    }

    async fn dead_letter(&mut self, letters: Vec<DeadLetter>) -> Result<(), StoreError> {
        let now = self.session.clock.now();
        let world = Arc::clone(self.session.world());
        for letter in letters {
            self.set_aside.push((letter.record.from.to_string(), letter.record.offset));
            world.say(self.session.node, "letter", || {
                let DeadLetter { record, consumer, code, .. } = &letter;
                format!("{consumer} sets {} aside: {code}", log::place(record))
            });
            world.reach(format!("set aside: {}", letter.code));
            self.outbox.extend(planted::error_instead(&world, &letter));
            if !world.has(Bug::NoDeadLetters) {
                self.outbox.push(letter.into_record(now));
            }
        }
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let world = Arc::clone(self.session.world());
        let node = self.session.node;
        let rows = if self.outbox.is_empty() {
            Vec::new()
        } else {
            self.statement().await?;
            self.rows()
        };
        world.at(node, "before a commit").await;
        let is_cut_off = !self.session.database.server.is_alive(self.server_session);
        let is_lost = world.unlucky(world.plan.rates.commit);
        if is_cut_off || (is_lost && world.chance.below(2) == 0) {
            world.fault(node, || {
                let why = if is_cut_off { "the connection was cut off" } else { "it got lost" };
                format!("a commit{} does not arrive, {why}: nothing is kept", self.words())
            });
            self.end();
            if world.has(Bug::CommitsThatLie) {
                return Ok(());
            }
            return Err(StoreError::Unavailable("the server closed the connection".into()));
        }
        let publishes = !rows.is_empty();
        let is_told = is_lost || self.is_aborted;
        let whose = if is_told { self.words() } else { String::new() };
        if self.is_aborted {
            world
                .fault(node, || format!("a commit{whose} undoes it without a word: it had failed"));
        } else {
            self.take_effect(rows);
        }
        self.end();
        world.at(node, "after a commit").await;
        if is_lost {
            world.fault(node, || format!("the answer to a commit{whose} is lost: it is kept"));
            return Err(StoreError::Unavailable("the answer to the commit was lost".into()));
        }
        if publishes {
            self.session.signal.notify_waiters();
            self.session.signal.notify_one();
        }
        Ok(())
    }

    async fn rollback(mut self: Box<Self>) {
        let (world, node) = (Arc::clone(self.session.world()), self.session.node);
        world.delay(node, "before the database answers").await;
        if self.is_aborted || !self.is_empty() {
            world.tell(node, || format!("rolls back{}", self.words()));
        }
        self.end();
    }
}

#[async_trait]
impl<T: Tables> Answers for OpenTransaction<T> {
    async fn remember(&mut self, answers: &[Remembered]) -> Result<(), StoreError> {
        self.statement().await?;
        if self.session.world().has(Bug::ForgetAnswers) {
            return Ok(());
        }
        for answer in answers {
            let key = (answer.scope.clone(), answer.key.clone());
            self.lock([Row::of("command_answer", &key)]).await?;
            if self.session.database.durable().kernel.answers.contains_key(&key) {
                let taken = StoreError::Conflict("duplicate key: command_answer".into());
                return Err(self.abort(taken));
            }
            self.answers.push(answer.clone());
        }
        Ok(())
    }
}
