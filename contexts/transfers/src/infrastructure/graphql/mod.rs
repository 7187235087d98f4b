//! The hub's part of the graph: transfers and banks are its own, to accounts it adds their
//! transfers.

mod account;
#[cfg(test)]
mod aliases_tests;
mod bank;
mod decision;
#[cfg(test)]
mod decision_tests;
mod loaders;
mod mutation;
mod query;
mod schema;
mod subscription;
#[cfg(test)]
mod tests;
mod transfer;

pub use schema::{GraphSchema, schema, sdl};
