//! An account was opened, blocked, unblocked or closed at its bank.
//!
//! The messages of a batch are folded over the accounts in memory, in order; accounts that were
//! closed by them lose their keys in the same transaction. Cost per batch: one locking read of
//! accounts, one insert and one update of accounts; with closures one locking read, one update and
//! one outbox row more.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shared_kernel::application::{Clock, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Violation};

use crate::application::DirectoryTransaction;
use crate::application::ports::EntryChange;
use crate::domain::{Account, AccountNews, AccountStatus, RemovalReason};

/// News of an account, and the trace that brought it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What the bank tells.
    pub news: AccountNews,
    /// What causes what it leads to.
    pub trace: TraceParent,
}

/// Takes news of accounts in.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct OnAccountChanged {
    clock: Arc<dyn Clock>,
}

/// The accounts of a batch while its news is taken in.
#[derive(Default)]
struct Fold {
    accounts: BTreeMap<AccountId, Account>,
    added: BTreeSet<AccountId>,
    updated: BTreeSet<AccountId>,
    closed: BTreeMap<AccountId, TraceParent>,
}

impl Fold {
    fn hear(&mut self, heard: Heard) -> Result<(), Violation> {
        let Heard { news, trace } = heard;
        let id = news.account_id;
        match self.accounts.entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(Account::first_told(news));
                self.added.insert(id);
            }
            Entry::Occupied(mut account) => {
                if account.get_mut().hear(news)? && !self.added.contains(&id) {
                    self.updated.insert(id);
                }
            }
        }
        if self.accounts.get(&id).map(Account::status) == Some(AccountStatus::Closed) {
            self.closed.entry(id).or_insert(trace);
        }
        Ok(())
    }

    fn pick(&self, ids: &BTreeSet<AccountId>) -> Vec<Account> {
        ids.iter().filter_map(|id| self.accounts.get(id).cloned()).collect()
    }
}

impl OnAccountChanged {
    /// The reaction by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    /// Folds what was heard and writes it. One result per piece of news, in order: a refused one
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn react(
        &self,
        transaction: &mut dyn DirectoryTransaction,
        heard: Vec<Heard>,
    ) -> Result<Vec<Result<(), Violation>>, StoreError> {
        let ids: BTreeSet<AccountId> = heard.iter().map(|heard| heard.news.account_id).collect();
        let ids: Vec<AccountId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut fold = Fold::default();
        for listed in transaction.lock_accounts(&ids).await? {
            fold.accounts.insert(listed.account.id(), listed.account);
        }
        let outcomes = heard.into_iter().map(|heard| fold.hear(heard)).collect();
        if !fold.added.is_empty() {
            transaction.add_accounts(&fold.pick(&fold.added)).await?;
        }
        if !fold.updated.is_empty() {
            transaction.update_accounts(&fold.pick(&fold.updated)).await?;
        }
        self.remove_keys(transaction, &fold.closed).await?;
        Ok(outcomes)
    }

    /// Closed accounts have no keys.
    async fn remove_keys(
        &self,
        transaction: &mut dyn DirectoryTransaction,
        closed: &BTreeMap<AccountId, TraceParent>,
    ) -> Result<(), StoreError> {
        if closed.is_empty() {
            return Ok(());
        }
        let ids: Vec<AccountId> = closed.keys().copied().collect();
        let now = self.clock.now();
        let mut changes = Vec::new();
        for mut entry in transaction.lock_entries_of(&ids).await? {
            let Some(account_id) = entry.holding().map(|held| held.account_id) else { continue };
            let Some(trace) = closed.get(&account_id).cloned() else { continue };
            let removed = entry.remove(account_id, RemovalReason::AccountClosure, now);
            if let Ok(event) = removed {
                entry.apply(&event);
                changes.push(EntryChange { entry, event, trace });
            }
        }
        if changes.is_empty() { Ok(()) } else { transaction.save_entries(&changes).await }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Ispb;

    use super::*;
    use crate::application::DirectoryStore;
    use crate::application::memory::{MemoryDirectory, account_id, details, trace};
    use crate::domain::{AccountFact, EntryEvent};

    const MARIA: &str = "12345678909";

    fn heard(number: u128, version: i64, fact: AccountFact) -> Heard {
        let ispb = Ispb::parse("00000001").unwrap();
        let news = AccountNews { account_id: account_id(number), ispb, version, fact };
        Heard { news, trace: trace() }
    }

    fn opened(number: u128) -> Heard {
        heard(number, 1, AccountFact::Opened(details(MARIA)))
    }

    async fn react(directory: &MemoryDirectory, heard: Vec<Heard>) -> Vec<&'static str> {
        let mut transaction = directory.begin().await.unwrap();
        let reaction = OnAccountChanged::new(directory.clock());
        let outcomes = reaction.react(transaction.as_mut(), heard).await.unwrap();
        transaction.commit().await.unwrap();
        outcomes.into_iter().map(|it| it.err().map_or("", |refused| refused.code())).collect()
    }

    fn status(directory: &MemoryDirectory, number: u128) -> AccountStatus {
        directory.account(number).unwrap().status()
    }

    #[tokio::test]
    async fn a_batch_is_folded_in_order() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        let batch = vec![
            opened(1),
            opened(2),
            heard(1, 2, AccountFact::Blocked),
            heard(2, 2, AccountFact::Blocked),
            heard(2, 3, AccountFact::Unblocked),
            opened(1),
        ];
        assert_eq!(react(&directory, batch).await, [""; 6]);
        assert_eq!(status(&directory, 1), AccountStatus::Blocked);
        assert_eq!(status(&directory, 2), AccountStatus::Active);
        assert_eq!(react(&directory, vec![]).await, [""; 0]);
    }

    #[tokio::test]
    async fn closing_an_account_removes_its_keys_once() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        react(&directory, vec![opened(1), opened(2)]).await;
        directory.give(1, "a@x");
        directory.give(1, "b@x");
        directory.give(2, "c@x");
        let closing = || vec![heard(1, 5, AccountFact::Closed), heard(1, 5, AccountFact::Closed)];
        react(&directory, closing()).await;
        react(&directory, closing()).await;
        let removed: Vec<(String, RemovalReason)> = directory
            .published()
            .into_iter()
            .filter_map(|change| match change.event {
                EntryEvent::Removed(removed) => {
                    assert_eq!(change.trace, trace());
                    Some((change.entry.key().as_str().to_owned(), removed.reason))
                }
                EntryEvent::Registered(_) => None,
            })
            .collect();
        let reason = RemovalReason::AccountClosure;
        assert_eq!(removed, [("a@x".into(), reason), ("b@x".into(), reason)]);
    }

    #[tokio::test]
    async fn a_refused_piece_of_news_leaves_the_others_their_effect() {
        let directory = MemoryDirectory::with_participants(&["00000001", "00000002"]);
        react(&directory, vec![opened(1), opened(2)]).await;
        directory.give(1, "a@x");
        let mut stranger = heard(1, 9, AccountFact::Closed);
        stranger.news.ispb = Ispb::parse("00000002").unwrap();
        let batch = vec![stranger, heard(2, 9, AccountFact::Closed)];
        assert_eq!(react(&directory, batch).await, ["account_of_another_bank", ""]);
        assert_eq!(status(&directory, 1), AccountStatus::Active);
        assert_eq!(status(&directory, 2), AccountStatus::Closed);
        assert_eq!(directory.published().len(), 1);
    }
}
