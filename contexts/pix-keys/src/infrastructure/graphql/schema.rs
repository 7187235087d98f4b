//! The schema over the directory's use cases.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{EmptySubscription, Error, Schema, SchemaBuilder};
use shared_kernel::application::{ApplicationError, Ids};
use shared_kernel::infrastructure::graphql::{federation_sdl, refused, subgraph};

use super::key::PixKey;
use super::loaders::Loaders;
use super::mutation::Mutation;
use super::query::Query;
use crate::application::PixKeys;
use crate::infrastructure::naming::named;

/// The directory's schema.
pub type GraphSchema = Schema<Query, Mutation, EmptySubscription>;

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    subgraph(Query, Mutation, EmptySubscription)
        .override_output_type_description::<Connection<String, PixKey>>("A page of keys.")
}

/// The schema, ready to answer.
pub fn schema(pix_keys: &PixKeys, ids: Arc<dyn Ids>) -> GraphSchema {
    builder().data(Loaders::new(pix_keys)).data(pix_keys.clone()).data(ids).finish()
}

/// Its SDL for composition.
pub fn sdl() -> String {
    federation_sdl(&builder().finish())
}

/// The error of a failed use case, on the field of the request.
pub(super) fn failed(error: impl Into<ApplicationError>) -> Error {
    refused(match error.into() {
        ApplicationError::Refused(broken) => named(broken).into(),
        unavailable @ ApplicationError::Unavailable(_) => unavailable,
    })
}
