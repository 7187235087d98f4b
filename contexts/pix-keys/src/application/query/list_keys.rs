//! The keys of an account, for its own bank.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::AccountId;

use crate::application::view::own_account;
use crate::application::{DirectoryReads, EntryView};
use crate::domain::error;

/// Lists the active keys of an account, oldest first. An account has at most 20.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListKeys {
    reads: Arc<dyn DirectoryReads>,
}

impl ListKeys {
    /// The query over what is committed.
    pub fn new(reads: Arc<dyn DirectoryReads>) -> Self {
        Self { reads }
    }

    /// The keys.
    ///
    /// # Errors
    /// `account_not_found`, for a token of another bank too.
    pub async fn execute(
        &self,
        caller: &Caller,
        account_id: AccountId,
    ) -> Result<Vec<EntryView>, ApplicationError> {
        let account = self.reads.accounts(&[account_id]).await?.into_iter().next();
        let account = account.ok_or_else(error::account_not_found)?;
        own_account(caller, account.ispb)?;
        Ok(self.reads.entries_of(account_id).await?)
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Ispb;

    use super::*;
    use crate::application::memory::{account_id, account_view, entry_view, key};
    use crate::application::ports::MockDirectoryReads;

    async fn listed(caller: Caller, known: bool) -> Result<usize, &'static str> {
        let mut reads = MockDirectoryReads::new();
        reads.expect_accounts().returning(move |ids| {
            Ok(ids.iter().filter(|_| known).map(|id| account_view(*id)).collect())
        });
        reads.expect_entries_of().returning(|_| Ok(vec![entry_view(&key("a@x"))]));
        match ListKeys::new(Arc::new(reads)).execute(&caller, account_id(1)).await {
            Ok(keys) => Ok(keys.len()),
            Err(ApplicationError::Refused(refused)) => Err(refused.code()),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn an_accounts_keys_are_for_its_own_bank_and_the_operator() {
        let bank = |ispb: &str| Caller::Bank(Ispb::parse(ispb).unwrap());
        assert_eq!(listed(Caller::Operator, true).await, Ok(1));
        assert_eq!(listed(bank("00000001"), true).await, Ok(1));
        assert_eq!(listed(bank("00000002"), true).await, Err("account_not_found"));
        assert_eq!(listed(Caller::Operator, false).await, Err("account_not_found"));
    }
}
