//! Resolves account ids: all lookups that wait are answered by one query.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{ApplicationError, BatchExecutor, Batcher};
use shared_kernel::domain::AccountId;

use crate::application::{AccountView, DirectoryReads};
use crate::domain::error;

/// Where lookups are handed in.
pub type FindAccountQueue = Batcher<FindAccount, AccountView>;

/// One lookup; every caller may make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindAccount {
    /// The account.
    pub account_id: AccountId,
}

/// Answers lookups; one query for all that it is given.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct FindAccountExecutor {
    reads: Arc<dyn DirectoryReads>,
}

impl FindAccountExecutor {
    /// An executor over what is committed.
    pub fn new(reads: Arc<dyn DirectoryReads>) -> Self {
        Self { reads }
    }
}

#[async_trait]
impl BatchExecutor for FindAccountExecutor {
    type Request = FindAccount;
    type Answer = AccountView;

    async fn execute(
        &self,
        lookups: Vec<FindAccount>,
    ) -> Vec<Result<AccountView, ApplicationError>> {
        let wanted: HashSet<AccountId> = lookups.iter().map(|lookup| lookup.account_id).collect();
        let wanted: Vec<AccountId> = wanted.into_iter().collect();
        let found = match self.reads.accounts(&wanted).await {
            Ok(found) => found,
            Err(error) => {
                let failed = ApplicationError::from(error);
                return lookups.iter().map(|_| Err(failed.clone())).collect();
            }
        };
        let found: HashMap<AccountId, &AccountView> =
            found.iter().map(|account| (account.account_id, account)).collect();
        let answer = |lookup: &FindAccount| {
            let account = found.get(&lookup.account_id).map(|account| (*account).clone());
            account.ok_or_else(|| error::account_not_found().into())
        };
        lookups.iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::StoreError;

    use super::*;
    use crate::application::memory::{account_id, account_view};
    use crate::application::ports::MockDirectoryReads;

    fn lookup(number: u128) -> FindAccount {
        FindAccount { account_id: account_id(number) }
    }

    #[tokio::test]
    async fn many_lookups_are_one_query_and_each_gets_its_own_answer() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_accounts().times(1).returning(|ids| {
            assert_eq!(ids.len(), 10);
            let known = ids.iter().filter(|id| **id != account_id(3));
            Ok(known.map(|id| account_view(*id)).collect())
        });
        let lookups: Vec<FindAccount> = (0..50).map(|number| lookup(number % 10)).collect();
        let answers = FindAccountExecutor::new(Arc::new(reads)).execute(lookups.clone()).await;
        for (asked, answer) in lookups.iter().zip(answers) {
            match answer {
                Ok(account) => assert_eq!(account.account_id, asked.account_id),
                Err(ApplicationError::Refused(refused)) => {
                    assert_eq!(refused.code(), "account_not_found");
                    assert_eq!(asked.account_id, account_id(3));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_no_missing_account() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_accounts().returning(|_| Err(StoreError::Unavailable("down".into())));
        let answers = FindAccountExecutor::new(Arc::new(reads)).execute(vec![lookup(1)]).await;
        assert!(matches!(answers.as_slice(), [Err(ApplicationError::Unavailable(_))]));
    }
}
