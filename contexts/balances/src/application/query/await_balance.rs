//! Reading one's own writes: waits until the projection has reached a version.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::Either;
use shared_kernel::application::{ApplicationError, Caller, Clock};
use shared_kernel::domain::{AccountId, Violation};

use super::GetBalances;
use crate::application::ports::Commits;
use crate::domain::AccountVersion;

/// How long a caller waits at most. Whoever asks through the joined graph has 5 s for a
/// sub-request: a wait as long would take the other accounts of its sub-request along.
pub const WAIT_MAX: Duration = Duration::from_secs(3);

/// Where it is seen how far an account is. Who waits for many accounts at a time looks for all of
/// them at once.
#[async_trait]
pub trait Progress: Send + Sync {
    /// The version that the account has reached; none where its balance is the word of a program
    /// beside the hub.
    ///
    /// # Errors
    /// Those of [`GetBalances::execute`].
    async fn version(
        &self,
        caller: Caller,
        account: AccountId,
    ) -> Result<Option<AccountVersion>, ApplicationError>;
}

#[async_trait]
impl Progress for GetBalances {
    async fn version(
        &self,
        caller: Caller,
        account: AccountId,
    ) -> Result<Option<AccountVersion>, ApplicationError> {
        let answers = self.execute(caller, &[account]).await?;
        let answer = answers.into_iter().next().unwrap_or_else(|| Err(super::unknown(account)));
        Ok(answer?.version())
    }
}

/// The use case.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct AwaitBalance {
    commits: Arc<dyn Commits>,
    clock: Arc<dyn Clock>,
}

impl AwaitBalance {
    /// The use case over what the read side commits.
    pub fn new(commits: Arc<dyn Commits>, clock: Arc<dyn Clock>) -> Self {
        Self { commits, clock }
    }

    /// Ends once the balance has that version or a newer one. It is looked at first, then each time
    /// a commit says that it is time, and at the end; never on a timer.
    ///
    /// # Errors
    /// `balance_behind` (unavailable) when the version has not arrived after 3 s; else as
    /// [`GetBalances::execute`]. An account that is not known yet is waited for too.
    pub async fn execute(
        &self,
        progress: &dyn Progress,
        caller: Caller,
        account: AccountId,
        version: AccountVersion,
    ) -> Result<(), ApplicationError> {
        let mut watch = self.commits.listen(account);
        let mut late = self.clock.sleep(WAIT_MAX);
        // The last look is taken when nothing more is waited for.
        let mut awake = true;
        loop {
            let unknown = match progress.version(caller, account).await {
                Ok(reached) if reached >= Some(version) => return Ok(()),
                Ok(_) => behind(account, version),
                Err(ApplicationError::Refused(broken)) if broken.code() == "balance_unknown" => {
                    broken
                }
                Err(error) => return Err(error),
            };
            if !awake {
                return Err(unknown.into());
            }
            let reached = watch.reached(version);
            awake = match futures::future::select(reached, &mut late).await {
                Either::Left((reached, _)) => reached,
                Either::Right(((), _)) => false,
            };
        }
    }
}

fn behind(account: AccountId, version: AccountVersion) -> Violation {
    let (wait, number) = (WAIT_MAX.as_secs(), version.number());
    let message = format!(
        "account {account} has not reached version {number} here after {wait} s; ask again"
    );
    Violation::unavailable("balance_behind", "min_version", message)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::ports::{CommitWatch, MockBalancesReads, MockCommitWatch, MockCommits};
    use crate::domain::AccountBalance;
    use crate::domain::testing::{account, event};

    /// Reads that find these versions one after the other (0 finds nothing), and a watch that
    /// calls for all of them but the first and the last, then ends.
    fn waiting(found: &'static [i64]) -> (AwaitBalance, GetBalances) {
        let mut reads = MockBalancesReads::new();
        let next = Mutex::new(found.iter());
        reads.expect_balances().times(found.len()).returning(move |_| {
            let version = *next.lock().unwrap().next().unwrap();
            let known = (version > 0).then(|| AccountBalance::begin(&event(1, version)).into());
            Ok(known.into_iter().collect())
        });
        let mut commits = MockCommits::new();
        commits.expect_listen().times(1).return_once(move |of| {
            assert_eq!(of, account(1));
            let mut watch = MockCommitWatch::new();
            let spoken = Mutex::new(2..found.len());
            watch.expect_reached().returning(move |_| spoken.lock().unwrap().next().is_some());
            Box::new(watch)
        });
        let clock = Arc::new(FixedClock::default());
        let waiting = AwaitBalance::new(Arc::new(commits), clock);
        (waiting, GetBalances::new(Arc::new(reads)))
    }

    async fn ask(found: &'static [i64], version: i64) -> Result<(), &'static str> {
        let version = AccountVersion::new(version).unwrap();
        let (waiting, balances) = waiting(found);
        let answer = waiting.execute(&balances, Caller::Operator, account(1), version).await;
        match answer {
            Ok(()) => Ok(()),
            Err(ApplicationError::Refused(broken)) => Err(broken.code()),
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn what_has_arrived_is_answered_at_once() {
        assert_eq!(ask(&[4], 3).await, Ok(()));
        assert_eq!(ask(&[3], 3).await, Ok(()));
    }

    #[tokio::test]
    async fn what_has_not_is_awaited_commit_by_commit() {
        assert_eq!(ask(&[1, 2, 3], 3).await, Ok(()));
        assert_eq!(ask(&[0, 1], 1).await, Ok(()));
    }

    #[tokio::test]
    async fn a_wait_that_ends_says_so() {
        assert_eq!(ask(&[1, 1, 2], 3).await, Err("balance_behind"));
        assert_eq!(ask(&[0, 0], 3).await, Err("balance_unknown"));
        assert_eq!(ask(&[1, 3], 3).await, Ok(()), "the last look counts");
    }

    /// Hears nothing, ever.
    struct Silent;

    #[async_trait]
    impl CommitWatch for Silent {
        async fn reached(&mut self, _version: AccountVersion) -> bool {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_watch_that_stays_silent_is_left_after_the_longest_wait() {
        let mut reads = MockBalancesReads::new();
        reads
            .expect_balances()
            .times(2)
            .returning(|_| Ok(vec![AccountBalance::begin(&event(1, 1)).into()]));
        let mut commits = MockCommits::new();
        commits.expect_listen().return_once(|_| Box::new(Silent));
        let clock = Arc::new(FixedClock::default());
        let began = clock.now();
        let waiting = AwaitBalance::new(Arc::new(commits), clock.clone());
        let balances = GetBalances::new(Arc::new(reads));
        let version = AccountVersion::new(2).unwrap();
        let answer = waiting.execute(&balances, Caller::Operator, account(1), version).await;
        assert!(
            matches!(answer, Err(ApplicationError::Refused(it)) if it.code() == "balance_behind")
        );
        assert_eq!(clock.now().since(began), WAIT_MAX);
    }
}
