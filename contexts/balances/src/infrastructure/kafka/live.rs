//! The live end of accounts: each event as it arrives, for those who follow an account.

use std::sync::Arc;

use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::{InboundRecord, StopSignal};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::kafka::{TailListener, TailRecord};
use tokio::sync::broadcast;

use super::inbound::{ACCOUNTS_TOPIC, account_event};
use crate::domain::AccountEvent;

/// Events that a follower may lag behind before it is told to look anew.
const BACKLOG_MAX: usize = 4_096;

/// What followers make of a record.
pub(crate) const READER: Reader = Reader {
    context: "balances",
    consumer: "followers of accounts",
    channels: &[ACCOUNTS_TOPIC],
    knows: &[],
    read: |record| account_event(record).map(|_event| true),
};

/// An event; none when any may have been missed.
type Word = Option<Arc<AccountEvent>>;

/// Where followers subscribe, until the process stops. One who is slow or gone costs nothing but
/// its own stream.
#[derive(Clone, Debug)]
pub struct AccountFeed {
    words: broadcast::Sender<Word>,
    stop: StopSignal,
}

impl AccountFeed {
    /// A feed for followers, who end with `stop`.
    pub fn new(stop: StopSignal) -> Self {
        Self { words: broadcast::channel(BACKLOG_MAX).0, stop }
    }

    /// The events that arrive from now on.
    pub fn watch(&self) -> AccountWatch {
        AccountWatch { words: self.words.subscribe(), stop: self.stop.clone() }
    }

    /// How many follow at present.
    pub fn followers(&self) -> usize {
        self.words.receiver_count()
    }

    /// Tells every follower.
    pub fn tell(&self, event: AccountEvent) {
        drop(self.words.send(Some(Arc::new(event))));
    }
}

impl TailListener for AccountFeed {
    fn heard(&self, _record: TailRecord<'_>) {}

    fn heard_whole(&self, read: &dyn Fn() -> InboundRecord) {
        if self.followers() == 0 {
            return;
        }
        // What is unreadable is a dead letter of the projection and no change of any account.
        if let Ok(event) = account_event(&read()) {
            self.tell(event);
        }
    }

    fn begins(&self) {
        if self.followers() > 0 {
            drop(self.words.send(None));
        }
    }
}

/// What a follower learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The account changed.
    Event(Arc<AccountEvent>),
    /// It may have changed: look at it.
    Unsure,
}

/// One follower.
#[derive(Debug)]
pub struct AccountWatch {
    words: broadcast::Receiver<Word>,
    stop: StopSignal,
}

impl AccountWatch {
    /// The next word about an account; none when the process is stopping.
    pub async fn next(&mut self, account: AccountId) -> Option<Seen> {
        let Self { words, stop } = self;
        loop {
            let word = tokio::select! {
                () = stop.stopped() => return None,
                word = words.recv() => word,
            };
            match word {
                Ok(Some(event)) if event.account_id == account => return Some(Seen::Event(event)),
                Ok(Some(_)) => {}
                Ok(None) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    return Some(Seen::Unsure);
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::stop::stop_pair;

    use super::*;
    use crate::domain::testing::{account, event};

    #[tokio::test]
    async fn a_follower_hears_its_account_and_of_gaps() {
        let (handle, stop) = stop_pair();
        let feed = AccountFeed::new(stop);
        let mut watch = feed.watch();
        feed.tell(event(2, 1));
        feed.tell(event(1, 1));
        let heard = watch.next(account(1)).await;
        assert_eq!(heard, Some(Seen::Event(Arc::new(event(1, 1)))));
        feed.begins();
        assert_eq!(watch.next(account(1)).await, Some(Seen::Unsure));
        for _ in 0..=BACKLOG_MAX {
            feed.tell(event(2, 1));
        }
        assert_eq!(watch.next(account(1)).await, Some(Seen::Unsure));
        let mut at_the_end = feed.watch();
        handle.stop();
        assert_eq!(at_the_end.next(account(1)).await, None, "though the feed is there");
    }
}
