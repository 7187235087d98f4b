//! The joined graph at the edge: one playground for all contexts.

pub mod edge;
pub mod playground;
