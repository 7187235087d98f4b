//! The store of the read side.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use balances::application::ports::{BalancesStore, BalancesTransaction, HistoryEntry};
use balances::domain::{
    AccountBalance, AccountEvent, ExternalAccount, ExternalBalance, RecordPlace, TransferParties,
};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, EndToEndId, Timestamp};

use crate::checks::Oracle;
use crate::planted;
use crate::store::{OpenTransaction, Row, Session, Tables, find};

/// The rows of the read side.
#[derive(Default)]
pub(crate) struct BalancesTables {
    pub(crate) balances: BTreeMap<AccountId, AccountBalance>,
    /// By account and version.
    pub(crate) history: BTreeMap<(AccountId, i64), HistoryEntry>,
    pub(crate) transfers: BTreeMap<EndToEndId, TransferParties>,
    pub(crate) external_accounts: BTreeMap<AccountId, ExternalAccount>,
    pub(crate) external_balances: BTreeMap<(AccountId, RecordPlace), ExternalBalance>,
}

impl Tables for BalancesTables {
    const SCHEMA: &'static str = "balances";

    fn examine(&self, own: &Self, _oracle: &mut Oracle) -> Result<(), String> {
        for (id, after) in &own.balances {
            Oracle::balance(self.balances.get(id), after)?;
        }
        Ok(())
    }

    fn absorb(&mut self, own: Self) {
        self.balances.extend(own.balances);
        self.history.extend(own.history);
        self.transfers.extend(own.transfers);
        self.external_accounts.extend(own.external_accounts);
        self.external_balances.extend(own.external_balances);
    }

    fn marks(&self) -> usize {
        self.balances.len()
    }

    fn tell(&self, own: &Self) -> Vec<String> {
        let balance = |it: &AccountBalance| {
            let (id, funds) = (it.account_id(), it.funds());
            let (total, held, version) = (funds.total(), funds.held(), it.version().number());
            format!("balances: account {id} has {total}, {held} of it held, by its event {version}")
        };
        own.balances.values().map(balance).collect()
    }
}

/// An entry of a history. A name is of the balance, not of the history.
fn history_row(event: &AccountEvent, effective_at: Timestamp) -> ((AccountId, i64), HistoryEntry) {
    let key = (event.account_id, event.state.version.number());
    let event = AccountEvent { owner_name: None, ..event.clone() };
    (key, HistoryEntry { event, effective_at })
}

/// Dates the histories of accounts again: no version is in force before the one that it follows.
fn date_again(
    accounts: &BTreeSet<AccountId>,
    committed: &BalancesTables,
    own: &mut BalancesTables,
) {
    for id in accounts {
        let theirs = (*id, i64::MIN)..=(*id, i64::MAX);
        let mut rows: BTreeMap<(AccountId, i64), HistoryEntry> =
            committed.history.range(theirs.clone()).map(|(key, it)| (*key, it.clone())).collect();
        rows.extend(own.history.range(theirs).map(|(key, it)| (*key, it.clone())));
        let mut latest = Timestamp::EPOCH;
        for (key, entry) in rows {
            latest = latest.max(entry.event.state.occurred_at);
            if entry.effective_at != latest || own.history.contains_key(&key) {
                own.history.insert(key, HistoryEntry { effective_at: latest, ..entry });
            }
        }
    }
}

#[async_trait]
impl BalancesStore for Session<BalancesTables> {
    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError> {
        Ok(self.open().await?)
    }
}

#[async_trait]
impl BalancesTransaction for OpenTransaction<BalancesTables> {
    async fn load_balances(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountBalance>, StoreError> {
        self.lock_rows("account_balance", accounts, |it| &it.balances).await
    }

    async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError> {
        self.statement().await?;
        let rows: Vec<Row> =
            balances.iter().map(|it| Row::of("account_balance", &it.account_id())).collect();
        self.lock(rows).await?;
        self.write(|_, own| {
            own.balances.extend(balances.iter().map(|it| (it.account_id(), it.clone())));
        });
        Ok(())
    }

    async fn append_history(&mut self, entries: &[HistoryEntry]) -> Result<(), StoreError> {
        let entries = planted::history(self.session.world(), entries);
        let rows = entries.iter().map(|it| history_row(&it.event, it.effective_at)).collect();
        self.add_rows("account_history", rows, |it| &it.history, |it| &mut it.history).await
    }

    async fn append_late(&mut self, events: &[AccountEvent]) -> Result<(), StoreError> {
        let rows = events.iter().map(|it| history_row(it, it.state.occurred_at)).collect();
        self.add_rows("account_history", rows, |it| &it.history, |it| &mut it.history).await?;
        let accounts: BTreeSet<AccountId> = events.iter().map(|it| it.account_id).collect();
        self.write(|committed, own| date_again(&accounts, committed, own));
        Ok(())
    }

    async fn append_transfers(&mut self, transfers: &[TransferParties]) -> Result<(), StoreError> {
        let rows = transfers.iter().map(|it| (it.end_to_end_id, it.clone())).collect();
        self.add_rows("transfer", rows, |it| &it.transfers, |it| &mut it.transfers).await
    }

    async fn append_external_balances(
        &mut self,
        said: &[ExternalBalance],
    ) -> Result<(), StoreError> {
        let rows = said.iter().map(|it| ((it.account_id, it.place), *it)).collect();
        self.add_rows(
            "external_balance",
            rows,
            |it| &it.external_balances,
            |it| &mut it.external_balances,
        )
        .await
    }

    async fn open_external_accounts(
        &mut self,
        opened: &[ExternalAccount],
    ) -> Result<(), StoreError> {
        self.statement().await?;
        let rows: Vec<Row> =
            opened.iter().map(|it| Row::of("external_account", &it.account_id)).collect();
        self.lock(rows).await?;
        self.write(|committed, own| {
            for opened in opened {
                let id = opened.account_id;
                let known = find(&committed.external_accounts, &own.external_accounts, &id);
                let since = known.map_or(opened.since, |known| known.since.min(opened.since));
                own.external_accounts.insert(id, ExternalAccount { since, ..*opened });
            }
        });
        Ok(())
    }
}
