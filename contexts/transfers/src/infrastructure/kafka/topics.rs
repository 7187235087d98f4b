//! The topics of each bank: `codepix.bank.<ispb>` with its dead-letter topic, and of one that is
//! not native the one that its program reads. Such a bank has both: it may have been native, and
//! what it ordered then is answered there.

use async_trait::async_trait;
use shared_kernel::application::StoreError;
use shared_kernel::infrastructure::kafka::{KafkaSettings, TopicPlan, ensure_topics, existing};

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

async fn make(kafka: &KafkaSettings, plans: &[TopicPlan]) -> Result<(), StoreError> {
    ensure_topics(kafka, plans).await.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[async_trait]
impl BankTopics for KafkaBankTopics {
    async fn ensure(&self, banks: &[Participant]) -> Result<(), StoreError> {
        let mut plans: Vec<TopicPlan> = Vec::new();
        for bank in banks {
            let native = TopicPlan::new(bank_topic(bank.ispb).name(), BANKS.retention)
                .partitions(BANKS.partitions);
            let outside =
                (!bank.has_topic()).then(|| bank_plan(&self.own.outside_topic(&bank.code)));
            for plan in std::iter::once(native).chain(outside) {
                if !plans.contains(&plan) {
                    plans.push(plan);
                }
            }
        }
        make(&self.kafka, &plans).await
    }

    async fn ensure_outside(&self, topics: &[String]) -> Result<(), StoreError> {
        let plans: Vec<TopicPlan> = topics.iter().map(|topic| bank_plan(topic)).collect();
        make(&self.kafka, &plans).await
    }

    async fn outside(&self, topics: &[String]) -> Result<Vec<String>, StoreError> {
        existing(&self.kafka, topics)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}
