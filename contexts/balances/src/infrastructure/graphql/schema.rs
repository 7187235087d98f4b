//! The schema of the subgraph, and its SDL for composition.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{EmptyMutation, Schema, SchemaBuilder};
use shared_kernel::infrastructure::graphql::{federation_sdl, subgraph};

use super::balance::Balance;
use super::loaders::{balance_list_loader, balance_loader, statement_loader};
use super::query::Query;
use super::statement::Statement;
use super::subscription::Subscription;
use crate::application::Balances;
use crate::infrastructure::kafka::AccountFeed;

/// The subgraph of this context: it is asked and followed, and commanded never.
pub type GraphSchema = Schema<Query, EmptyMutation, Subscription>;

fn builder() -> SchemaBuilder<Query, EmptyMutation, Subscription> {
    subgraph(Query, EmptyMutation, Subscription)
        .override_output_type_description::<Connection<String, Balance>>("A page of balances.")
        .override_output_type_description::<Statement>("A page of a statement.")
}

/// The subgraph over these use cases and the live end of accounts.
pub fn schema(facade: &Arc<Balances>, feed: AccountFeed) -> GraphSchema {
    builder()
        .data(balance_loader(Arc::clone(facade)))
        .data(statement_loader(Arc::clone(facade)))
        .data(balance_list_loader(Arc::clone(facade)))
        .data(Arc::clone(facade))
        .data(feed)
        .finish()
}

/// The SDL of the subgraph; no server is needed for it.
pub fn sdl() -> String {
    federation_sdl(&builder().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subgraph_extends_accounts_and_owns_none_of_the_others() {
        let sdl = sdl();
        for line in [
            "type Account @key(fields: \"id\")",
            "type Bank @key(fields: \"id\", resolvable: false)",
            "type Transfer @key(fields: \"id\", resolvable: false)",
            "type PixKey @key(fields: \"id\", resolvable: false)",
            "type StatementConnection",
            "accountUpdated(",
        ] {
            assert!(sdl.contains(line), "{line} is not in\n{sdl}");
        }
    }
}
