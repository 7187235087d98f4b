//! The subgraph: balances and statements as the joined graph has them.

mod account;
mod balance;
mod loaders;
mod query;
mod schema;
mod statement;
mod stubs;
mod subscription;
#[cfg(test)]
mod tests;

pub use query::Query;
pub use schema::{GraphSchema, schema, sdl};
pub use subscription::Subscription;
