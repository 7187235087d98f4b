//! The keys of accounts, for their own banks: those of any number of accounts in two reads.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{AccountId, Violation};

use crate::application::view::own_account;
use crate::application::{AccountView, DirectoryReads, EntryView};
use crate::domain::error;

/// Lists the active keys of accounts, oldest first. An account has at most 20.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListKeys {
    reads: Arc<dyn DirectoryReads>,
}

/// The keys of an account, or why they are not shown.
pub type Listed = Result<Vec<EntryView>, Violation>;

impl ListKeys {
    /// The query over what is committed.
    pub fn new(reads: Arc<dyn DirectoryReads>) -> Self {
        Self { reads }
    }

    /// The keys of each account, in the order of `asked`: `account_not_found`, for a
    /// token of another bank too.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        asked: &[(Caller, AccountId)],
    ) -> Result<Vec<Listed>, ApplicationError> {
        let ids: BTreeSet<AccountId> = asked.iter().map(|(_, id)| *id).collect();
        let ids: Vec<AccountId> = ids.into_iter().collect();
        let accounts = self.reads.accounts(&ids).await?;
        let accounts: HashMap<AccountId, AccountView> =
            accounts.into_iter().map(|account| (account.account_id, account)).collect();
        let may_see = |(caller, id): &(Caller, AccountId)| {
            let account = accounts.get(id).ok_or_else(error::account_not_found)?;
            own_account(caller, account.ispb)
        };
        let shown: Vec<Result<AccountId, Violation>> =
            asked.iter().map(|it| may_see(it).map(|()| it.1)).collect();
        let wanted: BTreeSet<AccountId> = shown.iter().flatten().copied().collect();
        let wanted: Vec<AccountId> = wanted.into_iter().collect();
        let mut keys: HashMap<AccountId, Vec<EntryView>> = HashMap::new();
        if !wanted.is_empty() {
            for entry in self.reads.entries_of(&wanted).await? {
                keys.entry(entry.account.account_id).or_default().push(entry);
            }
        }
        let list = |id: AccountId| keys.get(&id).cloned().unwrap_or_default();
        Ok(shown.into_iter().map(|shown| shown.map(list)).collect())
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Ispb;

    use super::*;
    use crate::application::memory::{account_id, account_view, entry_view, key};
    use crate::application::ports::MockDirectoryReads;

    #[tokio::test]
    async fn an_accounts_keys_are_for_its_own_bank_and_the_operator() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_accounts().times(1).returning(|ids| {
            assert_eq!(ids, [1, 2, 9].map(account_id));
            Ok([1, 2].map(|number| account_view(account_id(number))).into())
        });
        reads.expect_entries_of().times(1).returning(|accounts| {
            assert_eq!(accounts, [1, 2].map(account_id));
            Ok(vec![entry_view(&key("a@x")), entry_view(&key("b@x"))])
        });
        let bank = |ispb: &str| Caller::Bank(Ispb::parse(ispb).unwrap());
        let asked = [
            (Caller::Operator, account_id(1)),
            (bank("00000001"), account_id(1)),
            (bank("00000002"), account_id(1)),
            (Caller::Operator, account_id(2)),
            (Caller::Operator, account_id(9)),
        ];
        let listed = ListKeys::new(Arc::new(reads)).execute(&asked).await.unwrap();
        let told: Vec<Result<usize, &str>> = listed
            .iter()
            .map(|keys| keys.as_ref().map(Vec::len).map_err(Violation::code))
            .collect();
        let (foreign, missing) = (Err("account_not_found"), Err("account_not_found"));
        assert_eq!(told, [Ok(2), Ok(2), foreign, Ok(0), missing]);
    }

    #[tokio::test]
    async fn keys_that_nobody_may_see_are_not_read() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_accounts().returning(|_| Ok(Vec::new()));
        reads.expect_entries_of().never();
        let asked = [(Caller::Operator, account_id(1))];
        let listed = ListKeys::new(Arc::new(reads)).execute(&asked).await.unwrap();
        assert_eq!(listed[0].as_ref().unwrap_err().code(), "account_not_found");
    }
}
