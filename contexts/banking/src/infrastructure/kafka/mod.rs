//! The log: what is published, what is read.

pub mod consumer;
mod examples;
pub mod inbound;
pub mod publish;
pub mod published;

use shared_kernel::application::catalogue::Reader;
use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};

use super::watch;
use published::Banks;

/// The hub's participants; Transfers writes it.
pub const PARTICIPANTS: &str = "codepix.transfers.participants";
/// The directory's keys; Pix Keys writes it.
pub const PIX_KEYS: &str = "codepix.pix-keys";
/// Before the ISPB in the name of a bank's own topic; Transfers writes them.
pub const BANK_PREFIX: &str = "codepix.bank.";
/// All banks' own topics.
pub const BANKS: &str = "^codepix\\.bank\\.[0-9A-Z]{8}$";

/// Who reads what here: the banks, and those who follow transfers.
pub const READERS: &[Reader] = &[consumer::READER, watch::READER];

/// The topics that this context writes, and those that it reads and that may not be there yet.
pub fn topics() -> Vec<TopicPlan> {
    let read = [PARTICIPANTS, PIX_KEYS].map(|name| TopicPlan::new(name, Retention::Forever));
    TopicPlan::all_of::<Banks>().into_iter().chain(read).collect()
}
