//! What resolvers of one moment ask for is read together: one read for each sort of thing, however
//! many entities ask. Nothing is kept for the next request.

use std::collections::HashMap;

use async_graphql::dataloader::{DataLoader, Loader};
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{AccountId, Kind};
use shared_kernel::infrastructure::graphql::{LOADER_DELAY, start_batch};

use crate::application::query::{GetAccounts, GetKeys, ListKeys, Listed};
use crate::application::{AccountView, EntryView, PixKeys};
use crate::domain::PixKey;

/// What there is to load.
pub(super) struct Loaders {
    keys: DataLoader<KeyLoader>,
    lists: DataLoader<ListLoader>,
    accounts: DataLoader<AccountLoader>,
}

impl Loaders {
    pub(super) fn new(pix_keys: &PixKeys) -> Self {
        Self {
            keys: loader(KeyLoader(pix_keys.get_keys.clone())),
            lists: loader(ListLoader(pix_keys.list_keys.clone())),
            accounts: loader(AccountLoader(pix_keys.get_accounts.clone())),
        }
    }

    /// What a key names, if its caller may see it.
    pub(super) async fn key(
        &self,
        asked: (Caller, PixKey),
    ) -> Result<Option<EntryView>, ApplicationError> {
        self.keys.load_one(asked).await
    }

    /// The keys of an account; none at all of one that the directory does not know.
    pub(super) async fn keys_of(
        &self,
        asked: (Caller, AccountId),
    ) -> Result<Option<Vec<EntryView>>, ApplicationError> {
        match self.lists.load_one(asked).await? {
            Some(Err(broken)) if broken.kind() != Kind::NotFound => Err(broken.into()),
            listed => Ok(listed.and_then(Result::ok)),
        }
    }

    /// What the directory knows of an account.
    pub(super) async fn account(
        &self,
        id: AccountId,
    ) -> Result<Option<AccountView>, ApplicationError> {
        self.accounts.load_one(id).await
    }
}

fn loader<L>(loader: L) -> DataLoader<L> {
    DataLoader::new(loader, start_batch).delay(LOADER_DELAY)
}

struct KeyLoader(GetKeys);

impl Loader<(Caller, PixKey)> for KeyLoader {
    type Value = EntryView;
    type Error = ApplicationError;

    async fn load(
        &self,
        asked: &[(Caller, PixKey)],
    ) -> Result<HashMap<(Caller, PixKey), EntryView>, ApplicationError> {
        let found = asked.iter().cloned().zip(self.0.execute(asked).await?);
        Ok(found.filter_map(|(asked, entry)| Some((asked, entry?))).collect())
    }
}

struct ListLoader(ListKeys);

impl Loader<(Caller, AccountId)> for ListLoader {
    type Value = Listed;
    type Error = ApplicationError;

    async fn load(
        &self,
        asked: &[(Caller, AccountId)],
    ) -> Result<HashMap<(Caller, AccountId), Listed>, ApplicationError> {
        Ok(asked.iter().copied().zip(self.0.execute(asked).await?).collect())
    }
}

struct AccountLoader(GetAccounts);

impl Loader<AccountId> for AccountLoader {
    type Value = AccountView;
    type Error = ApplicationError;

    async fn load(
        &self,
        ids: &[AccountId],
    ) -> Result<HashMap<AccountId, AccountView>, ApplicationError> {
        let found = self.0.execute(ids).await?;
        Ok(found.into_iter().map(|account| (account.account_id, account)).collect())
    }
}
