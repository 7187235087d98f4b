//! What this context knows of an account, which Banking owns.

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, Result};
use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, Kind, Violation};
use shared_kernel::infrastructure::graphql::{DateTime, Window, caller, refused, violation_error};

use super::balance::Balance;
use super::loaders::{BalanceKey, BalanceLoader, StatementKey, StatementLoader, answered};
use super::statement::{Statement, StatementLineDirection, statement};
use crate::application::Balances;
use crate::application::ports::LinePlace;
use crate::application::query::StatementQuestion;
use crate::domain::AccountVersion;

pub(super) struct Account {
    account_id: AccountId,
}

impl Account {
    pub(super) const fn new(account_id: AccountId) -> Self {
        Self { account_id }
    }

    /// Waits for a version, if one is wanted.
    async fn reached(
        &self,
        ctx: &Context<'_>,
        caller: Caller,
        min_version: Option<i64>,
    ) -> Result<()> {
        let Some(number) = min_version else { return Ok(()) };
        let version = AccountVersion::new(number)
            .map_err(|broken| violation_error(&broken.on("min_version")))?;
        let waiting = &ctx.data::<Arc<Balances>>()?.await_balance;
        let progress = ctx.data::<DataLoader<BalanceLoader>>()?;
        let reached = waiting.execute(progress, caller, self.account_id, version).await;
        answered(reached.map_err(Arc::new))
    }
}

#[Object]
impl Account {
    async fn id(&self) -> ID {
        self.account_id.to_string().into()
    }

    /// What the account has; null while no event of it has arrived, or before it was open.
    pub(super) async fn balance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "As of this instant, by the bank's clock; now when it is not given.")]
        at: Option<DateTime>,
        #[graphql(
            desc = "Waits, a few seconds at most, until this version of the account has arrived."
        )]
        min_version: Option<i64>,
    ) -> Result<Option<Balance>> {
        let caller = caller(ctx)?;
        self.reached(ctx, caller, min_version).await?;
        let key = BalanceKey { caller, account: self.account_id, at: at.map(|DateTime(at)| at) };
        let loaded = ctx.data::<DataLoader<BalanceLoader>>()?.load_one(key).await;
        let seen = answered(loaded)?.map(answered_in).transpose()?.flatten();
        Ok(seen.map(|seen| Balance::new(&seen)))
    }

    /// What moved the account's money, newest first; null while no event of it has arrived.
    #[expect(clippy::too_many_arguments, reason = "a page, a period and a version are arguments")]
    async fn statement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many lines, at most 200; 50 when it is not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor of the line before the first wanted.")] after: Option<String>,
        #[graphql(desc = "Not older than this, by the bank's clock.")] from: Option<DateTime>,
        #[graphql(desc = "Older than this.")] to: Option<DateTime>,
        #[graphql(desc = "Only what came, or went.")] direction: Option<StatementLineDirection>,
        #[graphql(
            desc = "Waits, a few seconds at most, until this version of the account has arrived."
        )]
        min_version: Option<i64>,
    ) -> Result<Option<Statement>> {
        let caller = caller(ctx)?;
        let window = Window::<LinePlace>::asked(first, after.as_deref());
        let Window { size, after } = window.map_err(|broken| violation_error(&broken))?;
        let question = StatementQuestion {
            account_id: self.account_id,
            from: from.map(|DateTime(at)| at),
            to: to.map(|DateTime(at)| at),
            direction: direction.map(Into::into),
            size,
            after,
        };
        self.reached(ctx, caller, min_version).await?;
        let key = StatementKey { caller, question };
        let loaded = ctx.data::<DataLoader<StatementLoader>>()?.load_one(key).await;
        let page = answered(loaded)?.map(answered_in).transpose()?.flatten();
        Ok(page.map(|page| statement(page, after.is_some())))
    }
}

/// What was found; nothing of an account that is not known, or was not open then.
fn answered_in<T>(answer: Result<T, Violation>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(broken) if broken.kind() == Kind::NotFound => Ok(None),
        Err(broken) => Err(refused(broken)),
    }
}
