//! What is held on an account.

use async_graphql::SimpleObject;
use shared_kernel::infrastructure::graphql::{DateTime, Money};

use super::transfer::Transfer;
use crate::application::views::HoldView;

/// An amount that an account may not spend while the hub has not spoken about its transfer.
#[derive(SimpleObject)]
pub(super) struct Hold {
    /// How much.
    amount: Money,
    /// When it was held.
    since: DateTime,
    /// Until when the hub should have spoken, by the bank's own clock. A hold that is older asks
    /// the hub again, and stays.
    deadline: DateTime,
    /// The transfer that it is held for; null until the hub knows it.
    transfer: Option<Transfer>,
}

impl From<HoldView> for Hold {
    fn from(view: HoldView) -> Self {
        Self {
            amount: view.amount.into(),
            since: view.since.into(),
            deadline: view.deadline.into(),
            transfer: Some(view.end_to_end_id.into()),
        }
    }
}
