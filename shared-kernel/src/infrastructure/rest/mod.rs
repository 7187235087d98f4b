//! What every REST service has: its refusals and its description.

mod docs;
mod problem;

pub use docs::{described, with_bearer};
pub use problem::Problem;
