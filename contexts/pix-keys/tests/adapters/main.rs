//! The directory's adapters on real `PostgreSQL` and Kafka: what the store, the consumer and the
//! service promise, in parallel and after failures too.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod registering;
#[cfg(test)]
mod removing;
#[cfg(test)]
mod service;
