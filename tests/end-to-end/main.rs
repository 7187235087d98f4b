//! The real binary, booted from outside and spoken to over gRPC and Kafka, on a real `PostgreSQL`
//! and a real Kafka. After each journey the doctor is content, every transfer is final and no
//! centavo is missing.

#[cfg(test)]
mod between;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod chaos_hub;
#[cfg(test)]
mod chaos_servers;
#[cfg(test)]
mod classic;
#[cfg(test)]
mod classic_journey;
#[cfg(test)]
mod client_file;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod events;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod graph_documented;
#[cfg(test)]
mod injection;
#[cfg(test)]
mod intruders;
#[cfg(test)]
mod leader_hints;
#[cfg(test)]
mod life_cycle;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod payee_refusals;
#[cfg(test)]
mod read_side;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod same_order_other_content;
#[cfg(test)]
mod standing_still;
#[cfg(test)]
mod support;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod wallet_core;
#[cfg(test)]
mod watching;
