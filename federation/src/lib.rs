//! One graph over many subgraphs, planned and run inside the binary.
//!
//! A [`Federated`] graph reads a supergraph that was composed elsewhere. Each operation is checked
//! (syntax, limits, schema, variables), planned once, and run against [`Subgraph`] ports: schemas
//! of this process, or [`RemoteSubgraph`]s behind HTTP and WebSocket. It implements
//! [`async_graphql::Executor`], so whatever serves a schema serves the joined graph.
//!
//! The crate knows no context and no other member. What bounds it stands in [`Limits`], what it
//! answers when something is wrong in [`Code`]; its README explains both.

mod api;
mod batch;
mod carry;
mod cost;
mod error;
mod graph;
mod guard;
mod introspection;
mod limits;
mod measure;
mod placed;
mod plan;
mod remote;
mod run;
mod subgraph;
mod turns;
mod variables;

pub use error::{Code, unavailable};
pub use graph::{BuildError, Builder, Federated, SubgraphHealth};
pub use guard::Guarded;
pub use limits::Limits;
pub use placed::Placed;
pub use remote::{RemoteError, RemoteSubgraph, RemoteSubgraphBuilder};
pub use subgraph::Subgraph;
