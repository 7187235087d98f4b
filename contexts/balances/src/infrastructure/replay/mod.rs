//! Rebuilds the read side from the log, beside the live one, and puts it in its place.

mod compare;
mod error;
mod gauge;
mod rebuild;
mod replay;
mod shadow;
mod swap;

pub use compare::{Comparison, Summary};
pub use error::ReplayError;
pub use gauge::{Gauge, Phase, Reading};
pub use replay::{Mode, Outcome, Replay, Report};
