//! gRPC at the edge: callers in, refusals out.

pub mod callers;
pub mod status;

pub use callers::{Callers, Token, request_context};
pub use status::status;
