//! The log: what the hub hears from banks, what it tells, and the banks' topics.

pub mod changes;
pub mod consumer;
mod examples;
pub mod inbound;
pub mod news;
pub mod published;
pub mod topics;

use shared_kernel::application::catalogue::Reader;

use super::classic::consumer::{CONFIRMATIONS_READER, ORDERS_READER};
use super::classic::line;

/// Who reads what here: the clearing of bank messages, the desk of bank programs, the courier of
/// hand-overs, and those who follow transfers.
pub const READERS: &[Reader] =
    &[inbound::READER, ORDERS_READER, CONFIRMATIONS_READER, line::READER, news::READER];
