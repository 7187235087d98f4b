//! The schema over the hub's use cases.

use std::sync::Arc;

use async_graphql::Schema;
use shared_kernel::application::Ids;
use shared_kernel::infrastructure::graphql::{federation_sdl, subgraph};

use super::loaders::Loaders;
use super::mutation::Mutation;
use super::query::Query;
use super::subscription::Subscription;
use crate::application::Transfers;

/// The hub's schema.
pub type GraphSchema = Schema<Query, Mutation, Subscription>;

/// The schema, ready to answer.
pub fn schema(facade: &Arc<Transfers>, ids: Arc<dyn Ids>) -> GraphSchema {
    subgraph(Query, Mutation, Subscription)
        .data(Loaders::new(facade))
        .data(Arc::clone(facade))
        .data(ids)
        .finish()
}

/// Its SDL for composition.
pub fn sdl() -> String {
    federation_sdl(&subgraph(Query, Mutation, Subscription).finish())
}
