//! Entities of other contexts, of which this one knows the id.

use async_graphql::{ID, SimpleObject};
use shared_kernel::domain::{EndToEndId, Ispb};

#[derive(SimpleObject)]
#[graphql(unresolvable = "id")]
pub(super) struct Bank {
    id: ID,
}

impl From<Ispb> for Bank {
    fn from(ispb: Ispb) -> Self {
        Self { id: ispb.to_string().into() }
    }
}

#[derive(SimpleObject)]
#[graphql(unresolvable = "id")]
pub(super) struct Transfer {
    id: ID,
}

impl From<EndToEndId> for Transfer {
    fn from(id: EndToEndId) -> Self {
        Self { id: id.to_string().into() }
    }
}

#[derive(SimpleObject)]
#[graphql(unresolvable = "id")]
pub(super) struct PixKey {
    id: ID,
}

impl PixKey {
    /// The key in its canonical form.
    pub(super) fn new(key: String) -> Self {
        Self { id: key.into() }
    }
}
