//! The log: what is published, what is read.

pub mod consumer;
pub mod inbound;
pub mod publish;
pub mod published;

use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};

/// `ce_source` of what this context publishes.
pub const SOURCE: &str = "/codepix/banking";
/// What happens on accounts.
pub const ACCOUNTS: &str = "codepix.banking.accounts";
/// What banks tell the hub.
pub const TRANSFERS: &str = "codepix.banking.transfers";
/// The hub's participants; Transfers writes it.
pub const PARTICIPANTS: &str = "codepix.transfers.participants";
/// The directory's keys; Pix Keys writes it.
pub const PIX_KEYS: &str = "codepix.pix-keys";
/// Before the ISPB in the name of a bank's own topic; Transfers writes them.
pub const BANK_PREFIX: &str = "codepix.bank.";
/// All banks' own topics.
pub const BANKS: &str = "^codepix\\.bank\\.[0-9A-Z]{8}$";

/// The topics that this context writes, and those that it reads and that may not be there yet.
pub fn topics() -> Vec<TopicPlan> {
    vec![
        TopicPlan::new(ACCOUNTS, Retention::Forever),
        TopicPlan::new(TRANSFERS, Retention::Days30),
        TopicPlan::new(PARTICIPANTS, Retention::Forever),
        TopicPlan::new(PIX_KEYS, Retention::Forever),
    ]
}
