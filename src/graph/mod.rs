//! The joined graph at the edge: one playground and one endpoint for all contexts, each subgraph
//! for routers of others, and the committed SDL that both are held to.

pub mod credential;
pub mod edge;
#[cfg(test)]
mod edge_tests;
pub mod gathered;
mod multipart;
mod operations;
pub mod parts;
pub mod playground;
pub mod sdl;
pub mod settings;
mod socket;

pub use edge::Door;
pub use parts::Parts;
pub use settings::GraphArguments;
