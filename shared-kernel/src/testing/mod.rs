//! What tests of other members need: a clock that stands still, ids that count, a database and a
//! topic prefix of a test's own.

pub mod clock;
#[cfg(feature = "infrastructure")]
pub mod graph;
pub mod ids;
#[cfg(feature = "infrastructure")]
mod leftovers;
#[cfg(feature = "infrastructure")]
pub mod log;
#[cfg(feature = "infrastructure")]
pub mod servers;
pub mod wait;

pub use clock::FixedClock;
#[cfg(feature = "infrastructure")]
pub use graph::undocumented;
pub use ids::CountedIds;
#[cfg(feature = "infrastructure")]
pub use log::{ForeignEvent, TestContext};
#[cfg(feature = "infrastructure")]
pub use servers::TestServers;
pub use wait::eventually;
