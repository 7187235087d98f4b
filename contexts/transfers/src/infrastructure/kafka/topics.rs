//! The topic of each bank: `codepix.bank.<ispb>` of a native one, with its dead-letter topic; of
//! another the one that its program reads.

use async_trait::async_trait;
use shared_kernel::application::StoreError;
use shared_kernel::infrastructure::kafka::{KafkaSettings, TopicPlan, ensure_topics};

use super::published::{BANKS, bank_topic};
use crate::application::TransfersSettings;
use crate::application::ports::BankTopics;
use crate::domain::Participant;
use crate::infrastructure::classic::topics::bank_plan;

/// Creates the topics of banks.
#[derive(Clone, Debug)]
pub struct KafkaBankTopics {
    kafka: KafkaSettings,
    own: TransfersSettings,
}

impl KafkaBankTopics {
    /// Topics on these brokers.
    pub const fn new(kafka: KafkaSettings, own: TransfersSettings) -> Self {
        Self { kafka, own }
    }
}

#[async_trait]
impl BankTopics for KafkaBankTopics {
    async fn ensure(&self, banks: &[Participant]) -> Result<(), StoreError> {
        let mut plans: Vec<TopicPlan> = Vec::new();
        for bank in banks {
            let plan = if bank.has_topic() {
                TopicPlan::new(bank_topic(bank.ispb).name(), BANKS.retention)
                    .partitions(BANKS.partitions)
            } else {
                bank_plan(&self.own.outside_topic(&bank.code))
            };
            if !plans.contains(&plan) {
                plans.push(plan);
            }
        }
        ensure_topics(&self.kafka, &plans)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
