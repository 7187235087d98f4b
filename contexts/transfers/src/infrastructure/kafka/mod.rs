//! The log: what the hub hears from banks, what it tells, and the banks' topics.

pub mod changes;
pub mod consumer;
mod examples;
pub mod inbound;
pub mod news;
pub mod published;
pub mod topics;

use shared_kernel::application::catalogue::Reader;

use super::classic::consumer as consumer_of_programs;

/// Who reads what here: the clearing of bank messages, the desk of bank programs, and those who
/// follow transfers.
pub const READERS: &[Reader] = &[inbound::READER, consumer_of_programs::READER, news::READER];
