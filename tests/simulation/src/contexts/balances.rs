//! The store of the read side.

use std::collections::BTreeMap;

use async_trait::async_trait;
use balances::application::ports::{BalancesStore, BalancesTransaction};
use balances::domain::AccountBalance;
use shared_kernel::application::StoreError;
use shared_kernel::domain::AccountId;

use crate::checks::Oracle;
use crate::store::{OpenTransaction, Row, Session, Tables};

/// The rows of the read side.
#[derive(Default)]
pub(crate) struct BalancesTables {
    pub(crate) balances: BTreeMap<AccountId, AccountBalance>,
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
    }

    fn tell(&self, own: &Self) -> Vec<String> {
        let balance = |it: &AccountBalance| {
            let (id, funds) = (it.account_id(), it.funds());
            format!("balances: {id} has {} and {} held", funds.available(), funds.held())
        };
        own.balances.values().map(balance).collect()
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
}
