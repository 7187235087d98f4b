//! Events of accounts, folded into their balances and kept as their histories.

use std::collections::{BTreeMap, BTreeSet};

use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Violation};

use crate::application::ports::BalancesTransaction;
use crate::domain::{AccountBalance, AccountEvent, Applied};

/// The reaction.
#[derive(Clone, Copy, Debug)]
pub struct OnAccountEvent;

/// An event that its balance refused, by its place among the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place.
    pub index: usize,
    /// Why.
    pub violation: Violation,
}

impl OnAccountEvent {
    /// Folds the events in their order; repeated and late ones are harmless. One load, one append
    /// to the histories, and one write if a balance changed.
    ///
    /// # Errors
    /// As the store: nothing of the events has taken effect.
    pub async fn fold<T: BalancesTransaction + ?Sized>(
        transaction: &mut T,
        events: &[AccountEvent],
    ) -> Result<Vec<Refused>, StoreError> {
        let accounts: BTreeSet<AccountId> = events.iter().map(|event| event.account_id).collect();
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let loaded = transaction.load_balances(&accounts).await?;
        let mut balances: BTreeMap<AccountId, AccountBalance> =
            loaded.into_iter().map(|balance| (balance.account_id(), balance)).collect();
        let mut changed = BTreeSet::new();
        let mut history = BTreeMap::new();
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            match take_in(&mut balances, event) {
                Ok(applied) => {
                    if applied != Applied::Repeated {
                        changed.insert(event.account_id);
                    }
                    // A repeated one too: its history may be younger than its balance.
                    history.insert((event.account_id, event.state.version), event);
                }
                Err(violation) => refused.push(Refused { index, violation }),
            }
        }
        if !history.is_empty() {
            let history: Vec<AccountEvent> = history.into_values().cloned().collect();
            transaction.append_history(&history).await?;
        }
        balances.retain(|account, _| changed.contains(account));
        if !balances.is_empty() {
            let changed: Vec<AccountBalance> = balances.into_values().collect();
            transaction.save_balances(&changed).await?;
        }
        Ok(refused)
    }
}

fn take_in(
    balances: &mut BTreeMap<AccountId, AccountBalance>,
    event: &AccountEvent,
) -> Result<Applied, Violation> {
    if let Some(balance) = balances.get_mut(&event.account_id) {
        return balance.apply(event);
    }
    balances.insert(event.account_id, AccountBalance::begin(event));
    Ok(Applied::Newest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared_kernel::domain::Ispb;

    use super::*;
    use crate::application::testing::{InMemory, MockStore};
    use crate::domain::testing::{account, event};

    async fn fold(store: &mut InMemory, events: &[AccountEvent]) -> Vec<Refused> {
        OnAccountEvent::fold(store, events).await.unwrap()
    }

    #[tokio::test]
    async fn a_batch_is_one_load_one_append_and_one_write() {
        let mut store = MockStore::new();
        store
            .expect_load_balances()
            .withf(|accounts| accounts == [account(1), account(2)])
            .times(1)
            .returning(|_| Ok(Vec::new()));
        store
            .expect_save_balances()
            .withf(|balances| {
                let versions = balances.iter().map(|balance| balance.version().number());
                versions.eq([2, 1])
            })
            .times(1)
            .returning(|_| Ok(()));
        store
            .expect_append_history()
            .withf(|events| events == [event(1, 1), event(1, 2), event(2, 1)])
            .times(1)
            .returning(|_| Ok(()));
        let events = [event(2, 1), event(1, 1), event(1, 2), event(1, 1)];
        let refused = OnAccountEvent::fold(&mut store, &events).await.unwrap();
        assert_eq!(refused, []);
    }

    #[tokio::test]
    async fn repeated_events_change_no_balance() {
        let balance = AccountBalance::begin(&event(1, 1));
        let mut store = MockStore::new();
        store.expect_load_balances().times(1).return_once(move |_| Ok(vec![balance]));
        store.expect_append_history().times(1).returning(|_| Ok(()));
        let refused = OnAccountEvent::fold(&mut store, &[event(1, 1)]).await.unwrap();
        assert_eq!(refused, []);
    }

    #[tokio::test]
    async fn no_events_ask_the_store_nothing() {
        let refused = OnAccountEvent::fold(&mut MockStore::new(), &[]).await.unwrap();
        assert_eq!(refused, []);
    }

    #[tokio::test]
    async fn a_refused_event_is_named_and_the_others_take_effect() {
        let stranger = AccountEvent { ispb: Ispb::parse("99999999").unwrap(), ..event(1, 2) };
        let mut store = InMemory::default();
        let refused = fold(&mut store, &[event(1, 1), stranger, event(1, 3)]).await;
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].index, refused[0].violation.code()), (1, "account_of_another_bank"));
        let balance = store.balances.get(&account(1)).unwrap();
        assert_eq!(balance.version().number(), 3);
        assert_eq!(balance.missing().ranges().collect::<Vec<_>>(), [2..=2]);
        assert_eq!(store.versions(account(1)), [1, 3]);
    }

    #[tokio::test]
    async fn a_store_that_fails_fails_the_batch() {
        let mut store = MockStore::new();
        store.expect_load_balances().return_once(|_| Err(StoreError::Unavailable("down".into())));
        let error = OnAccountEvent::fold(&mut store, &[event(1, 1)]).await.unwrap_err();
        assert_eq!(error, StoreError::Unavailable("down".into()));
    }

    /// Versions 1 to 5 of three accounts, any of them repeated, in any order, in any batches.
    fn deliveries() -> impl Strategy<Value = Vec<Vec<AccountEvent>>> {
        let each = (1..=3_u128, 1..=5_i64);
        let repeats = prop::collection::vec(each, 0..15);
        let shuffled = repeats.prop_flat_map(|repeats| {
            let all = (1..=3).flat_map(|account| (1..=5).map(move |version| (account, version)));
            Just(all.chain(repeats).collect::<Vec<_>>()).prop_shuffle()
        });
        (shuffled, 1..8_usize).prop_map(|(order, size)| {
            let events: Vec<_> =
                order.into_iter().map(|(of, version)| event(of, version)).collect();
            events.chunks(size).map(<[AccountEvent]>::to_vec).collect()
        })
    }

    proptest! {
        #[test]
        fn any_order_repetition_and_batching_give_the_same_projection(batches in deliveries()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (got, wanted) = runtime.block_on(async {
                let (mut store, mut ordered) = (InMemory::default(), InMemory::default());
                for batch in &batches {
                    assert_eq!(fold(&mut store, batch).await, []);
                }
                for (of, version) in (1..=3).flat_map(|of| (1..=5).map(move |it| (of, it))) {
                    fold(&mut ordered, &[event(of, version)]).await;
                }
                (store, ordered)
            });
            prop_assert_eq!(got.digest(), wanted.digest());
            prop_assert_eq!((got.balances, got.history), (wanted.balances, wanted.history));
        }
    }
}
