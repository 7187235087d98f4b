//! The directory's part of the graph: Pix keys are its own, to accounts it adds their keys and how
//! it lists them.

mod account;
mod key;
mod loaders;
mod mutation;
mod query;
mod schema;
#[cfg(test)]
mod tests;

pub use schema::{GraphSchema, schema, sdl};
