//! Loaders: all accounts of a request are one question to the use case, and one of each kind; so
//! are all lists of banks.
//!
//! Several requests may share a load; each key carries its caller, and callers are judged apart.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_trait::async_trait;
use shared_kernel::application::{ApplicationError, Caller, Page};
use shared_kernel::domain::{AccountId, Timestamp, Violation};
use shared_kernel::infrastructure::graphql::{LOADER_DELAY, refused, start_batch};

use crate::application::Balances;
use crate::application::ports::StatementLine;
use crate::application::query::{BalanceList, Listed, Progress, StatementQuestion, unknown};
use crate::domain::{AccountVersion, SeenBalance};

/// What a load failed with; shared by all whom it failed.
type Failure = Arc<ApplicationError>;

/// The answer of a load or its failure as an error of the graph.
pub(super) fn answered<T>(loaded: Result<T, Failure>) -> async_graphql::Result<T> {
    loaded.map_err(|failure| refused(Arc::unwrap_or_clone(failure)))
}

/// Which balance is wanted by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BalanceKey {
    pub(super) caller: Caller,
    pub(super) account: AccountId,
    /// Now when it is not given.
    pub(super) at: Option<Timestamp>,
}

/// Loads balances.
pub(super) struct BalanceLoader(Arc<Balances>);

/// A loader of balances.
pub(super) fn balance_loader(facade: Arc<Balances>) -> DataLoader<BalanceLoader> {
    DataLoader::new(BalanceLoader(facade), start_batch).delay(LOADER_DELAY)
}

/// Keys by their callers: almost always one.
fn by_caller<K: Copy>(keys: &[K], caller: impl Fn(&K) -> Caller) -> HashMap<Caller, Vec<K>> {
    let mut groups: HashMap<Caller, Vec<K>> = HashMap::new();
    for key in keys {
        groups.entry(caller(key)).or_default().push(*key);
    }
    groups
}

/// Keys with their answers.
fn paired<K: Eq + Hash, T>(keys: Vec<K>, answers: Vec<T>) -> impl Iterator<Item = (K, T)> {
    keys.into_iter().zip(answers)
}

impl Loader<BalanceKey> for BalanceLoader {
    type Value = Result<SeenBalance, Violation>;
    type Error = Failure;

    async fn load(
        &self,
        keys: &[BalanceKey],
    ) -> Result<HashMap<BalanceKey, Self::Value>, Self::Error> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (caller, keys) in by_caller(keys, |key| key.caller) {
            let (past, now): (Vec<_>, Vec<_>) = keys.into_iter().partition(|it| it.at.is_some());
            if !now.is_empty() {
                let accounts: Vec<AccountId> = now.iter().map(|key| key.account).collect();
                let balances = self.0.get_balances.execute(caller, &accounts).await?;
                let states = balances.into_iter().map(|it| it.map(|known| known.seen()));
                loaded.extend(paired(now, states.collect()));
            }
            if !past.is_empty() {
                let wanted: Vec<(AccountId, Timestamp)> =
                    past.iter().filter_map(|key| Some((key.account, key.at?))).collect();
                let states = self.0.get_past_balances.execute(caller, &wanted).await?;
                loaded.extend(paired(past, states));
            }
        }
        Ok(loaded)
    }
}

/// Accounts that are waited for at the same time are looked at together.
#[async_trait]
impl Progress for DataLoader<BalanceLoader> {
    async fn version(
        &self,
        caller: Caller,
        account: AccountId,
    ) -> Result<Option<AccountVersion>, ApplicationError> {
        let loaded = self.load_one(BalanceKey { caller, account, at: None }).await;
        let answer = loaded.map_err(Arc::unwrap_or_clone)?;
        let seen = answer.unwrap_or_else(|| Err(unknown(account)))?;
        Ok(seen.standing.version())
    }
}

/// Which part of which statement is wanted by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StatementKey {
    pub(super) caller: Caller,
    pub(super) question: StatementQuestion,
}

/// Loads statements.
pub(super) struct StatementLoader(Arc<Balances>);

/// A loader of statements.
pub(super) fn statement_loader(facade: Arc<Balances>) -> DataLoader<StatementLoader> {
    DataLoader::new(StatementLoader(facade), start_batch).delay(LOADER_DELAY)
}

impl Loader<StatementKey> for StatementLoader {
    type Value = Result<Page<StatementLine>, Violation>;
    type Error = Failure;

    async fn load(
        &self,
        keys: &[StatementKey],
    ) -> Result<HashMap<StatementKey, Self::Value>, Self::Error> {
        let mut loaded = HashMap::with_capacity(keys.len());
        for (caller, keys) in by_caller(keys, |key| key.caller) {
            let questions: Vec<StatementQuestion> = keys.iter().map(|key| key.question).collect();
            let pages = self.0.get_statements.execute(caller, &questions).await?;
            loaded.extend(paired(keys, pages));
        }
        Ok(loaded)
    }
}

/// Loads lists of balances.
pub(super) struct BalanceListLoader(Arc<Balances>);

/// A loader of lists of balances.
pub(super) fn balance_list_loader(facade: Arc<Balances>) -> DataLoader<BalanceListLoader> {
    DataLoader::new(BalanceListLoader(facade), start_batch).delay(LOADER_DELAY)
}

impl Loader<BalanceList> for BalanceListLoader {
    type Value = Listed;
    type Error = Failure;

    async fn load(
        &self,
        keys: &[BalanceList],
    ) -> Result<HashMap<BalanceList, Self::Value>, Self::Error> {
        let pages = self.0.list_balances.execute(keys).await?;
        Ok(paired(keys.to_vec(), pages).collect())
    }
}
