//! What the hub knows of accounts that banks keep: their transfers.

use async_graphql::connection::Connection;
use async_graphql::{Context, ID, Object, Result};
use shared_kernel::domain::{AccountId, Violation};
use shared_kernel::infrastructure::graphql::{DateTime, caller, refused};

use super::loaders::{Loaders, listed, period, window};
use super::transfer::{Transfer, TransferDirection, TransferState};
use crate::application::{TransferList, TransfersOf};
use crate::domain::Side;

// Banking's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    id: AccountId,
}

impl Account {
    /// The account of that id, whoever keeps it.
    pub(super) const fn new(id: AccountId) -> Self {
        Self { id }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// `account_id_shape`, in the field `field`.
    pub(super) fn parse(id: &ID, field: &'static str) -> Result<AccountId, Violation> {
        AccountId::parse(id).map_err(|broken| broken.on(field))
    }
}

#[Object]
impl Account {
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// The transfers between banks that this account pays or is paid by, newest first. A bank's
    /// token is shown those of its own accounts.
    #[expect(clippy::too_many_arguments, reason = "a field has the arguments that it has")]
    async fn transfers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many: 1 to 200; 50 when absent.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those in this state.")] state: Option<TransferState>,
        #[graphql(desc = "Taken by the hub at this time or later.")] from: Option<DateTime>,
        #[graphql(desc = "Taken by the hub before this time.")] to: Option<DateTime>,
        #[graphql(desc = "Only those that it sent, or received.")] direction: Option<
            TransferDirection,
        >,
    ) -> Result<Option<Connection<String, Transfer>>> {
        let (window, behind) = window(first, after.as_deref())?;
        let side = direction.map(Side::from);
        let list = TransferList {
            caller: caller(context)?,
            of: TransfersOf::Account { account_id: self.id, at: None, side },
            state: state.map(Into::into),
            period: period(from, to)?,
            after: window.after,
            size: window.size,
        };
        let page = context.data::<Loaders>()?.list(list).await.map_err(refused)?;
        Ok(Some(listed(page, behind)))
    }
}
