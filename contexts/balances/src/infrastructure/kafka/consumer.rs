//! The consumer of `codepix.banking.accounts`: a batch is one load, one upsert, one commit.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{BatchHandler, InboundRecord, Refusal, StoreError};

use crate::application::ports::{BalancesStore, BalancesTransaction};
use crate::application::reaction::OnAccountEvent;
use crate::infrastructure::kafka::inbound;

/// Folds batches of account events.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct AccountsConsumer {
    store: Arc<dyn BalancesStore>,
}

impl AccountsConsumer {
    /// A consumer that writes to this store.
    pub fn new(store: Arc<dyn BalancesStore>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl BatchHandler for AccountsConsumer {
    type Transaction = dyn BalancesTransaction;

    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let (mut events, mut places, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
        for (index, record) in batch.iter().enumerate() {
            match inbound::read(record) {
                Ok(event) => {
                    events.push(event);
                    places.push(index);
                }
                Err(unreadable) => refusals.push(Refusal {
                    index,
                    code: unreadable.code.to_owned(),
                    reason: unreadable.sentence,
                }),
            }
        }
        for refused in OnAccountEvent::fold(transaction, &events).await? {
            refusals.extend(places.get(refused.index).map(|index| Refusal {
                index: *index,
                code: refused.violation.code().to_owned(),
                reason: refused.violation.message().to_owned(),
            }));
        }
        Ok(refusals)
    }
}
