//! `codepix bench`: how much a running hub carries, measured so that it cannot look better.
//!
//! An open loop: requests arrive on a fixed schedule whatever the hub does, and latency counts
//! from the scheduled instant, so that a slow hub cannot hide behind a generator that waits for
//! it. The end of a transfer is learnt from the hub's own events on the log, by one reader.

mod command;
mod conditions;
mod counts;
mod finals;
mod graph;
mod graph_report;
mod histogram;
mod lookup;
mod open_loop;
mod replay;
mod replay_events;
mod replay_report;
mod replay_scratch;
mod report;
mod run;
mod setup;
mod tally;
mod tracker;
mod transfers;

pub use command::BenchCommand;
pub use counts::Counts;
pub use graph_report::GraphReport;
pub use histogram::Latency;
pub use replay_report::ReplayBenchReport;
pub use report::{BenchReport, LookupReport, TransfersReport};
pub use run::run;
