//! The adapters of Banking on a real `PostgreSQL` and a real Kafka: what store, consumer, client
//! and service promise, in parallel and after failures too. Each test has a database and topics of
//! its own.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod log;
#[cfg(test)]
mod process;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod service;
#[cfg(test)]
mod wallet_core;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "sums that overflow fail the test")]
mod world;
