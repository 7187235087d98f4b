//! The event catalogue, made from the code.
//!
//! The registries of the contexts say what is published; their readers say, by reading every
//! example, who takes what. [`tree::Tree`] holds `eventcatalog/` in memory: [`site::generate`]
//! puts into it all that the code knows and leaves what people wrote, so that a check is a
//! comparison and writing is the same with a disk. Nothing here needs Node; `npm` only draws the
//! site.

pub mod asyncapi;
pub mod channels;
pub mod domains;
pub mod doors;
pub mod events;
pub mod flows;
pub mod frozen;
pub mod history;
pub mod house;
pub mod operations;
pub mod outside;
pub mod page;
pub mod prose;
pub mod readers;
pub mod references;
pub mod registry;
pub mod schema;
pub mod services;
pub mod site;
pub mod tree;
pub mod variants;
pub mod versions;
pub mod words;

pub use registry::{Catalogue, EventDoc, ReaderDoc};
pub use tree::Tree;
