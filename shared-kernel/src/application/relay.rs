//! The relay: sends what the outbox holds, in order, and removes it once it is acknowledged.
//!
//! Killed anywhere, it loses nothing: a row goes only after every copy of every record of it is
//! acknowledged; a resend repeats records with the same `ce_id`. A record that the log refuses for
//! ever stops its shard, loudly: only a defect of ours can write one, and going on would break the
//! order of its key. Cost: one read, one write to the
//! log and one delete for up to `rows_max` transactions.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::application::clock::Clock;
use crate::application::log::{LogError, LogWriter, OutboundRecord};
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
    /// The log refused a record for ever: rows go one by one until it takes them all.
    careful: bool,
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
    #[error("row {row}: {error}")]
    Refused { row: i64, error: LogError },
}

/// Rows as they are sent: all records in order, and how many of them each row has.
struct Sending {
    rows: Vec<(i64, usize)>,
    records: Vec<OutboundRecord>,
}

impl Relay {
    /// A relay for `shard` that does not lead yet.
    pub fn new(shard: u16, ports: RelayPorts, settings: RelaySettings) -> Self {
        let RelayPorts { outbox, log, clock, observer } = ports;
        let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        Self { shard, outbox, log, clock, observer, settings, lead: None, careful: false, backoff }
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
                self.complain(&error);
                if matches!(error, RelayError::Store(_)) {
                    self.lead = None;
                }
                let delay = self.backoff.delay();
                self.clock.sleep(delay).await;
                Relayed::Sent(0)
            }
        }
    }

    fn complain(&self, error: &RelayError) {
        let shard = self.shard;
        self.observer.relay_retried();
        if matches!(error, RelayError::Refused { .. }) {
            self.observer.relay_refused();
            tracing::error!(shard, %error, "a record is refused for ever: its shard stands still");
        } else {
            tracing::warn!(shard, %error, "relay will try again");
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
        let ids: Vec<(i64, usize)> = rows.iter().map(|row| (row.id, row.records.len())).collect();
        let records = rows.into_iter().flat_map(|row| row.records).collect();
        let sending = Sending { rows: ids, records };
        if !self.careful {
            match self.log.write(&sending.records).await {
                Ok(()) => {
                    let ids: Vec<i64> = sending.rows.iter().map(|(row, _)| *row).collect();
                    lead.remove(&ids).await?;
                    self.observer.relayed(sending.records.len());
                    return Ok(Relayed::Sent(sending.records.len()));
                }
                Err(LogError::Fatal(_)) => self.careful = true,
                Err(error @ LogError::Unavailable(_)) => return Err(error.into()),
            }
        }
        self.send_one_by_one(sending).await
    }

    /// What precedes a refused record is sent and removed once; what follows it waits, because
    /// one key is one order.
    async fn send_one_by_one(&mut self, sending: Sending) -> Result<Relayed, RelayError> {
        let Some(lead) = self.lead.as_mut() else { return Ok(Relayed::Following) };
        let mut rest = sending.records.as_slice();
        for (row, length) in sending.rows {
            let (records, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.log.write(records).await.map_err(|error| match error {
                LogError::Fatal(_) => RelayError::Refused { row, error },
                LogError::Unavailable(_) => error.into(),
            })?;
            lead.remove(&[row]).await?;
            self.observer.relayed(records.len());
            rest = behind;
        }
        self.careful = false;
        Ok(Relayed::Sent(sending.records.len()))
    }
}
