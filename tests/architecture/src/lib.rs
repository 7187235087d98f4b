//! The shape of the house, held by tests.
//!
//! A rule that no machine holds is forgotten, and a check that cannot fail is decoration. So each
//! check here reads the tree as it is on disk (a context added tomorrow is checked tomorrow), and
//! each has fixtures in `fixtures/`: a small sound house, broken in one way at a time, in which
//! the break must be found. `tests/house.rs` runs every check on this repository.
//!
//! * [`House`] finds the contexts and files, [`Members`] asks cargo who depends on whom.
//! * [`source`] reads Rust as tokens, so that derives, attributes and macro bodies are seen too.
//! * [`crate_tree`] follows `mod` from a crate's root, so that each file has its true module.
//! * [`checks`] holds the rules, one file each; every one returns [`Finding`]s and never prints.
//!
//! The checks need no network, no database and no context: `cargo test -p architecture-tests`.

pub mod checks;
pub mod crate_tree;
mod finding;
mod house;
mod manifest;
mod members;
pub mod source;
pub mod sql;

#[cfg(test)]
mod fixtures;

pub use finding::{Finding, verdict};
pub use house::{Context, House};
pub use manifest::{Dependency, Manifest};
pub use members::{Member, Members};

/// What a check returns when the tree cannot be read at all.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A rule: reads the house, names every place that breaks it.
pub type Check = fn(&House) -> Result<Vec<Finding>>;
