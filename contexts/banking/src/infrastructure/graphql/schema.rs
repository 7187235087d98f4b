//! The schema, over the use cases or without them.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Schema, SchemaBuilder};
use shared_kernel::application::{ApplicationError, Ids, Place};
use shared_kernel::domain::Kind;
use shared_kernel::infrastructure::graphql::{
    LOADER_DELAY, Window, federation_sdl, refused, start_batch, subgraph,
};

use super::account::Account;
use super::hold::Hold;
use super::loaders::Lookups;
use super::posting::Posting;
use super::transfer::AccountTransfer;
use super::{Mutation, Query, Subscription};
use crate::application::Banking;
use crate::application::page::Part;
use crate::application::ports::Outcome;
use crate::infrastructure::watch::TransferWatches;

/// The subgraph of this context.
pub type GraphSchema = Schema<Query, Mutation, Subscription>;

/// What resolvers ask.
pub(super) struct Graph {
    pub(super) facade: Arc<Banking>,
    pub(super) watches: TransferWatches,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) lookups: DataLoader<Lookups>,
}

/// What this request is answered with.
///
/// # Errors
/// When the schema was built to be written down only.
pub(super) fn graph<'a>(context: &Context<'a>) -> async_graphql::Result<&'a Graph> {
    context.data()
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    subgraph(Query, Mutation, Subscription)
        .override_output_type_description::<Connection<String, Account>>("A page of accounts.")
        .override_output_type_description::<Connection<String, AccountTransfer>>(
            "A page of transfers, as an account sees them.",
        )
        .override_output_type_description::<Connection<String, Hold>>("A page of holds.")
        .override_output_type_description::<Connection<String, Posting>>(
            "A page of the ledger's entries.",
        )
}

/// The subgraph over the use cases.
pub fn schema(facade: &Arc<Banking>, watches: &TransferWatches, ids: Arc<dyn Ids>) -> GraphSchema {
    let lookups = Lookups(Arc::clone(facade));
    let graph = Graph {
        facade: Arc::clone(facade),
        watches: watches.clone(),
        ids,
        lookups: DataLoader::new(lookups, start_batch).delay(LOADER_DELAY),
    };
    builder().data(graph).finish()
}

/// The SDL of the subgraph, for composition.
pub fn sdl() -> String {
    federation_sdl(&builder().finish())
}

/// The part of a list that the arguments of a connection ask for.
///
/// # Errors
/// `page_size_range` in `first`, `page_token_shape` in `after`.
pub(super) fn part<K, P: Place>(
    of: K,
    first: Option<i32>,
    after: Option<&str>,
) -> async_graphql::Result<Part<K, P>> {
    let Window { size, after } = Window::asked(first, after).map_err(refused)?;
    Ok(Part { of, size, after })
}

/// What was found, or nothing where there is none: a query names no absence as an error.
pub(super) fn found<T>(outcome: Outcome<T>) -> async_graphql::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(ApplicationError::Refused(broken)) if broken.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(refused(error)),
    }
}
