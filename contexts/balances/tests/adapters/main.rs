//! The adapters of the read side on a real PostgreSQL and a real Kafka.

#[cfg(test)]
mod bank;
#[cfg(test)]
mod consumer;
#[cfg(test)]
mod external;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod history;
#[cfg(test)]
mod process;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod store;
