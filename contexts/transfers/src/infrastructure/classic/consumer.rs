//! The consumers of what bank programs write: one of orders, one of confirmations. Orders wait for
//! the directory; confirmations ask nobody, and so wait for no order.
//!
//! The transaction is open while the directory is asked, and the store ends one that waits for too
//! long: a batch of orders is so small that it is over before, however slow the directory is. A
//! larger one might begin again for ever.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::catalogue::{Event as _, Reader};
use shared_kernel::application::{
    BatchHandler, Ids, InboundRecord, Refusal, StoreError, TraceParent, Unreadable,
};

use super::super::NAME;
use super::super::grpc::directory::IN_FLIGHT_MAX;
use super::inbound;
use super::published::{BankProgramConfirmed, BankProgramOrdered, CONFIRMATIONS, ORDERS};
use crate::application::outside::{HeardOutside, OrderDesk, OutsideMessage};
use crate::application::ports::{TransfersStore, TransfersTransaction};

/// Consumer group of orders, and name of the stored offsets.
pub const ORDERS_CONSUMER: &str = "codepix.transfers.classic";

/// The same of confirmations.
pub const CONFIRMATIONS_CONSUMER: &str = "codepix.transfers.classic-confirmations";

/// Orders of one transaction: the directory is asked about all of them at once, first whose the
/// accounts are, then whose the keys.
pub const ORDERS_BATCH_MAX: usize = IN_FLIGHT_MAX;

/// What the consumer of orders makes of a record, on the topic of its usual name.
pub const ORDERS_READER: Reader = Reader {
    context: NAME,
    consumer: ORDERS_CONSUMER,
    channels: &[ORDERS.address],
    knows: &[BankProgramOrdered::EVENT_TYPE],
    read: |record| inbound::order(record).map(|message| message.is_some()),
};

/// What the consumer of confirmations makes of one.
pub const CONFIRMATIONS_READER: Reader = Reader {
    context: NAME,
    consumer: CONFIRMATIONS_CONSUMER,
    channels: &[CONFIRMATIONS.address],
    knows: &[BankProgramConfirmed::EVENT_TYPE],
    read: |record| inbound::confirmation(record).map(|_message| true),
};

fn understood(
    record: &InboundRecord,
    confirmations: &str,
) -> Result<Option<OutsideMessage>, Unreadable> {
    if record.from.topic == confirmations {
        return inbound::confirmation(record).map(Some);
    }
    inbound::order(record)
}

/// Handles batches of either topic.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct OutsideMessages {
    store: Arc<dyn TransfersStore>,
    desk: OrderDesk,
    ids: Arc<dyn Ids>,
    /// Full name of the topic of confirmations.
    confirmations: String,
}

impl OutsideMessages {
    /// A handler over the hub's store; `confirmations` is the topic's full name.
    pub fn new(
        store: Arc<dyn TransfersStore>,
        desk: OrderDesk,
        ids: Arc<dyn Ids>,
        confirmations: String,
    ) -> Self {
        Self { store, desk, ids, confirmations }
    }

    fn trace(&self, record: &InboundRecord) -> TraceParent {
        let given = record.header("traceparent").and_then(TraceParent::parse);
        given.unwrap_or_else(|| TraceParent::begin(&*self.ids))
    }
}

#[async_trait]
impl BatchHandler for OutsideMessages {
    type Transaction = dyn TransfersTransaction;

    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let mut heard = Vec::with_capacity(batch.len());
        let mut refusals = Vec::new();
        for (index, record) in batch.iter().enumerate() {
            match understood(record, &self.confirmations) {
                Ok(Some(message)) => heard.push(HeardOutside {
                    index,
                    at: record.broker_time,
                    trace: self.trace(record),
                    message,
                }),
                Ok(None) => {}
                Err(Unreadable { code, sentence }) => {
                    refusals.push(Refusal { index, code: code.to_owned(), reason: sentence });
                }
            }
        }
        refusals.extend(self.desk.take(transaction, heard).await?);
        Ok(refusals)
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::infrastructure::postgres::IDLE_IN_TRANSACTION_MAX;

    use super::super::super::grpc::directory::DEADLINE;
    use super::*;

    #[test]
    fn a_batch_of_orders_ends_before_the_store_ends_it_however_slow_the_directory_is() {
        let rounds = u32::try_from(ORDERS_BATCH_MAX.div_ceil(IN_FLIGHT_MAX)).unwrap();
        // Each question may have to connect first; accounts and keys are asked for.
        let longest = DEADLINE.saturating_mul(2).saturating_mul(rounds).saturating_mul(2);
        let limit = IDLE_IN_TRANSACTION_MAX.as_secs_f32();
        assert!(longest.as_secs_f32() < limit * 0.6, "{longest:?} of {limit} s");
    }
}
