//! What Banking adds to a bank. All of it may be null: the bank's books may be kept elsewhere.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use shared_kernel::domain::Ispb;
use shared_kernel::infrastructure::graphql::{caller, connection, refused};

use super::account::{Account, AccountStatus};
use super::loaders::{AccountsAsked, BankAsked, look_up};
use super::schema::{found, part};
use crate::application::page::{AccountPlace, AccountsOf};
use crate::application::views::BankView;

#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Bank {
    id: ID,
    #[graphql(skip)]
    ispb: Ispb,
}

impl From<Ispb> for Bank {
    fn from(ispb: Ispb) -> Self {
        Self { id: ispb.as_str().into(), ispb }
    }
}

impl Bank {
    async fn view(&self, context: &Context<'_>) -> Result<Option<BankView>> {
        let asked = BankAsked((caller(context)?, self.ispb));
        found(look_up(context, asked).await?)
    }
}

/// Accounts of a bank, oldest first.
pub(super) async fn accounts(
    context: &Context<'_>,
    of: AccountsOf,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Connection<String, Account>> {
    let asked = AccountsAsked((caller(context)?, part(of, first, after.as_deref())?));
    let page = look_up(context, asked).await?.map_err(refused)?;
    Ok(connection(page, after.is_some(), |row| AccountPlace::from(row), Account::from))
}

#[ComplexObject]
impl Bank {
    /// The first colour of its pages, `#rrggbb`; null where its books are kept elsewhere.
    async fn primary_color(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.view(context).await?.map(|bank| bank.primary_color))
    }

    /// The second colour of its pages, `#rrggbb`; null where its books are kept elsewhere.
    async fn secondary_color(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.view(context).await?.map(|bank| bank.secondary_color))
    }

    /// Its accounts, oldest first.
    async fn accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 200; 50 unless it is given.")] first: Option<i32>,
        #[graphql(desc = "Only those behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this status.")] status: Option<AccountStatus>,
    ) -> Result<Option<Connection<String, Account>>> {
        let of = AccountsOf { ispb: self.ispb, status: status.map(Into::into) };
        accounts(context, of, first, after).await.map(Some)
    }
}
