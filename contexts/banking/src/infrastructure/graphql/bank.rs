//! What Banking adds to a bank.

use async_graphql::{ID, SimpleObject};
use shared_kernel::domain::Ispb;

#[derive(SimpleObject)]
pub(super) struct Bank {
    id: ID,
}

impl From<Ispb> for Bank {
    fn from(ispb: Ispb) -> Self {
        Self { id: ispb.as_str().into() }
    }
}
