//! The log: what the hub hears from banks, what it tells, and the banks' topics.

pub mod changes;
pub mod consumer;
pub mod inbound;
pub mod news;
pub mod published;
pub mod topics;
