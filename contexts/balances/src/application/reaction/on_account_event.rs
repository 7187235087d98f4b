//! Events of accounts, folded into their balances and kept as their histories.

use std::collections::{BTreeMap, BTreeSet};

use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Timestamp, Violation};

use crate::application::ports::{BalancesTransaction, HistoryEntry};
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
    /// Folds the events in their order; repeated and late ones are harmless, and of two of one
    /// version the first counts, wherever the batches are cut. One load, one append to the
    /// histories, one more where something came late or again, and one write if a balance changed.
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
        let mut newest = Vec::new();
        let mut late: BTreeMap<_, &AccountEvent> = BTreeMap::new();
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            match take_in(&mut balances, event) {
                Ok((Applied::Newest, effective_at)) => {
                    changed.insert(event.account_id);
                    newest.push(HistoryEntry { event: event.clone(), effective_at });
                }
                Ok((applied @ (Applied::Late | Applied::Repeated), _)) => {
                    if applied == Applied::Late {
                        changed.insert(event.account_id);
                    }
                    // A repeated one too: its history may be younger than its balance.
                    late.entry((event.account_id, event.state.version)).or_insert(event);
                }
                Err(violation) => refused.push(Refused { index, violation }),
            }
        }
        if !newest.is_empty() {
            newest.sort_by_key(|it| (it.event.account_id, it.event.state.version));
            transaction.append_history(&newest).await?;
        }
        if !late.is_empty() {
            let late: Vec<AccountEvent> = late.into_values().cloned().collect();
            transaction.append_late(&late).await?;
        }
        balances.retain(|account, _| changed.contains(account));
        if !balances.is_empty() {
            let changed: Vec<AccountBalance> = balances.into_values().collect();
            transaction.save_balances(&changed).await?;
        }
        Ok(refused)
    }
}

/// What an event did to its balance, and since when that is so.
fn take_in(
    balances: &mut BTreeMap<AccountId, AccountBalance>,
    event: &AccountEvent,
) -> Result<(Applied, Timestamp), Violation> {
    if let Some(balance) = balances.get_mut(&event.account_id) {
        let applied = balance.apply(event)?;
        return Ok((applied, balance.updated_at()));
    }
    balances.insert(event.account_id, AccountBalance::begin(event));
    Ok((Applied::Newest, event.state.occurred_at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared_kernel::domain::{Ispb, Money};

    use super::*;
    use crate::application::testing::{InMemory, MockStore};
    use crate::domain::Funds;
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
            .withf(|entries| {
                let events = entries.iter().map(|it| it.event.clone());
                events.eq([event(1, 1), event(1, 2), event(2, 1)])
            })
            .times(1)
            .returning(|_| Ok(()));
        let events = [event(2, 1), event(1, 1), event(1, 2)];
        let refused = OnAccountEvent::fold(&mut store, &events).await.unwrap();
        assert_eq!(refused, []);
    }

    #[tokio::test]
    async fn repeated_events_change_no_balance() {
        let balance = AccountBalance::begin(&event(1, 1));
        let mut store = MockStore::new();
        store.expect_load_balances().times(1).return_once(move |_| Ok(vec![balance]));
        store.expect_append_late().times(1).returning(|_| Ok(()));
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

        #[test]
        fn of_unequal_repeats_the_first_counts_wherever_batches_are_cut(
            (events, one, other) in (unequal(), 1..8_usize, 1..8_usize)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let after = async |cut: usize| {
                let mut store = InMemory::default();
                for batch in events.chunks(cut) {
                    assert_eq!(fold(&mut store, batch).await, []);
                }
                store
            };
            let (one, other, whole) = runtime.block_on(async {
                (after(one).await, after(other).await, after(events.len()).await)
            });
            for ((of, version), entry) in &whole.history {
                let first = events.iter().find(|it| {
                    it.account_id == *of && it.state.version.number() == *version
                });
                prop_assert_eq!(entry.event.state, first.unwrap().state);
            }
            prop_assert_eq!(one.digest(), whole.digest());
            prop_assert_eq!(&one.history, &whole.history);
            prop_assert_eq!(&one.history, &other.history);
        }

        #[test]
        fn whatever_the_bank_s_clock_did_the_newest_version_of_an_instant_is_answered(
            times in prop::collection::vec(0_i64..12, 1..9),
            batches in any::<prop::sample::Index>(),
            shuffle in any::<[u8; 8]>(),
        ) {
            let mut events: Vec<AccountEvent> = Vec::new();
            for (version, micros) in (1_i64..).zip(&times) {
                let mut event = event(1, version);
                event.state.occurred_at = Timestamp::from_micros(*micros).unwrap();
                events.push(event);
            }
            events.sort_by_key(|it| {
                let version = usize::try_from(it.state.version.number()).unwrap();
                (shuffle[version.checked_rem(shuffle.len()).unwrap()], version)
            });
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let store = runtime.block_on(async {
                let mut store = InMemory::default();
                let size = batches.index(events.len()).saturating_add(1);
                for batch in events.chunks(size) {
                    fold(&mut store, batch).await;
                }
                store
            });
            for at in 0..12_i64 {
                // Before the first version that is later than the instant.
                let before = times.iter().position(|time| *time > at).unwrap_or(times.len());
                let expected = i64::try_from(before).unwrap();
                let at = Timestamp::from_micros(at).unwrap();
                let found = store.history.values().rfind(|it| it.effective_at <= at);
                let found = found.map_or(0, |it| it.event.state.version.number());
                prop_assert_eq!(found, expected);
            }
            let latest = times.iter().max().copied();
            let known = store.balances.get(&account(1)).map(|it| it.updated_at().micros());
            prop_assert_eq!(known, latest);
        }
    }

    /// Versions of two accounts, any of them several times with other content.
    fn unequal() -> impl Strategy<Value = Vec<AccountEvent>> {
        let each = (1..=2_u128, 1..=4_i64, 0..3_i64, 0..9_i64);
        prop::collection::vec(each, 1..20).prop_map(|drawn| {
            let of = |(of, version, amount, micros): (u128, i64, i64, i64)| {
                let mut event = event(of, version);
                event.state.funds = Funds::unheld(Money::from_centavos(amount));
                event.state.occurred_at = Timestamp::from_micros(micros).unwrap();
                event
            };
            drawn.into_iter().map(of).collect()
        })
    }
}
