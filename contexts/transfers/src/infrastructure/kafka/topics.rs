//! The topic of each native bank: `codepix.bank.<ispb>`, and its dead-letter topic.

use async_trait::async_trait;
use shared_kernel::application::StoreError;
use shared_kernel::domain::Ispb;
use shared_kernel::infrastructure::kafka::{KafkaSettings, TopicPlan, ensure_topics};

use super::published::{BANKS, bank_topic};
use crate::application::ports::BankTopics;

/// Creates the topics of banks.
#[derive(Clone, Debug)]
pub struct KafkaBankTopics(KafkaSettings);

impl KafkaBankTopics {
    /// Topics on these brokers.
    pub const fn new(settings: KafkaSettings) -> Self {
        Self(settings)
    }
}

#[async_trait]
impl BankTopics for KafkaBankTopics {
    async fn ensure(&self, banks: &[Ispb]) -> Result<(), StoreError> {
        let mut banks = banks.to_vec();
        banks.sort_unstable();
        banks.dedup();
        let plan = |bank: &Ispb| {
            TopicPlan::new(bank_topic(*bank).name(), BANKS.retention).partitions(BANKS.partitions)
        };
        let plans: Vec<TopicPlan> = banks.iter().map(plan).collect();
        ensure_topics(&self.0, &plans)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
