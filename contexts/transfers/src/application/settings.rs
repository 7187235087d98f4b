//! The hub's own settings.

use std::time::Duration;

use shared_kernel::domain::BankCode;

/// Times and bounds of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransfersSettings {
    /// How long the payee's bank has to accept, from the registration of the order.
    pub transfer_deadline: Duration,
    /// How often a sweeper looks for what is due.
    pub sweep_every: Duration,
    /// How long past a deadline the sweeper leaves a transfer alone: an acceptance in time may
    /// still be on its way from the broker.
    pub sweep_grace: Duration,
    /// Transfers that a sweeper handles in one transaction.
    pub sweep_batch_max: u16,
    /// How long the hub waits for a bank's report before it sends `TransferConfirmed` again.
    pub report_wait: Duration,
    /// How long after that second confirmation it waits for the report of a payer's bank that had
    /// debited before it ordered.
    pub payer_patience: Duration,
    /// The longest such wait: each is twice the one before.
    pub report_wait_max: Duration,
    /// What the topics of banks that credit on delivery begin with; their codes follow. It lives as
    /// long as the process.
    pub outside_bank_topics: &'static str,
}

impl TransfersSettings {
    /// The topic of a bank that credits on delivery.
    pub fn outside_topic(&self, code: &BankCode) -> String {
        format!("{}{code}", self.outside_bank_topics)
    }
}

impl Default for TransfersSettings {
    fn default() -> Self {
        Self {
            transfer_deadline: Duration::from_secs(40),
            sweep_every: Duration::from_millis(500),
            sweep_grace: Duration::from_secs(1),
            sweep_batch_max: 500,
            report_wait: Duration::from_secs(20),
            payer_patience: Duration::from_mins(1),
            report_wait_max: Duration::from_mins(10),
            outside_bank_topics: "bank",
        }
    }
}
