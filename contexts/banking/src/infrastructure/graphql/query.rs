//! What may be asked.

use async_graphql::{Context, ID, Object, Result};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::graphql::{caller, refused};

use super::account::Account;
use super::loaders::{AccountAsked, look_up};
use super::schema::found;

/// What may be asked of the banks.
#[derive(Debug)]
pub struct Query;

#[Object]
impl Query {
    /// An account; null where Banking keeps none with this id.
    async fn account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its UUID.")] id: ID,
    ) -> Result<Option<Account>> {
        let id = AccountId::parse(&id).map_err(|broken| refused(broken.on("id")))?;
        let asked = AccountAsked(caller(context)?, id);
        Ok(found(look_up(context, asked).await?)?.map(Account::from))
    }

    #[graphql(entity)]
    async fn find_account_by_id(&self, id: ID) -> Option<Account> {
        AccountId::parse(&id).ok().map(Account::named)
    }
}
