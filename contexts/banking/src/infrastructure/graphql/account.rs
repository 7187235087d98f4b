//! An account, owned by Banking.
//!
//! An account is named by others before it is known here: its bank may keep its books elsewhere,
//! or be another than the caller's, who does not learn which. So every field but the id may be
//! null, without error.

use std::convert::Infallible;
use std::hash::Hash;

use async_graphql::connection::Connection;
use async_graphql::dataloader::Loader;
use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use shared_kernel::application::{Caller, Page, Period, Place};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::graphql::{DateTime, Money, TaxId, caller, connection, refused};
use tokio::sync::OnceCell;

use super::bank::Bank;
use super::hold::Hold;
use super::loaders::{AccountAsked, HoldsAsked, Lookups, StatementAsked, TransfersAsked, look_up};
use super::posting::{Posting, PostingDirection};
use super::schema::{found, part};
use super::transfer::{AccountTransfer, AccountTransferDirection, AccountTransferState};
use crate::application::page::{
    AccountAt, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use crate::application::ports::Outcome;
use crate::application::views::AccountView;
use crate::domain::{self, Limits};

/// An account of a customer at a bank, as that bank tells of it. Its fields are null where this
/// hub does not keep its books, and are refused to other banks.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Account {
    /// Its UUID.
    id: ID,
    #[graphql(skip)]
    key: AccountId,
    #[graphql(skip)]
    view: OnceCell<Outcome<AccountView>>,
}

/// What may happen on an account.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::AccountStatus")]
pub(super) enum AccountStatus {
    /// Money comes and goes.
    Active,
    /// No new debits, and no new credits from other banks (AC06).
    Blocked,
    /// Nothing happens any more.
    Closed,
}

/// Whose account it is.
#[derive(SimpleObject)]
pub(super) struct AccountOwner {
    /// The name under which the bank knows its customer.
    name: String,
    /// The customer's CPF or CNPJ.
    tax_id: TaxId,
}

/// The money of an account: the ledger's own word, at once.
#[derive(SimpleObject)]
pub(super) struct AccountFunds {
    /// What may be spent: total less held.
    available: Money,
    /// What waits for the hub's word on transfers.
    held: Money,
    /// The sum of the account's postings.
    total: Money,
}

/// What an account may send.
#[derive(SimpleObject)]
pub(super) struct AccountLimits {
    /// Most that one transfer may move; null for no limit.
    per_transfer: Option<Money>,
    /// Most that all transfers of one calendar day in Brasília (UTC-3) may move; null for no limit.
    per_day: Option<Money>,
}

impl From<Limits> for AccountLimits {
    fn from(limits: Limits) -> Self {
        Self {
            per_transfer: limits.per_transfer.map(Money::from),
            per_day: limits.per_day.map(Money::from),
        }
    }
}

impl From<AccountView> for Account {
    fn from(view: AccountView) -> Self {
        let key = view.id;
        Self { view: OnceCell::new_with(Some(Ok(view))), ..Self::named(key) }
    }
}

impl Account {
    /// An account that is looked up when a field of it is asked for, once.
    pub(super) fn named(key: AccountId) -> Self {
        Self { id: key.to_string().into(), key, view: OnceCell::new() }
    }

    /// What the caller may see of it; nothing where Banking keeps no such account.
    async fn view(&self, context: &Context<'_>) -> Result<Option<&AccountView>> {
        let asked = AccountAsked((caller(context)?, self.key));
        let view = self.view.get_or_try_init(|| look_up(context, asked)).await?;
        found(view.as_ref().map_err(Clone::clone))
    }

    async fn show<T>(
        &self,
        context: &Context<'_>,
        field: impl FnOnce(&AccountView) -> T,
    ) -> Result<Option<T>> {
        Ok(self.view(context).await?.map(field))
    }

    /// A page of what belongs to it; nothing where Banking keeps no such account.
    async fn list<P, Q, T>(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<&str>,
        asked: impl FnOnce((Caller, Part<AccountAt, P>)) -> Q,
    ) -> Result<Option<Page<T>>>
    where
        P: Place,
        Q: Clone + Eq + Hash + Send + Sync + 'static,
        Lookups: Loader<Q, Value = Outcome<Page<T>>, Error = Infallible>,
    {
        let Some(at) = self.show(context, |view| AccountAt::from(view)).await? else {
            return Ok(None);
        };
        let asked = asked((caller(context)?, part(at, first, after)?));
        look_up(context, asked).await?.map(Some).map_err(refused)
    }
}

/// Where a row stands in its list.
fn place<P: for<'a> From<&'a T>, T>(row: &T) -> P {
    P::from(row)
}

#[ComplexObject]
impl Account {
    /// Its bank.
    async fn bank(&self, context: &Context<'_>) -> Result<Option<Bank>> {
        self.show(context, |view| view.ispb.into()).await
    }

    /// The branch that keeps it.
    async fn branch(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.show(context, |view| view.branch.clone()).await
    }

    /// Its number within the branch.
    async fn number(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.show(context, |view| view.number.clone()).await
    }

    /// Whose it is.
    async fn owner(&self, context: &Context<'_>) -> Result<Option<AccountOwner>> {
        let owner = |view: &AccountView| AccountOwner {
            name: view.owner_name.clone(),
            tax_id: view.owner_tax_id.into(),
        };
        self.show(context, owner).await
    }

    /// What may happen on it.
    async fn status(&self, context: &Context<'_>) -> Result<Option<AccountStatus>> {
        self.show(context, |view| view.status.into()).await
    }

    /// Its money: the ledger's own word, at once.
    async fn funds(&self, context: &Context<'_>) -> Result<Option<AccountFunds>> {
        let funds = |view: &AccountView| AccountFunds {
            available: view.available.into(),
            held: view.held.into(),
            total: view.balance.into(),
        };
        self.show(context, funds).await
    }

    /// What it may send.
    async fn limits(&self, context: &Context<'_>) -> Result<Option<AccountLimits>> {
        self.show(context, |view| view.limits.into()).await
    }

    /// When it was opened.
    async fn opened_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        self.show(context, |view| view.opened_at.into()).await
    }

    /// The number of its events so far.
    async fn version(&self, context: &Context<'_>) -> Result<Option<i64>> {
        self.show(context, |view| view.version).await
    }

    /// What is held on it, newest first: transfers that wait for the hub's word.
    async fn holds(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 50 unless it is given.")] first: Option<i32>,
        #[graphql(desc = "Only those behind the one with this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<String, Hold>>> {
        let page = self.list(context, first, after.as_deref(), HoldsAsked).await?;
        let after = after.is_some();
        Ok(page.map(|page| connection(page, after, place::<TransferPlace, _>, Hold::from)))
    }

    /// The ledger's entries of it, newest first. A statement has a period too.
    async fn postings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 50 unless it is given.")] first: Option<i32>,
        #[graphql(desc = "Only those behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what came, or went.")] direction: Option<PostingDirection>,
    ) -> Result<Option<Connection<String, Posting>>> {
        let direction = direction.map(Into::into);
        let of = |(caller, part): (Caller, Part<AccountAt, PostingPlace>)| {
            StatementAsked((caller, part.narrowed(|at| PostingsOf { at, direction })))
        };
        let page = self.list(context, first, after.as_deref(), of).await?;
        let after = after.is_some();
        Ok(page.map(|page| connection(page, after, place::<PostingPlace, _>, Posting::from)))
    }

    /// Its transfers out, in and within the bank, newest first.
    #[expect(clippy::too_many_arguments, reason = "a page and its filters are arguments")]
    async fn orders(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 50 unless it is given.")] first: Option<i32>,
        #[graphql(desc = "Only those behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those that go this way.")] direction: Option<
            AccountTransferDirection,
        >,
        #[graphql(desc = "Only those in this state.")] state: Option<AccountTransferState>,
        #[graphql(desc = "Ordered at this time or later.")] from: Option<DateTime>,
        #[graphql(desc = "Ordered before this time.")] to: Option<DateTime>,
    ) -> Result<Option<Connection<String, AccountTransfer>>> {
        let moment = |of: Option<DateTime>| of.map(|DateTime(at)| at);
        let period = Period::asked(moment(from), moment(to)).map_err(refused)?;
        let (direction, state) = (direction.map(Into::into), state.map(Into::into));
        let of = |(caller, part): (Caller, Part<AccountAt, TransferPlace>)| {
            let narrow = |at| TransfersOf { at, direction, state, period };
            TransfersAsked((caller, part.narrowed(narrow)))
        };
        let page = self.list(context, first, after.as_deref(), of).await?;
        let order = |view| AccountTransfer::seen_by(self.key, view);
        let after = after.is_some();
        Ok(page.map(|page| connection(page, after, place::<TransferPlace, _>, order)))
    }
}
