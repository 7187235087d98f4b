//! What may be followed.

use async_graphql::{Context, ID, Result, Subscription};
use futures::stream::{Stream, StreamExt};
use shared_kernel::domain::{AccountId, EndToEndId};
use shared_kernel::infrastructure::graphql::{caller, refused};

use super::schema::graph;
use super::transfer::AccountTransfer;

/// What may be followed at the banks.
#[derive(Debug)]
pub struct Subscription;

/// What may be followed, fed by events as they happen.
#[Subscription]
impl Subscription {
    /// A transfer as an account sees it: the present state, then every change. It ends after a
    /// final state.
    #[expect(clippy::unused_async, reason = "the schema's macro asks for it")]
    async fn order_updated(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The transfer's EndToEndId.")] id: ID,
        #[graphql(desc = "The account that sees it.")] account_id: ID,
    ) -> Result<impl Stream<Item = Result<AccountTransfer>> + use<>> {
        let id = EndToEndId::parse(&id).map_err(|broken| refused(broken.on("id")))?;
        let account_id = AccountId::parse(&account_id).map_err(refused)?;
        let states = graph(context)?.watches.watch(caller(context)?, id, account_id);
        Ok(states.map(move |state| {
            state.map(|view| AccountTransfer::seen_by(account_id, view)).map_err(refused)
        }))
    }
}
