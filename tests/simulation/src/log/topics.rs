//! The topics of banks, made as banks are enrolled.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::StoreError;
use shared_kernel::domain::Ispb;
use transfers::application::ports::BankTopics;
use transfers::infrastructure::kafka::published::{BANKS, bank_topic};

use super::Log;

/// Makes topics.
pub(crate) struct Topics(pub(crate) Arc<Log>);

#[async_trait]
impl BankTopics for Topics {
    async fn ensure(&self, banks: &[Ispb]) -> Result<(), StoreError> {
        self.0.world.delay().await;
        if self.0.state().is_down {
            return Err(StoreError::Unavailable("the broker does not answer".into()));
        }
        for bank in banks {
            self.0.create(bank_topic(*bank).name(), BANKS.partitions);
        }
        Ok(())
    }
}
