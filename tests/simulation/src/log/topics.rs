//! The topics of banks, made as banks are enrolled.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::StoreError;
use transfers::application::TransfersSettings;
use transfers::application::ports::BankTopics;
use transfers::domain::Participant;
use transfers::infrastructure::kafka::published::{BANKS, bank_topic};

use super::Log;

/// Makes topics.
pub(crate) struct Topics(pub(crate) Arc<Log>);

#[async_trait]
impl BankTopics for Topics {
    async fn ensure(&self, banks: &[Participant]) -> Result<(), StoreError> {
        self.0.world.delay().await;
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
}
