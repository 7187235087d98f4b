//! The schema over the hub's use cases.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Schema, SchemaBuilder};
use shared_kernel::application::Ids;
use shared_kernel::infrastructure::graphql::{federation_sdl, subgraph};

use super::bank::Bank;
use super::loaders::Loaders;
use super::mutation::Mutation;
use super::query::Query;
use super::subscription::Subscription;
use super::transfer::Transfer;
use crate::application::Transfers;

/// The hub's schema.
pub type GraphSchema = Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    subgraph(Query, Mutation, Subscription)
        .override_output_type_description::<Connection<String, Bank>>("A page of banks.")
        .override_output_type_description::<Connection<String, Transfer>>("A page of transfers.")
}

/// The schema, ready to answer.
pub fn schema(facade: &Arc<Transfers>, ids: Arc<dyn Ids>) -> GraphSchema {
    builder().data(Loaders::new(facade)).data(Arc::clone(facade)).data(ids).finish()
}

/// Its SDL for composition.
pub fn sdl() -> String {
    federation_sdl(&builder().finish())
}
