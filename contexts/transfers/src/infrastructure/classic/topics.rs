//! The topics of the protocol. Their names are settings, because others chose them.

use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};

/// Partitions of the topics that programs write to: their keys are constant or random.
const SHARED_PARTITIONS: i32 = 8;
/// Partitions of a bank's topic: a program may read no other than the first.
const BANK_PARTITIONS: i32 = 1;

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
        let (orders, confirmations) = ("transactions".into(), "transaction_confirmation".into());
        Self { orders, confirmations }
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
