//! The courier of hand-overs: gives each transfer to a bank that credits on delivery exactly once.
//!
//! Such a bank credits each time that it reads one, so the ordinary relay, which may repeat, will
//! not do. Each hand-over is written to the log together with a mark that names its transfer, in
//! one transaction of the log. When the outcome of such a transaction is known, its rows go. When
//! it is not (a start, an error, a lost line), nothing is sent before three things are done, in
//! this order: the line is taken over, which ends or undoes whatever a former holder had under way
//! and shuts it out; the marks are read to their end; the rows that are named there go. What is
//! left was never read by anyone. A mark is erased only after its row is gone.
//!
//! A topic that takes nothing stops no other: after a failure the topics are made good that were
//! lost, and while one of the topics that failed together waits, each transaction carries the
//! hand-overs of one topic. A topic that fails alone waits by itself, at most a minute from one
//! attempt to the next, and the others share their transactions again.
//!
//! Cost for up to `batch_max` hand-overs: one read, one transaction of the log, one delete, and one
//! more transaction that erases the marks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use shared_kernel::application::{Backoff, Clock, StopSignal, StoreError};
use shared_kernel::domain::{EndToEndId, Timestamp};

use super::ports::BankTopics;

/// A transfer that waits to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// Topic of the payee's bank.
    pub topic: String,
    /// Key of the record.
    pub key: String,
    /// The message.
    pub payload: String,
    /// Its trace.
    pub trace: String,
}

/// The hand-overs that are stored.
#[async_trait]
pub trait HandOvers: Send + Sync {
    /// Becomes the one courier of this shard, or `None` while another process is.
    async fn try_lead(&self, shard: u16) -> Result<Option<Box<dyn HandOverShard>>, StoreError>;

    /// Returns when one was stored in this process, or after `wait`.
    async fn appended(&self, wait: Duration);
}

/// A shard that this process leads. Leadership and access are one thing.
#[async_trait]
pub trait HandOverShard: Send {
    /// The oldest, at most `limit`, without those for these topics.
    async fn waiting(
        &mut self,
        limit: i64,
        without: &[String],
    ) -> Result<Vec<HandOver>, StoreError>;

    /// Removes those that were handed over.
    async fn remove(&mut self, ids: &[EndToEndId]) -> Result<(), StoreError>;
}

/// The log did not do it, or did and could not say so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log does not take hand-overs: {0}")]
pub struct LineError(pub String);

/// A line to the log on which records are written in transactions, one holder at a time.
#[async_trait]
pub trait Line: Send {
    /// Takes the line over: what a former holder had under way is committed or undone by now, and
    /// whatever it still tries fails.
    async fn take_over(&mut self) -> Result<(), LineError>;

    /// The transfers that are marked as handed over, read to the end of what is committed.
    async fn marked(&mut self) -> Result<BTreeSet<EndToEndId>, LineError>;

    /// Writes hand-overs and their marks in one transaction.
    async fn deliver(&mut self, batch: &[HandOver]) -> Result<(), LineError>;

    /// Erases marks in one transaction.
    async fn erase(&mut self, ids: &[EndToEndId]) -> Result<(), LineError>;
}

/// Bounds of a courier.
#[derive(Clone, Copy, Debug)]
pub struct CourierSettings {
    /// Hand-overs of one transaction.
    pub batch_max: i64,
    /// How long an idle courier waits before it looks for hand-overs of other processes.
    pub idle_wait: Duration,
    /// How long a process without the lock waits before it tries to become the courier.
    pub lead_wait: Duration,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self {
            batch_max: 256,
            idle_wait: Duration::from_millis(50),
            lead_wait: Duration::from_millis(500),
        }
    }
}

/// What a courier works with.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct CourierPorts {
    /// The hand-overs that wait.
    pub hand_overs: Arc<dyn HandOvers>,
    /// The line that they leave by.
    pub line: Box<dyn Line>,
    /// The topics that they go to.
    pub topics: Arc<dyn BankTopics>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The courier of one shard.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Courier {
    shard: u16,
    ports: CourierPorts,
    settings: CourierSettings,
    lead: Option<Box<dyn HandOverShard>>,
    /// The line is ours, and every row that waits was never delivered.
    is_certain: bool,
    backoff: Backoff,
    caution: Caution,
}

/// What a courier keeps in mind of deliveries that failed.
#[derive(Debug)]
struct Caution {
    /// Topics that took nothing together: while one of them waits, each transaction carries the
    /// hand-overs of one topic.
    suspects: BTreeSet<String>,
    /// Topics that took nothing, alone in a transaction: the others go on without them.
    shunned: BTreeSet<String>,
    /// When those are tried again.
    retry_at: Timestamp,
    backoff: Backoff,
}

impl Caution {
    fn none() -> Self {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1));
        let (suspects, shunned) = (BTreeSet::new(), BTreeSet::new());
        Self { suspects, shunned, retry_at: Timestamp::MIN, backoff }
    }

    /// The topics to leave out now.
    fn left_out(&self, now: Timestamp) -> Vec<String> {
        if now < self.retry_at { self.shunned.iter().cloned().collect() } else { Vec::new() }
    }

    /// What goes into one transaction.
    fn chosen(&self, mut waiting: Vec<HandOver>) -> Vec<HandOver> {
        let is_doubted =
            |it: &HandOver| self.suspects.contains(&it.topic) || self.shunned.contains(&it.topic);
        let is_one_by_one = waiting.iter().any(is_doubted);
        let first = waiting.first().map(|oldest| oldest.topic.clone());
        if let Some(topic) = first.filter(|_| is_one_by_one) {
            waiting.retain(|hand_over| hand_over.topic == topic);
        }
        waiting
    }

    /// These topics took nothing together.
    fn doubt(&mut self, topics: &[String], now: Timestamp) {
        let [alone] = topics else {
            self.suspects.extend(topics.iter().cloned());
            return;
        };
        self.suspects.remove(alone);
        self.shunned.insert(alone.clone());
        self.retry_at = now.saturating_add(self.backoff.delay());
    }

    /// These were taken.
    fn trust(&mut self, batch: &[HandOver]) {
        for HandOver { topic, .. } in batch {
            self.suspects.remove(topic);
            self.shunned.remove(topic);
        }
        if self.shunned.is_empty() {
            self.backoff.reset();
        }
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Another process leads this shard.
    Following,
    /// Nothing was there.
    Idle,
    /// This many were handed over, or found to be.
    Sent(usize),
}

/// A step that must be tried again.
#[derive(Debug, thiserror::Error)]
enum CourierError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Line(#[from] LineError),
}

impl Courier {
    /// A courier for `shard` that does not lead yet.
    pub fn new(shard: u16, ports: CourierPorts, settings: CourierSettings) -> Self {
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        let (lead, is_certain, caution) = (None, false, Caution::none());
        Self { shard, ports, settings, lead, is_certain, backoff, caution }
    }

    /// Works until it is asked to stop, then sends what is still there.
    pub async fn run(mut self, mut stop: StopSignal) {
        loop {
            let delivered = self.step().await;
            if stop.is_stopped() && !matches!(delivered, Delivered::Sent(sent) if sent > 0) {
                return;
            }
            let pause: BoxFuture<'_, ()> = match delivered {
                Delivered::Sent(_) => continue,
                Delivered::Idle => {
                    Box::pin(self.ports.hand_overs.appended(self.settings.idle_wait))
                }
                Delivered::Following => self.ports.clock.sleep(self.settings.lead_wait),
            };
            futures::future::select(pause, Box::pin(stop.stopped())).await;
        }
    }

    /// One step. Failures are reported and waited out here, and nothing is certain after one.
    pub async fn step(&mut self) -> Delivered {
        match self.try_step().await {
            Ok(delivered) => {
                self.backoff.reset();
                delivered
            }
            Err(error) => {
                self.is_certain = false;
                let shard = self.shard;
                tracing::warn!(shard, %error, "hand-overs will be looked through again");
                if matches!(error, CourierError::Store(_)) {
                    self.lead = None;
                }
                let delay = self.backoff.delay();
                self.ports.clock.sleep(delay).await;
                Delivered::Sent(0)
            }
        }
    }

    async fn try_step(&mut self) -> Result<Delivered, CourierError> {
        if self.lead.is_none() {
            self.is_certain = false;
            self.lead = self.ports.hand_overs.try_lead(self.shard).await?;
        }
        let Some(lead) = self.lead.as_mut() else { return Ok(Delivered::Following) };
        let left_out = self.caution.left_out(self.ports.clock.now());
        let waiting = lead.waiting(self.settings.batch_max, &left_out).await?;
        if waiting.is_empty() {
            if left_out.is_empty() {
                self.caution = Caution::none();
            }
            return Ok(Delivered::Idle);
        }
        if !self.is_certain {
            return self.make_certain().await;
        }
        let batch = self.caution.chosen(waiting);
        if let Err(error) = self.ports.line.deliver(&batch).await {
            self.doubt(&batch).await;
            return Err(error.into());
        }
        self.caution.trust(&batch);
        let ids: Vec<EndToEndId> = batch.iter().map(|it| it.end_to_end_id).collect();
        lead.remove(&ids).await?;
        self.ports.line.erase(&ids).await?;
        Ok(Delivered::Sent(ids.len()))
    }

    /// A batch was not taken: its topics may be lost, or one of them takes nothing.
    async fn doubt(&mut self, batch: &[HandOver]) {
        let topics: BTreeSet<String> = batch.iter().map(|it| it.topic.clone()).collect();
        let topics: Vec<String> = topics.into_iter().collect();
        self.caution.doubt(&topics, self.ports.clock.now());
        if let Err(error) = self.ports.topics.ensure_outside(&topics).await {
            tracing::warn!(%error, "the topics of hand-overs could not be looked after");
        }
    }

    /// Takes the line over and drops what was delivered before. Rows that are stored afterwards
    /// were delivered by nobody: only the holder of the line delivers.
    async fn make_certain(&mut self) -> Result<Delivered, CourierError> {
        let Some(lead) = self.lead.as_mut() else { return Ok(Delivered::Following) };
        self.ports.line.take_over().await?;
        let marked = self.ports.line.marked().await?;
        let marked: Vec<EndToEndId> = marked.into_iter().collect();
        if !marked.is_empty() {
            lead.remove(&marked).await?;
            self.ports.line.erase(&marked).await?;
        }
        self.is_certain = true;
        Ok(Delivered::Sent(marked.len()))
    }
}
