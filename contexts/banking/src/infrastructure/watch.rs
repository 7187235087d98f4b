//! Following a transfer: the present state, then every change, until a final one.
//!
//! What wakes a watcher is the account's own event on the log, so it works in every process of the
//! context; then the state is read again. One thing has no event of an account: an expected credit
//! that the hub ended. Such a watcher also looks when the transfer's deadline has passed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::pending;
use futures::stream::{BoxStream, StreamExt, unfold};
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::{Backoff, Caller, Clock, StopSignal, Unreadable};
use shared_kernel::domain::{AccountId, EndToEndId};
use shared_kernel::infrastructure::kafka::TailFeed;
use shared_kernel::infrastructure::kafka::tail::TailWatch;

use super::kafka::published::ACCOUNTS;
use crate::application::Banking;
use crate::application::ports::Outcome;
use crate::application::query::GetTransfer;
use crate::application::views::{Direction, TransferView};

/// First look after the deadline of an expected credit; the delay doubles.
const LOOK_FIRST: Duration = Duration::from_secs(1);
/// Longest delay between two looks after a deadline.
const LOOK_MOST: Duration = Duration::from_mins(1);

/// What watchers make of a record: whatever happened to an account wakes those who watch it.
pub(super) const READER: Reader = Reader {
    context: "banking",
    consumer: "watchers of transfers",
    channels: &[ACCOUNTS.address],
    knows: &[],
    read: |record| {
        let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        match key.map(AccountId::parse) {
            Some(Ok(_id)) => Ok(true),
            Some(Err(_)) | None => {
                Err(Unreadable::new("account_key", "the key of an account's event is its id"))
            }
        }
    },
};

/// Starts watchers.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct TransferWatches {
    query: GetTransfer,
    feed: TailFeed,
    clock: Arc<dyn Clock>,
    stop: StopSignal,
}

/// One watcher, between two answers.
struct Watcher {
    query: GetTransfer,
    clock: Arc<dyn Clock>,
    changes: TailWatch,
    caller: Caller,
    id: EndToEndId,
    account_id: AccountId,
    shown: Option<TransferView>,
    backoff: Backoff,
    stop: StopSignal,
}

impl TransferWatches {
    /// Watchers over the account events that `feed` brings; they end with `stop`.
    pub fn new(
        facade: &Arc<Banking>,
        feed: TailFeed,
        clock: Arc<dyn Clock>,
        stop: StopSignal,
    ) -> Self {
        Self { query: facade.get_transfer.clone(), feed, clock, stop }
    }

    /// Follows a transfer as an account sees it. The first item is the present state or a refusal.
    pub fn watch(
        &self,
        caller: Caller,
        id: EndToEndId,
        account_id: AccountId,
    ) -> BoxStream<'static, Outcome<TransferView>> {
        let watcher = Watcher {
            query: self.query.clone(),
            clock: Arc::clone(&self.clock),
            // Before the first look, so that no change falls between.
            changes: self.feed.watch(),
            caller,
            id,
            account_id,
            shown: None,
            backoff: Backoff::new(LOOK_FIRST, LOOK_MOST),
            stop: self.stop.clone(),
        };
        unfold(Some(watcher), |watcher| async {
            let mut watcher = watcher?;
            match watcher.next().await? {
                Ok(view) => {
                    let goes_on = !view.state.is_final();
                    watcher.shown = Some(view.clone());
                    Some((Ok(view), goes_on.then_some(watcher)))
                }
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

impl Watcher {
    /// The next state that was not shown yet; `None` when the process is stopping.
    async fn next(&mut self) -> Option<Outcome<TransferView>> {
        loop {
            if self.shown.is_some() && !self.woken().await {
                return None;
            }
            match self.query.execute(self.caller, self.id, self.account_id).await {
                Ok(view) if self.shown.as_ref() == Some(&view) => {}
                outcome => return Some(outcome),
            }
        }
    }

    /// Waits for a reason to look. `false` when the process is stopping.
    async fn woken(&mut self) -> bool {
        let silent = self.shown.as_ref().filter(|view| view.direction == Direction::Incoming);
        let look_in = silent.map(|view| {
            let rest = view.deadline.since(self.clock.now());
            rest.saturating_add(self.backoff.delay())
        });
        let account_id = self.account_id.to_string();
        let keys = [account_id.as_str()];
        let Self { changes, clock, stop, .. } = self;
        let looks = async {
            match look_in {
                None => pending().await,
                Some(delay) => clock.sleep(delay).await,
            }
        };
        tokio::select! {
            () = stop.stopped() => false,
            goes_on = changes.changed(&keys) => goes_on,
            () = looks => true,
        }
    }
}
