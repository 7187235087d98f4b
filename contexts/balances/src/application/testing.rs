//! What the tests of the use cases share.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared_kernel::application::transaction::OffsetMove;
use shared_kernel::application::{DeadLetter, StoreError, Transaction};
use shared_kernel::domain::{AccountId, Digest, EndToEndId, Money, Timestamp};

use crate::application::ports::{BalancesTransaction, HistoryEntry};
use crate::domain::testing::event;
use crate::domain::{
    AccountBalance, AccountDigester, AccountEvent, ExternalAccount, ExternalBalance, ExternalState,
    KnownBalance, RecordPlace, SideDigester, TransferParties,
};

/// The balance of an account that was just opened.
pub(crate) fn balance(number: u128) -> AccountBalance {
    AccountBalance::begin(&event(number, 1))
}

/// The same as it is known, where no other program speaks of it.
pub(crate) fn known(number: u128) -> KnownBalance {
    balance(number).into()
}

/// A store that keeps what it is given.
#[derive(Debug, Default)]
pub(crate) struct InMemory {
    /// The balances.
    pub(crate) balances: BTreeMap<AccountId, AccountBalance>,
    /// The histories, by account and version.
    pub(crate) history: BTreeMap<(AccountId, i64), HistoryEntry>,
    /// The transfers.
    pub(crate) transfers: BTreeMap<EndToEndId, TransferParties>,
    /// The accounts of other programs.
    pub(crate) external_accounts: BTreeMap<AccountId, ExternalAccount>,
    /// What those said of balances.
    pub(crate) external: BTreeMap<(AccountId, RecordPlace), ExternalBalance>,
}

impl InMemory {
    /// The versions in the history of an account.
    pub(crate) fn versions(&self, account: AccountId) -> Vec<i64> {
        let own = self.history.keys().filter(|(of, _)| *of == account);
        own.map(|(_, version)| *version).collect()
    }

    fn add(&mut self, event: &AccountEvent, effective_at: Timestamp) {
        let key = (event.account_id, event.state.version.number());
        // A name is of the balance, not of the history.
        let event = AccountEvent { owner_name: None, ..event.clone() };
        self.history.entry(key).or_insert(HistoryEntry { event, effective_at });
    }

    /// The digest of everything stored.
    pub(crate) fn digest(&self) -> Digest {
        let mut side = SideDigester::default();
        for (account, balance) in &self.balances {
            let mut digester = AccountDigester::new(*account);
            for (_, entry) in self.history.iter().filter(|((of, _), _)| of == account) {
                let HistoryEntry { event, effective_at } = entry;
                digester.take(&event.state, *effective_at, event.movement.as_ref());
            }
            side.account(*account, &digester.close(balance));
        }
        self.transfers.values().for_each(|transfer| side.transfer(transfer));
        self.external_accounts.values().for_each(|opened| side.external_account(opened));
        self.external.values().for_each(|said| side.external_balance(said));
        side.digest()
    }

    /// An account as it is known.
    pub(crate) fn known(&self, account: AccountId) -> Option<KnownBalance> {
        let bank = self.balances.get(&account).map(|balance| {
            let newest = self.history.get(&(account, balance.version().number()));
            let movement = newest.and_then(|it| it.event.movement.as_ref());
            let movement = movement.map(|it| it.kind);
            (balance.clone(), movement)
        });
        let said = self.external.values().rfind(|said| said.account_id == account);
        let said = said.map(|said| ExternalState {
            balance: said.balance(),
            said_at: said.place.recorded_at,
            // A fixture has no record.
            place: Some((said.place.partition, said.place.offset)).filter(|(at, _)| *at >= 0),
        });
        let opened = self.external_accounts.get(&account).map(|opened| ExternalState {
            balance: Money::ZERO,
            said_at: opened.since,
            place: None,
        });
        KnownBalance::of(account, bank, said.or(opened))
    }
}

#[async_trait]
impl Transaction for InMemory {
    async fn advance(&mut self, _consumer: &str, _moves: &[OffsetMove]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn dead_letter(&mut self, _letters: Vec<DeadLetter>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn rollback(self: Box<Self>) {}
}

#[async_trait]
impl BalancesTransaction for InMemory {
    async fn load_balances(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountBalance>, StoreError> {
        Ok(accounts.iter().filter_map(|account| self.balances.get(account).cloned()).collect())
    }

    async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError> {
        let entries = balances.iter().map(|balance| (balance.account_id(), balance.clone()));
        self.balances.extend(entries);
        Ok(())
    }

    async fn append_history(&mut self, entries: &[HistoryEntry]) -> Result<(), StoreError> {
        for HistoryEntry { event, effective_at } in entries {
            self.add(event, *effective_at);
        }
        Ok(())
    }

    async fn append_late(&mut self, events: &[AccountEvent]) -> Result<(), StoreError> {
        for event in events {
            self.add(event, event.state.occurred_at);
        }
        let mut latest = None;
        for ((account, _), entry) in &mut self.history {
            let before = latest.filter(|(of, _)| of == account).map(|(_, at)| at);
            let own = entry.event.state.occurred_at;
            entry.effective_at = before.map_or(own, |before| own.max(before));
            latest = Some((*account, entry.effective_at));
        }
        Ok(())
    }

    async fn append_transfers(&mut self, transfers: &[TransferParties]) -> Result<(), StoreError> {
        for transfer in transfers {
            self.transfers.entry(transfer.end_to_end_id).or_insert_with(|| transfer.clone());
        }
        Ok(())
    }

    async fn append_external_balances(
        &mut self,
        said: &[ExternalBalance],
    ) -> Result<(), StoreError> {
        for said in said {
            self.external.entry((said.account_id, said.place)).or_insert(*said);
        }
        Ok(())
    }

    async fn open_external_accounts(
        &mut self,
        opened: &[ExternalAccount],
    ) -> Result<(), StoreError> {
        for opened in opened {
            let known = self.external_accounts.entry(opened.account_id).or_insert(*opened);
            known.since = known.since.min(opened.since);
        }
        Ok(())
    }
}

mockall::mock! {
    /// A store that answers as it is told.
    pub(crate) Store {}

    #[async_trait]
    impl Transaction for Store {
        async fn advance(&mut self, consumer: &str, moves: &[OffsetMove]) -> Result<(), StoreError>;
        async fn dead_letter(&mut self, letters: Vec<DeadLetter>) -> Result<(), StoreError>;
        async fn commit(self: Box<Self>) -> Result<(), StoreError>;
        async fn rollback(self: Box<Self>);
    }

    #[async_trait]
    impl BalancesTransaction for Store {
        async fn load_balances(
            &mut self,
            accounts: &[AccountId],
        ) -> Result<Vec<AccountBalance>, StoreError>;
        async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError>;
        async fn append_history(&mut self, entries: &[HistoryEntry]) -> Result<(), StoreError>;
        async fn append_late(&mut self, events: &[AccountEvent]) -> Result<(), StoreError>;
        async fn append_transfers(
            &mut self,
            transfers: &[TransferParties],
        ) -> Result<(), StoreError>;
        async fn append_external_balances(
            &mut self,
            said: &[ExternalBalance],
        ) -> Result<(), StoreError>;
        async fn open_external_accounts(
            &mut self,
            opened: &[ExternalAccount],
        ) -> Result<(), StoreError>;
    }
}
