//! Questions to the subgraph.

use async_graphql::connection::Connection;
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, Result};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::graphql::{
    Ispb, Window, caller, connection, refused, violation_error,
};

use super::account::Account;
use super::balance::Balance;
use super::loaders::{BalanceListLoader, answered};
use crate::application::query::{BalanceList, BalancePlace};
use crate::domain::KnownBalance;

/// What can be asked of the graph.
#[derive(Clone, Copy, Debug)]
pub struct Query;

/// What may be asked. Nothing changes by it, and what fails is null by itself.
#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_account_by_id(&self, id: ID) -> Option<Account> {
        AccountId::parse(&id).ok().map(Account::new)
    }

    /// What an account has, whoever keeps its books: a bank of the hub, or a program beside it.
    /// Null while nothing of it is known.
    async fn balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its UUID.")] account_id: ID,
    ) -> Result<Option<Balance>> {
        let parsed = AccountId::parse(&account_id).map_err(|broken| broken.on("account_id"));
        let account = Account::new(parsed.map_err(|broken| violation_error(&broken))?);
        account.balance(ctx, None, None).await
    }

    /// The balances of a bank's accounts, in the order of their ids.
    async fn balances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The bank.")] ispb: Ispb,
        #[graphql(desc = "How many, at most 200; 50 when it is not given.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the balance before the first wanted.")] after: Option<
            String,
        >,
    ) -> Result<Option<Connection<String, Balance>>> {
        let (caller, Ispb(ispb)) = (caller(ctx)?, ispb);
        let window = Window::<BalancePlace>::asked(first, after.as_deref());
        let Window { size, after } = window.map_err(|broken| violation_error(&broken))?;
        let list = BalanceList { caller, ispb, after, size };
        let loaded = ctx.data::<DataLoader<BalanceListLoader>>()?.load_one(list).await;
        let page = answered(loaded)?.transpose().map_err(refused)?;
        let place = |balance: &KnownBalance| BalancePlace(balance.account_id());
        let shown = |balance: KnownBalance| Balance::from(&balance);
        Ok(page.map(|page| connection(page, after.is_some(), place, shown)))
    }
}
