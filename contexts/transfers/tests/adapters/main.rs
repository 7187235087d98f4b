//! The hub's adapters on a real `PostgreSQL` and a real Kafka: what store, consumer, sweepers and
//! service promise, in parallel and after failures too. Each test has a database and topics of its
//! own.
#![cfg(feature = "infrastructure")]
#![expect(clippy::similar_names, reason = "payer and payee are the words of the field")]

#[cfg(test)]
mod audit;
#[cfg(test)]
mod clearing;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod enrolling;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod handing_over;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod node;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod service;
#[cfg(test)]
mod sweeping;
