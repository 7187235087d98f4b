//! The topics of banks, made as banks are enrolled, and where Banking speaks of a transfer.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::StoreError;
use shared_kernel::application::outbox::shard_of;
use shared_kernel::domain::EndToEndId;
use transfers::application::TransfersSettings;
use transfers::application::ports::{BankTopics, Placement};
use transfers::domain::Participant;
use transfers::infrastructure::kafka::published::{BANKS, bank_topic};

use super::Log;
use crate::executor::WORLD;

/// Makes topics.
pub(crate) struct Topics(pub(crate) Arc<Log>);

#[async_trait]
impl BankTopics for Topics {
    async fn ensure(&self, banks: &[Participant]) -> Result<(), StoreError> {
        self.0.world.delay(WORLD, "before the broker answers").await;
        if self.0.state().is_down {
            return Err(StoreError::Unavailable("the broker does not answer".into()));
        }
        for bank in banks {
            if bank.has_topic() {
                self.0.create(bank_topic(bank.ispb).name(), BANKS.partitions);
            } else {
                self.0.create(&TransfersSettings::default().outside_topic(&bank.code), 1);
            }
        }
        Ok(())
    }

    async fn ensure_outside(&self, topics: &[String]) -> Result<(), StoreError> {
        self.0.world.delay(WORLD, "before the broker answers").await;
        if self.0.state().is_down {
            return Err(StoreError::Unavailable("the broker does not answer".into()));
        }
        for topic in topics {
            self.0.create(topic, 1);
        }
        Ok(())
    }

    async fn outside(&self, topics: &[String]) -> Result<Vec<String>, StoreError> {
        self.0.world.delay(WORLD, "before the broker answers").await;
        let state = self.0.state();
        if state.is_down {
            return Err(StoreError::Unavailable("the broker does not answer".into()));
        }
        Ok(topics.iter().filter(|topic| state.topics.contains_key(*topic)).cloned().collect())
    }
}

/// The partitions of the topic of bank messages, as this log chooses among them.
pub(crate) struct Places(pub(crate) i32);

impl Placement for Places {
    fn origin(&self, id: &EndToEndId) -> i32 {
        let count = u16::try_from(self.0).unwrap_or(1);
        i32::from(shard_of(id.as_str().as_bytes(), count))
    }
}
