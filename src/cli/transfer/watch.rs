//! Follows a transfer to its end, over broken connections and restarts of the hub.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::Streaming;

use super::life_cycle::{LifeCycle, Timeline};
use super::view::{BankTransfer, HubTransfer};
use crate::cli::output::{Output, Shown};
use crate::client::{ClientError, Hub, banking, transfers};

/// How long a hub may be away before a watch gives up.
const ABSENCE_MAX: Duration = Duration::from_mins(1);
/// Pause before a hub that is away is asked again.
const ABSENCE_PAUSE: Duration = Duration::from_millis(250);
/// Pause before a hub is asked again for a transfer that is on its way to it.
const EARLY_PAUSE: Duration = Duration::from_millis(10);

/// Where the views of one transfer come from.
pub(super) trait Source {
    /// What arrives.
    type Message;
    /// How it is shown.
    type View: LifeCycle + Shown;

    /// Begins to follow: first the present state, then each change.
    async fn open(&self, hub: &Hub) -> Result<Streaming<Self::Message>, ClientError>;

    /// The view in a message.
    fn view(message: Self::Message) -> Option<Self::View>;
}

/// As the hub sees it.
pub(super) struct FromHub(pub(super) String);

impl Source for FromHub {
    type Message = transfers::WatchTransferResponse;
    type View = HubTransfer;

    async fn open(&self, hub: &Hub) -> Result<Streaming<Self::Message>, ClientError> {
        let request = transfers::WatchTransferRequest { end_to_end_id: self.0.clone() };
        hub.answer(hub.transfers().watch_transfer(request).await)
    }

    fn view(message: Self::Message) -> Option<HubTransfer> {
        message.transfer.map(HubTransfer::from)
    }
}

/// As the bank shows it to the owner of an account.
pub(super) struct FromBank {
    pub(super) end_to_end_id: String,
    pub(super) account_id: String,
}

impl Source for FromBank {
    type Message = banking::WatchTransferResponse;
    type View = BankTransfer;

    async fn open(&self, hub: &Hub) -> Result<Streaming<Self::Message>, ClientError> {
        let request = banking::WatchTransferRequest {
            end_to_end_id: self.end_to_end_id.clone(),
            account_id: self.account_id.clone(),
        };
        hub.answer(hub.banking().watch_transfer(request).await)
    }

    fn view(message: Self::Message) -> Option<BankTransfer> {
        message.transfer.map(BankTransfer::from)
    }
}

/// A stream that broke off.
struct Broken {
    error: ClientError,
    /// When it did, if it had brought anything.
    heard: Option<Instant>,
}

/// One watch.
pub(super) struct Watch<'a> {
    pub(super) hub: &'a Hub,
    pub(super) output: &'a Output,
    /// Steps that were printed.
    pub(super) timeline: Timeline,
    /// How long the transfer may be unknown there: a bank's order takes a moment to arrive.
    pub(super) patience: Duration,
}

impl Watch<'_> {
    /// Prints each view until the transfer is final; the last one is the answer.
    pub(super) async fn follow<S: Source>(mut self, source: &S) -> anyhow::Result<S::View> {
        let mut heard = Instant::now();
        let mut is_away = false;
        loop {
            let error = match source.open(self.hub).await {
                Ok(stream) => {
                    match self.drain::<S>(stream, &mut is_away).await? {
                        Ok(last) => return Ok(last),
                        Err(broken) => {
                            // A watch may be silent for long; the absence begins when it breaks.
                            heard = broken.heard.unwrap_or(heard);
                            broken.error
                        }
                    }
                }
                Err(error) => error,
            };
            let (bearable, pause) = if error.may_pass() {
                if !is_away {
                    self.output.remark("the hub is away; waiting for it");
                    is_away = true;
                }
                (ABSENCE_MAX, ABSENCE_PAUSE)
            } else if error.is_not_found() {
                (self.patience, EARLY_PAUSE)
            } else {
                (Duration::ZERO, Duration::ZERO)
            };
            if heard.elapsed() >= bearable {
                return Err(error.into());
            }
            sleep(pause).await;
        }
    }

    /// Prints what a stream brings: the final view, or why it broke off.
    async fn drain<S: Source>(
        &mut self,
        mut stream: Streaming<S::Message>,
        is_away: &mut bool,
    ) -> anyhow::Result<Result<S::View, Broken>> {
        let mut has_spoken = false;
        loop {
            let next = match stream.message().await {
                Ok(Some(message)) => Ok(message),
                Ok(None) => Err(ClientError::ended_early(self.hub)),
                Err(status) => Err(self.hub.error(&status)),
            };
            let message = match next {
                Ok(message) => message,
                Err(error) => {
                    return Ok(Err(Broken { error, heard: has_spoken.then(Instant::now) }));
                }
            };
            (has_spoken, *is_away) = (true, false);
            let Some(view) = S::view(message) else { continue };
            self.print(&view)?;
            if view.is_final() {
                return Ok(Ok(view));
            }
        }
    }

    /// A JSON line, or the steps that are new.
    fn print(&mut self, view: &(impl LifeCycle + Shown)) -> anyhow::Result<()> {
        if self.output.is_json() {
            return self.output.show(view);
        }
        for line in self.timeline.advance(view, self.output.paint()) {
            self.output.line(&line)?;
        }
        Ok(())
    }
}
