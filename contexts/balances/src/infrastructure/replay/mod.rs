//! Rebuilds the read side from the log, beside the live one, and puts it in its place.

mod compare;
mod course;
mod error;
mod external;
mod gauge;
mod lead;
mod rebuild;
mod shadow;
mod swap;

pub use compare::{Comparison, Summary};
pub use course::{Mode, Outcome, Replay, Report};
pub use error::ReplayError;
pub use gauge::{Gauge, Phase, Reading};
