//! Events in and out.

mod consumer;
pub mod inbound;
pub mod published;

pub use consumer::{CONSUMER, DirectoryConsumer};
