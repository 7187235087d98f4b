//! The consumer of bank messages: reads what a batch says and has it cleared.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{
    BatchHandler, Envelope, Ids, InboundRecord, Refusal, StoreError, TraceParent, Unreadable,
};

use super::inbound;
use crate::application::Clearing;
use crate::application::message::{Heard, Received};
use crate::application::ports::{TransfersStore, TransfersTransaction};
use crate::domain::Protocol;

/// Handles batches of `codepix.banking.transfers`.
pub struct BankMessages {
    store: Arc<dyn TransfersStore>,
    clearing: Clearing,
    ids: Arc<dyn Ids>,
}

impl std::fmt::Debug for BankMessages {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("BankMessages")
            .field("clearing", &self.clearing)
            .finish_non_exhaustive()
    }
}

impl BankMessages {
    /// A handler over the hub's store.
    pub fn new(store: Arc<dyn TransfersStore>, clearing: Clearing, ids: Arc<dyn Ids>) -> Self {
        Self { store, clearing, ids }
    }

    fn understand(&self, index: usize, record: &InboundRecord) -> Result<Received, Unreadable> {
        let envelope = Envelope::read(record)?;
        let message = inbound::message(record, &envelope)?;
        let trace = envelope.trace.unwrap_or_else(|| TraceParent::begin(&*self.ids));
        let (at, origin) = (record.broker_time, record.from.partition);
        let heard = Heard { at, origin, voice: Protocol::Native, trace };
        Ok(Received { index, heard, message })
    }
}

#[async_trait]
impl BatchHandler for BankMessages {
    type Transaction = dyn TransfersTransaction;

    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let mut received = Vec::with_capacity(batch.len());
        let mut refusals = Vec::new();
        for (index, record) in batch.iter().enumerate() {
            match self.understand(index, record) {
                Ok(message) => received.push(message),
                Err(Unreadable { code, sentence }) => {
                    refusals.push(Refusal { index, code: code.to_owned(), reason: sentence });
                }
            }
        }
        refusals.extend(self.clearing.clear(transaction, received).await?);
        Ok(refusals)
    }
}
