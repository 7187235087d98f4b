//! What may be followed: fed by the log, never polled.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Result};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{EndToEndId, Violation};
use shared_kernel::infrastructure::graphql::{Ispb, caller, refused, violation_error};

use super::account::Account;
use super::transfer::Transfer;
use crate::application::{TransferView, Transfers, TransfersOf};

/// The root of what is followed.
#[derive(Clone, Copy, Debug)]
pub struct Subscription;

/// What is followed: one transfer, or those of somebody.
enum Followed {
    One(EndToEndId),
    Of(TransfersOf),
}

impl Followed {
    fn asked(
        id: Option<&ID>,
        account_id: Option<&ID>,
        ispb: Option<Ispb>,
    ) -> Result<Self, Violation> {
        match (id, account_id, ispb) {
            (Some(id), None, None) => {
                EndToEndId::parse(id).map(Self::One).map_err(|broken| broken.on("id"))
            }
            (None, Some(id), None) => {
                let account_id = Account::parse(id, "account_id")?;
                Ok(Self::Of(TransfersOf::account(account_id)))
            }
            (None, None, Some(Ispb(bank))) => Ok(Self::Of(TransfersOf::bank(bank))),
            _ => {
                let message = "name one of id, accountId and ispb";
                Err(Violation::invalid("transfer_followed_shape", "id", message))
            }
        }
    }

    async fn follow(self, facade: &Transfers, caller: Caller) -> Result<Views, ApplicationError> {
        Ok(match self {
            Self::One(id) => {
                let seen = facade.watch_transfer.execute(caller, id);
                seen.map_ok(|transfer| TransferView::from(&transfer)).boxed()
            }
            Self::Of(of) => facade.follow_transfers.execute(caller, of).await?.boxed(),
        })
    }
}

/// The argument is called `id` here.
fn failed(error: ApplicationError) -> Error {
    match error {
        ApplicationError::Refused(broken) if broken.field() == "end_to_end_id" => {
            violation_error(&broken.on("id"))
        }
        ApplicationError::Refused(_) | ApplicationError::Unavailable(_) => refused(error),
    }
}

type Views = BoxStream<'static, Result<TransferView, ApplicationError>>;

/// What may be followed, fed by events as they happen.
#[async_graphql::Subscription]
impl Subscription {
    /// Transfers as they change. With `id`: that transfer, as it is now and then in each later
    /// state that is seen, to its end. With `accountId` or `ispb`: every state that a transfer of
    /// that account or bank enters from now on; whoever missed some gets the error
    /// `transfer_updates_missed` as the last of the stream.
    async fn transfer_updated(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "One transfer: its `EndToEndId`.")] id: Option<ID>,
        #[graphql(desc = "The transfers of this account.")] account_id: Option<ID>,
        #[graphql(desc = "The transfers of this bank.")] ispb: Option<Ispb>,
    ) -> Result<impl Stream<Item = Result<Transfer>>> {
        let followed = Followed::asked(id.as_ref(), account_id.as_ref(), ispb);
        let followed = followed.map_err(|broken| violation_error(&broken))?;
        let facade = context.data::<Arc<Transfers>>()?;
        let seen = followed.follow(facade, caller(context)?).await.map_err(refused)?;
        Ok(seen.map(|seen| seen.map(Transfer::from).map_err(failed)))
    }
}
