//! The topics of the protocol. Their names are settings, because others chose them.

use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};

use super::published::{BANK_PARTITIONS, CONFIRMATIONS, ORDERS, SHARED_PARTITIONS};

/// What the topics are called, prefix not included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicTopics {
    /// Orders of payers' banks.
    pub orders: String,
    /// Confirmations of either bank.
    pub confirmations: String,
}

impl Default for ClassicTopics {
    fn default() -> Self {
        Self { orders: ORDERS.address.into(), confirmations: CONFIRMATIONS.address.into() }
    }
}

impl ClassicTopics {
    /// The topics that programs write to.
    pub fn plans(&self) -> Vec<TopicPlan> {
        let plan = |name: &String| {
            TopicPlan::new(name, Retention::Days30).partitions(SHARED_PARTITIONS).of_others()
        };
        vec![plan(&self.orders), plan(&self.confirmations)]
    }
}

/// The topic of one bank, which its program reads.
pub fn bank_plan(topic: &str) -> TopicPlan {
    let plan = TopicPlan::new(topic, Retention::Days30).partitions(BANK_PARTITIONS).of_others();
    TopicPlan { dead_letters: false, ..plan }
}
