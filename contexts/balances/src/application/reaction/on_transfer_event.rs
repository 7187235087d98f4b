//! Events of transfers: who stands on the two sides of each.

use std::collections::BTreeMap;

use shared_kernel::application::StoreError;

use crate::application::ports::BalancesTransaction;
use crate::domain::TransferParties;

/// The reaction.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferEvent;

impl OnTransferEvent {
    /// Keeps the sides of each transfer once; its later events say the same. One write.
    ///
    /// # Errors
    /// As the store: nothing of the events has taken effect.
    pub async fn keep<T: BalancesTransaction + ?Sized>(
        transaction: &mut T,
        events: Vec<TransferParties>,
    ) -> Result<(), StoreError> {
        let mut transfers = BTreeMap::new();
        for event in events {
            // The first counts, as it does across batches.
            transfers.entry(event.end_to_end_id).or_insert(event);
        }
        if transfers.is_empty() {
            return Ok(());
        }
        let transfers: Vec<TransferParties> = transfers.into_values().collect();
        transaction.append_transfers(&transfers).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::{InMemory, MockStore};
    use crate::domain::testing::transfer;

    #[tokio::test]
    async fn a_batch_keeps_each_transfer_once() {
        let mut store = MockStore::new();
        store
            .expect_append_transfers()
            .withf(|transfers| transfers == [transfer(1), transfer(2)])
            .times(1)
            .returning(|_| Ok(()));
        let events = vec![transfer(2), transfer(1), transfer(2), transfer(1)];
        OnTransferEvent::keep(&mut store, events).await.unwrap();
    }

    #[tokio::test]
    async fn of_two_that_differ_the_first_counts_in_one_batch_and_in_two() {
        let other = TransferParties { payee_key: "other@example.com".into(), ..transfer(1) };
        for cut in [1, 2] {
            let mut store = InMemory::default();
            for batch in [transfer(1), other.clone()].chunks(cut) {
                OnTransferEvent::keep(&mut store, batch.to_vec()).await.unwrap();
            }
            assert_eq!(store.transfers[&transfer(1).end_to_end_id], transfer(1), "{cut}");
        }
    }

    #[tokio::test]
    async fn no_events_ask_the_store_nothing() {
        OnTransferEvent::keep(&mut MockStore::new(), Vec::new()).await.unwrap();
    }
}
