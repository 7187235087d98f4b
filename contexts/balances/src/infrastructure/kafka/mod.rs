//! The events that this context reads; it publishes none.

mod consumer;
mod inbound;

pub use consumer::AccountsConsumer;
pub use inbound::{ACCOUNTS_TOPIC, AccountStated};
