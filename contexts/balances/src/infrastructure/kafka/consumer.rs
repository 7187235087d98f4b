//! The consumers: a batch is a constant number of statements and one commit.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{BatchHandler, InboundRecord, Refusal, StoreError, Unreadable};

use crate::application::ports::{BalancesStore, BalancesTransaction};
use crate::application::reaction::{OnAccountEvent, OnTransferEvent};
use crate::infrastructure::kafka::inbound;

/// Folds batches of `codepix.banking.accounts`.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct AccountsConsumer {
    store: Arc<dyn BalancesStore>,
}

/// Keeps the sides of transfers from batches of `codepix.transfers`.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct TransfersConsumer {
    store: Arc<dyn BalancesStore>,
}

impl AccountsConsumer {
    /// A consumer that writes to this store.
    pub fn new(store: Arc<dyn BalancesStore>) -> Self {
        Self { store }
    }
}

impl TransfersConsumer {
    /// A consumer that writes to this store.
    pub fn new(store: Arc<dyn BalancesStore>) -> Self {
        Self { store }
    }
}

/// What a batch holds, with the places of its events, and what of it is unreadable.
struct Sorted<T> {
    events: Vec<T>,
    places: Vec<usize>,
    refusals: Vec<Refusal>,
}

fn sorted<T>(
    batch: &[InboundRecord],
    read: impl Fn(&InboundRecord) -> Result<T, Unreadable>,
) -> Sorted<T> {
    let mut sorted = Sorted { events: Vec::new(), places: Vec::new(), refusals: Vec::new() };
    for (index, record) in batch.iter().enumerate() {
        match read(record) {
            Ok(event) => {
                sorted.events.push(event);
                sorted.places.push(index);
            }
            Err(Unreadable { code, sentence }) => {
                sorted.refusals.push(Refusal { index, code: code.to_owned(), reason: sentence });
            }
        }
    }
    sorted
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
        let Sorted { events, places, mut refusals } = sorted(batch, inbound::account_event);
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

#[async_trait]
impl BatchHandler for TransfersConsumer {
    type Transaction = dyn BalancesTransaction;

    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let Sorted { events, refusals, .. } = sorted(batch, inbound::transfer_event);
        OnTransferEvent::keep(transaction, events).await?;
        Ok(refusals)
    }
}
