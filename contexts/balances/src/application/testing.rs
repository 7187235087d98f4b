//! What the tests of the use cases share.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared_kernel::application::transaction::OffsetMove;
use shared_kernel::application::{DeadLetter, StoreError, Transaction};
use shared_kernel::domain::{AccountId, Ispb, Money, Timestamp};
use uuid::Uuid;

use crate::application::ports::BalancesTransaction;
use crate::domain::{AccountBalance, AccountEvent, AccountVersion, Funds};

/// An account by its number.
pub(crate) fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

/// An event of an account: each version has amounts of its own.
pub(crate) fn event(number: u128, version: i64) -> AccountEvent {
    let money = |centavos| Money::from_centavos(centavos);
    AccountEvent {
        account_id: account(number),
        ispb: Ispb::parse("00000001").unwrap(),
        owner_name: (version == 1).then(|| format!("Owner {number}")),
        funds: Funds::new(money(version.saturating_mul(100)), money(version)).unwrap(),
        version: AccountVersion::new(version).unwrap(),
        occurred_at: Timestamp::from_micros(version).unwrap(),
    }
}

/// The balance of an account that was just opened.
pub(crate) fn balance(number: u128) -> AccountBalance {
    AccountBalance::begin(event(number, 1))
}

/// A store that keeps what it is given.
#[derive(Debug, Default)]
pub(crate) struct InMemory {
    /// Everything stored.
    pub(crate) balances: BTreeMap<AccountId, AccountBalance>,
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
    }
}
