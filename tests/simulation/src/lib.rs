//! The whole hub in one thread: every context, several banks, a log, databases, a network and
//! clocks, under a scheduler that a seed drives. It crashes, repeats, delays and reorders wherever
//! the real world may; money is counted to the centavo after every step, and every promise is
//! checked when all is quiet. A failure is repeated by its seed.
//!
//! The code under test is the code that runs in production: domain, application, relay, consumer,
//! sagas, sweepers, and the JSON that contexts publish and read. Only what stands behind the ports
//! is simulated. `docs/CORRECTNESS.md` says what that leaves out.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "overflow checks are on: a sum that overflows panics, and a panic fails its seed"
)]

mod checks;
mod city;
mod contexts;
mod ending;
mod executor;
mod facade;
mod handler;
mod log;
mod network;
mod plan;
mod planted;
mod process;
mod programs;
mod random;
mod run;
mod store;
mod trace;
mod words;
mod workload;
mod world;

pub use planted::Bug;
pub use run::{Options, Outcome, run};
