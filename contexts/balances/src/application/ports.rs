//! What the use cases need of the store.

use async_trait::async_trait;
use shared_kernel::application::{StoreError, Transaction};
use shared_kernel::domain::{AccountId, Ispb};

use crate::domain::AccountBalance;

/// The projection inside a transaction.
#[async_trait]
pub trait BalancesTransaction: Transaction {
    /// The balances of these accounts, locked until the end of the transaction; those that are not
    /// there are left out. One statement.
    async fn load_balances(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountBalance>, StoreError>;

    /// Stores these balances, new or changed. One statement.
    async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError>;
}

/// Opens transactions.
#[async_trait]
pub trait BalancesStore: Send + Sync {
    /// A transaction that takes effect whole or not at all.
    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError>;
}

/// The projection as it is read, outside any transaction. Each call is one statement.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait BalancesReads: Send + Sync {
    /// The balances of these accounts, in any order; those that are not there are left out.
    async fn balances(&self, accounts: &[AccountId]) -> Result<Vec<AccountBalance>, StoreError>;

    /// The first `limit` balances of a bank whose account id is behind `after`, in the order of
    /// their ids.
    async fn balances_of_bank(
        &self,
        ispb: Ispb,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<AccountBalance>, StoreError>;
}
