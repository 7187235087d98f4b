//! Who waits for an account hears of it when the projection commits, in whichever process.
//!
//! A transaction that saves balances notifies a channel of the database; each process listens on
//! one session and wakes its own waiters. What is committed while nothing listened is not heard:
//! then everyone is told to look.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures::StreamExt;
use shared_kernel::application::{StopSignal, StoreError};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::postgres::{Database, store_error};
use tokio::sync::broadcast;

use crate::application::ports::{CommitWatch, Commits};
use crate::domain::{AccountBalance, AccountVersion};

/// Notifies of balances, by texts of [`announcements`].
pub(super) const ANNOUNCE: &str =
    "SELECT pg_notify('balances_committed', text) FROM unnest($1::text[]) AS text";
const LISTEN: &str = "LISTEN balances_committed";

/// Accounts of one notification: its text stays below the 8,000 bytes that it may have.
const ANNOUNCED_MAX: usize = 128;
/// Commits that a waiter may lag behind before it is told to look anew.
const BACKLOG_MAX: usize = 4_096;
/// Pause before the database is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// What a transaction says of the balances that it saves: `<account>:<version>,…`.
pub(super) fn announcements(balances: &[AccountBalance]) -> Vec<String> {
    let one = |it: &AccountBalance| format!("{}:{}", it.account_id(), it.version().number());
    let text = |some: &[AccountBalance]| some.iter().map(one).collect::<Vec<_>>().join(",");
    balances.chunks(ANNOUNCED_MAX).map(text).collect()
}

/// One commit as its announcement says it.
#[derive(Debug, PartialEq, Eq)]
struct Heard(Vec<(AccountId, i64)>);

impl Heard {
    /// Reads an announcement; what is unreadable is left out.
    fn read(text: &str) -> Self {
        let one = |part: &str| {
            let (account, version) = part.split_once(':')?;
            Some((AccountId::parse(account).ok()?, version.parse().ok()?))
        };
        Self(text.split(',').filter_map(one).collect())
    }
}

/// What was heard; nothing in particular when something may have been missed.
type Word = Option<Arc<Heard>>;

/// Where waiters of this process listen.
#[derive(Clone, Debug)]
pub struct CommitFeed(broadcast::Sender<Word>);

impl Default for CommitFeed {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG_MAX).0)
    }
}

impl CommitFeed {
    fn tell(&self, word: Word) {
        if self.0.receiver_count() > 0 {
            drop(self.0.send(word));
        }
    }

    /// Listens until asked to stop; connects again after errors.
    pub async fn run(self, database: Database, mut stop: StopSignal) {
        while !stop.is_stopped() {
            tokio::select! {
                () = stop.stopped() => return,
                outcome = self.follow(&database) => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "the database will be listened to again");
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(&self, database: &Database) -> Result<(), StoreError> {
        let mut session = database.listener().await?;
        session.batch_execute(LISTEN).await.map_err(store_error)?;
        // Whatever was committed while nothing listened.
        self.tell(None);
        self.hear(&mut session).await
    }

    async fn hear(&self, session: &mut AsyncPgConnection) -> Result<(), StoreError> {
        let mut notifications = std::pin::pin!(session.notifications_stream());
        while let Some(notification) = notifications.next().await {
            let text = notification.map_err(store_error)?.payload;
            self.tell(Some(Arc::new(Heard::read(&text))));
        }
        Ok(())
    }
}

impl Commits for CommitFeed {
    fn listen(&self, account: AccountId) -> Box<dyn CommitWatch> {
        Box::new(Listener { account, words: self.0.subscribe() })
    }
}

/// Waits for one account.
struct Listener {
    account: AccountId,
    words: broadcast::Receiver<Word>,
}

#[async_trait]
impl CommitWatch for Listener {
    async fn reached(&mut self, version: AccountVersion) -> bool {
        let is_it = |(account, number): &(AccountId, i64)| {
            *account == self.account && *number >= version.number()
        };
        loop {
            match self.words.recv().await {
                Ok(None) | Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Ok(Some(heard)) if heard.0.iter().any(is_it) => return true,
                Ok(Some(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{account, event};

    fn balances(count: u128) -> Vec<AccountBalance> {
        let version = AccountVersion::new(i64::MAX).unwrap();
        let newest = |number| {
            let mut event = event(number, 1);
            event.state.version = version;
            AccountBalance::begin(&event)
        };
        (0..count).map(newest).collect()
    }

    #[test]
    fn an_announcement_reads_back_and_fits_a_notification() {
        let texts = announcements(&balances(300));
        assert_eq!(texts.len(), 3);
        assert!(texts.iter().all(|text| text.len() < 8_000), "{}", texts[0].len());
        let heard: Vec<_> = texts.iter().flat_map(|text| Heard::read(text).0).collect();
        assert_eq!(heard.len(), 300);
        assert_eq!(heard[299], (account(299), i64::MAX));
        assert_eq!(Heard::read("1:2,x,").0, []);
    }

    #[tokio::test]
    async fn a_waiter_wakes_for_its_account_and_version_and_for_any() {
        let feed = CommitFeed::default();
        let mut watch = feed.listen(account(1));
        let version = AccountVersion::new(2).unwrap();
        let say = |text: String| feed.tell(Some(Arc::new(Heard::read(&text))));
        say(format!("{}:9,{}:1", account(2), account(1)));
        say(format!("{}:2", account(1)));
        say(format!("{}:1", account(1)));
        assert!(watch.reached(version).await);
        feed.tell(None);
        assert!(watch.reached(version).await);
        drop(feed);
        assert!(!watch.reached(version).await);
    }
}
