//! What the subgraphs of all contexts have in common: scalars, refusals, the caller, pages.
//!
//! A subgraph is an adapter like the gRPC service beside it: it turns arguments into values, asks
//! the same use cases, and turns refusals into errors with the same stable codes.

pub mod connection;
pub mod request;
pub mod scalars;
pub mod schema;
pub mod status;
pub mod together;

pub use connection::{Window, connection};
pub use request::{caller, trace};
pub use scalars::{DateTime, EndToEndId, Ispb, Money, TaxId};
pub use schema::{LOADER_DELAY, federation_sdl, subgraph};
pub use status::{entity, refused, violation_error};
pub use together::{each_together, start_batch, together};
