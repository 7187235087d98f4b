//! What may be asked.

use async_graphql::connection::Connection;
use async_graphql::{Context, ID, Object, Result};
use shared_kernel::domain::{self, AccountId, EndToEndId};
use shared_kernel::infrastructure::graphql::{Ispb, caller, refused};

use super::account::{Account, AccountStatus};
use super::bank::{Bank, accounts};
use super::loaders::{AccountAsked, TransferAsked, look_up};
use super::schema::found;
use super::transfer::AccountTransfer;
use crate::application::page::AccountsOf;

/// What may be asked of the banks.
#[derive(Debug)]
pub struct Query;

/// What may be asked. Nothing changes by it, and what fails is null by itself.
#[Object]
impl Query {
    /// An account; null where Banking keeps none with this id.
    async fn account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its UUID.")] id: ID,
    ) -> Result<Option<Account>> {
        let id = AccountId::parse(&id).map_err(|broken| refused(broken.on("id")))?;
        let asked = AccountAsked((caller(context)?, id));
        Ok(found(look_up(context, asked).await?)?.map(Account::from))
    }

    /// The accounts of a bank, oldest first.
    #[expect(clippy::too_many_arguments, reason = "a page and a filter are arguments")]
    async fn accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The bank.")] ispb: Ispb,
        #[graphql(desc = "How many, 1 to 200; 50 unless it is given.")] first: Option<i32>,
        #[graphql(desc = "Only those behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this status.")] status: Option<AccountStatus>,
    ) -> Result<Option<Connection<String, Account>>> {
        let of = AccountsOf { ispb: ispb.0, status: status.map(Into::into) };
        accounts(context, of, first, after).await.map(Some)
    }

    /// A transfer as one account sees it at its bank; null where the account has no such transfer.
    async fn account_transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The transfer's EndToEndId.")] id: ID,
        #[graphql(desc = "The account that sees it.")] account_id: ID,
    ) -> Result<Option<AccountTransfer>> {
        let id = EndToEndId::parse(&id).map_err(|broken| refused(broken.on("id")))?;
        let account_id = AccountId::parse(&account_id).map_err(refused)?;
        let asked = TransferAsked((caller(context)?, id, account_id));
        let view = found(look_up(context, asked).await?)?;
        Ok(view.map(|view| AccountTransfer::seen_by(account_id, view)))
    }

    #[graphql(entity)]
    async fn find_bank_by_id(&self, id: ID) -> Option<Bank> {
        domain::Ispb::parse(&id).ok().map(Bank::from)
    }

    #[graphql(entity)]
    async fn find_account_by_id(&self, id: ID) -> Option<Account> {
        AccountId::parse(&id).ok().map(Account::named)
    }
}
