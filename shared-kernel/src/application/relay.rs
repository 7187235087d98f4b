//! The relay: sends what the outbox holds, in order, and removes it once it is acknowledged.
//!
//! Killed anywhere, it loses nothing: a row goes only after every copy of every record of it is
//! acknowledged; a resend repeats records with the same `ce_id`. Cost: one read, one write to the
//! log and one delete for up to `rows_max` transactions.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::application::clock::Clock;
use crate::application::log::{LogError, LogWriter};
use crate::application::observer::Observer;
use crate::application::outbox::{Outbox, OutboxShard};
use crate::application::retry::Backoff;
use crate::application::stop::StopSignal;
use crate::application::transaction::StoreError;

/// Bounds of a relay.
#[derive(Clone, Copy, Debug)]
pub struct RelaySettings {
    /// Rows sent together.
    pub rows_max: i64,
    /// How long an idle relay waits before it looks for rows of other processes.
    pub idle_wait: Duration,
    /// How long a process without the lock waits before it tries to become the relay.
    pub lead_wait: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            rows_max: 64,
            idle_wait: Duration::from_millis(50),
            lead_wait: Duration::from_millis(500),
        }
    }
}

/// The relay of one shard.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Relay {
    shard: u16,
    outbox: Arc<dyn Outbox>,
    log: Arc<dyn LogWriter>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    settings: RelaySettings,
    lead: Option<Box<dyn OutboxShard>>,
    backoff: Backoff,
}

/// What a relay needs.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct RelayPorts {
    /// The outbox it empties.
    pub outbox: Arc<dyn Outbox>,
    /// The log it writes to.
    pub log: Arc<dyn LogWriter>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its figures.
    pub observer: Arc<dyn Observer>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// Another process leads this shard.
    Following,
    /// Nothing was there.
    Idle,
    /// This many records were acknowledged and removed.
    Sent(usize),
}

/// A step that must be tried again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Relay {
    /// A relay for `shard` that does not lead yet.
    pub fn new(shard: u16, ports: RelayPorts, settings: RelaySettings) -> Self {
        let RelayPorts { outbox, log, clock, observer } = ports;
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        Self { shard, outbox, log, clock, observer, settings, lead: None, backoff }
    }

    /// Works until it is asked to stop, then sends what is still there.
    pub async fn run(mut self, mut stop: StopSignal) {
        loop {
            let relayed = self.step().await;
            if stop.is_stopped() && !matches!(relayed, Relayed::Sent(sent) if sent > 0) {
                return;
            }
            let pause: BoxFuture<'_, ()> = match relayed {
                Relayed::Sent(_) => continue,
                Relayed::Idle => Box::pin(self.outbox.appended(self.settings.idle_wait)),
                Relayed::Following => self.clock.sleep(self.settings.lead_wait),
            };
            futures::future::select(pause, Box::pin(stop.stopped())).await;
        }
    }

    /// One step. Failures are reported and waited out here: the relay never gives up.
    pub async fn step(&mut self) -> Relayed {
        match self.try_step().await {
            Ok(relayed) => {
                self.backoff.reset();
                relayed
            }
            Err(error) => {
                tracing::warn!(shard = self.shard, %error, "relay will try again");
                self.observer.relay_retried();
                if matches!(error, RelayError::Store(_)) {
                    self.lead = None;
                }
                let delay = self.backoff.delay();
                self.clock.sleep(delay).await;
                Relayed::Sent(0)
            }
        }
    }

    async fn try_step(&mut self) -> Result<Relayed, RelayError> {
        if self.lead.is_none() {
            self.lead = self.outbox.try_lead(self.shard).await?;
        }
        let Some(lead) = self.lead.as_mut() else { return Ok(Relayed::Following) };
        let rows = lead.pending(self.settings.rows_max).await?;
        if rows.is_empty() {
            return Ok(Relayed::Idle);
        }
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let records: Vec<_> = rows.into_iter().flat_map(|row| row.records).collect();
        self.log.write(&records).await?;
        lead.remove(&ids).await?;
        self.observer.relayed(records.len());
        Ok(Relayed::Sent(records.len()))
    }
}
