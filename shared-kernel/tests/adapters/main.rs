//! The loss-free core on a real PostgreSQL and a real Kafka.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod consumer;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod group;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod offsets;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod world;
