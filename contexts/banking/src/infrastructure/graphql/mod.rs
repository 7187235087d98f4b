//! GraphQL: the subgraph of the banks. Banking owns `Account`, and adds to `Bank`.

mod account;
mod bank;
#[cfg(test)]
mod graph_tests;
mod hold;
mod input;
mod loaders;
mod mutation;
mod posting;
mod query;
mod schema;
mod subscription;
mod transfer;

pub use mutation::Mutation;
pub use query::Query;
pub use schema::{GraphSchema, schema, sdl};
pub use subscription::Subscription;
