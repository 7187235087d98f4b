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
//! Cost for up to `batch_max` hand-overs: one read, one transaction of the log, one delete, and one
//! more transaction that erases the marks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use shared_kernel::application::{Backoff, Clock, StopSignal, StoreError};
use shared_kernel::domain::EndToEndId;

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
    /// The oldest, at most `limit`.
    async fn waiting(&mut self, limit: i64) -> Result<Vec<HandOver>, StoreError>;

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
    async fn marked(&mut self) -> Result<HashSet<EndToEndId>, LineError>;

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

/// The courier of one shard.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Courier {
    shard: u16,
    hand_overs: Arc<dyn HandOvers>,
    line: Box<dyn Line>,
    clock: Arc<dyn Clock>,
    settings: CourierSettings,
    lead: Option<Box<dyn HandOverShard>>,
    /// The line is ours, and every row that waits was never delivered.
    is_certain: bool,
    backoff: Backoff,
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
    pub fn new(
        shard: u16,
        hand_overs: Arc<dyn HandOvers>,
        line: Box<dyn Line>,
        clock: Arc<dyn Clock>,
        settings: CourierSettings,
    ) -> Self {
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        let (lead, is_certain) = (None, false);
        Self { shard, hand_overs, line, clock, settings, lead, is_certain, backoff }
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
                Delivered::Idle => Box::pin(self.hand_overs.appended(self.settings.idle_wait)),
                Delivered::Following => self.clock.sleep(self.settings.lead_wait),
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
                self.clock.sleep(delay).await;
                Delivered::Sent(0)
            }
        }
    }

    async fn try_step(&mut self) -> Result<Delivered, CourierError> {
        if self.lead.is_none() {
            self.is_certain = false;
            self.lead = self.hand_overs.try_lead(self.shard).await?;
        }
        let Some(lead) = self.lead.as_mut() else { return Ok(Delivered::Following) };
        let waiting = lead.waiting(self.settings.batch_max).await?;
        if waiting.is_empty() {
            return Ok(Delivered::Idle);
        }
        if !self.is_certain {
            return self.make_certain().await;
        }
        self.line.deliver(&waiting).await?;
        let ids: Vec<EndToEndId> = waiting.iter().map(|it| it.end_to_end_id).collect();
        lead.remove(&ids).await?;
        self.line.erase(&ids).await?;
        Ok(Delivered::Sent(ids.len()))
    }

    /// Takes the line over and drops what was delivered before. Rows that are stored afterwards
    /// were delivered by nobody: only the holder of the line delivers.
    async fn make_certain(&mut self) -> Result<Delivered, CourierError> {
        let Some(lead) = self.lead.as_mut() else { return Ok(Delivered::Following) };
        self.line.take_over().await?;
        let marked: Vec<EndToEndId> = self.line.marked().await?.into_iter().collect();
        if !marked.is_empty() {
            lead.remove(&marked).await?;
            self.line.erase(&marked).await?;
        }
        self.is_certain = true;
        Ok(Delivered::Sent(marked.len()))
    }
}
