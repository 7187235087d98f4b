//! How a subgraph is built and written down.

use std::time::Duration;

use async_graphql::{ObjectType, SDLExportOptions, Schema, SchemaBuilder, SubscriptionType};

/// How long a data loader gathers keys: only until all resolvers of the moment have asked. A
/// longer wait would be added to every hop of the joined graph.
pub const LOADER_DELAY: Duration = Duration::ZERO;

/// Selections within one another that a subgraph resolves. The joined graph has limits of its own;
/// this one holds for whoever asks the subgraph itself.
const DEPTH_MAX: usize = 16;

/// Fields that a request to one subgraph may select.
const COMPLEXITY_MAX: usize = 5_000;

/// A subgraph of these roots: federation directives, subscriptions in its SDL, limits.
pub fn subgraph<Q, M, S>(query: Q, mutation: M, subscription: S) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    // Without the third call subscriptions vanish from the SDL, and so from the joined graph.
    Schema::build(query, mutation, subscription)
        .enable_federation()
        .enable_subscription_in_federation()
        .limit_depth(DEPTH_MAX)
        .limit_complexity(COMPLEXITY_MAX)
}

/// The SDL of a subgraph for composition: sorted, so that only a change changes it.
pub fn federation_sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .federation()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    schema.sdl_with_options(options)
}
