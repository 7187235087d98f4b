//! Wallet Core's topics: a wallet service that many people run, which tells of balances and
//! accounts in messages of its own. Nothing further inside knows them.
//!
//! `transactions` is not read: what a transaction did to its accounts is said on `balances`, and
//! that topic belongs to others too, who set aside there what is nobody's.

pub(crate) mod consumer;
mod fixtures;
mod messages;

pub use consumer::WalletCoreConsumer;
pub(crate) use consumer::words;
pub(crate) use fixtures::write_fixtures;

use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};

/// The names of its topics, without prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletCoreTopics {
    /// What accounts have after a transaction.
    pub balances: String,
    /// Accounts that were opened.
    pub accounts: String,
}

impl Default for WalletCoreTopics {
    fn default() -> Self {
        Self { balances: "balances".into(), accounts: "accounts".into() }
    }
}

impl WalletCoreTopics {
    /// Both.
    pub fn names(&self) -> [&str; 2] {
        [&self.balances, &self.accounts]
    }

    /// The topics as they are made where nobody has: one partition, as Wallet Core's own are, so
    /// that messages of one millisecond keep their order; kept for ever, so that a rebuild finds
    /// them.
    pub fn plans(&self) -> Vec<TopicPlan> {
        let plan = |name: &str| TopicPlan::new(name, Retention::Forever).partitions(1).of_others();
        self.names().map(plan).into()
    }
}
