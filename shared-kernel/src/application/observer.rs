//! What the core reports of itself, as a port: metrics in production, nothing in a test.

use std::time::Duration;

use crate::application::log::InboundRecord;

/// Receives figures from relay, consumers and commands. Every method has an empty default.
pub trait Observer: Send + Sync {
    /// A consumer committed `records` together, `took` after it had them.
    fn batch_committed(&self, _consumer: &str, _records: &[InboundRecord], _took: Duration) {}
    /// A consumer had to try a batch again.
    fn batch_retried(&self, _consumer: &str) {}
    /// A record went to the dead-letter topic.
    fn dead_lettered(&self, _consumer: &str, _code: &str) {}
    /// A relay had `records` acknowledged by the broker.
    fn relayed(&self, _records: usize) {}
    /// A relay had to try again.
    fn relay_retried(&self) {}
    /// The log refused a record of a relay for ever: its shard stands still.
    fn relay_refused(&self) {}
    /// `commands` of one kind were decided in one transaction.
    fn commands_decided(&self, _operation: &'static str, _commands: usize, _refused: usize) {}
}

/// Reports to nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {}
