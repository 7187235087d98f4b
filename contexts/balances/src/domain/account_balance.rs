//! The balance of one account: a fold over its events that no order and no repetition changes.

use shared_kernel::domain::{AccountId, Ispb, Timestamp, Violation};

use super::{AccountEvent, AccountState, AccountVersion, Funds, MissingVersions};

/// What an account has, as far as its events have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBalance {
    account_id: AccountId,
    ispb: Ispb,
    owner_name: Option<String>,
    /// Of the newest event.
    state: AccountState,
    /// The latest time of all events that arrived.
    latest_at: Timestamp,
    missing: MissingVersions,
}

/// What an event did to the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is the newest: the amounts are its own.
    Newest,
    /// It is older than the newest and had not come before.
    Late,
    /// It had come before: nothing changed.
    Repeated,
}

impl AccountBalance {
    /// The balance after the first event to arrive, whichever it is.
    pub fn begin(event: &AccountEvent) -> Self {
        let missing = MissingVersions::before(event.state.version);
        Self::restore(event, event.state.occurred_at, missing)
    }

    /// A balance as it was stored: its newest event, its owner's name, the latest time of its
    /// events and its gaps.
    pub fn restore(newest: &AccountEvent, latest_at: Timestamp, missing: MissingVersions) -> Self {
        let AccountEvent { account_id, ispb, owner_name, state, movement: _ } = newest;
        let (owner_name, latest_at) = (owner_name.clone(), latest_at.max(state.occurred_at));
        Self { account_id: *account_id, ispb: *ispb, owner_name, state: *state, latest_at, missing }
    }

    /// Takes an event in: its amounts only if its version is newer than all before.
    ///
    /// # Errors
    /// `account_of_another_bank` when the event names another bank than those before it.
    pub fn apply(&mut self, event: &AccountEvent) -> Result<Applied, Violation> {
        if event.ispb != self.ispb {
            let message = format!(
                "account {} belongs to bank {}, and this event says it belongs to bank {}",
                event.account_id, self.ispb, event.ispb
            );
            return Err(Violation::failed_precondition("account_of_another_bank", "ispb", message));
        }
        if self.owner_name.is_none() {
            self.owner_name.clone_from(&event.owner_name);
        }
        let AccountState { version, occurred_at, .. } = event.state;
        Ok(if version > self.state.version {
            self.missing.between(self.state.version, version);
            self.state = event.state;
            self.latest_at = self.latest_at.max(occurred_at);
            Applied::Newest
        } else if self.missing.fill(version) {
            self.latest_at = self.latest_at.max(occurred_at);
            Applied::Late
        } else {
            Applied::Repeated
        })
    }

    /// Which account.
    pub const fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// Its bank.
    pub const fn ispb(&self) -> Ispb {
        self.ispb
    }

    /// Its owner, once the opening has arrived.
    pub fn owner_name(&self) -> Option<&str> {
        self.owner_name.as_deref()
    }

    /// What it is since the newest event that arrived.
    pub const fn state(&self) -> &AccountState {
        &self.state
    }

    /// Its money.
    pub const fn funds(&self) -> Funds {
        self.state.funds
    }

    /// The highest version that arrived.
    pub const fn version(&self) -> AccountVersion {
        self.state.version
    }

    /// The versions below that did not.
    pub const fn missing(&self) -> &MissingVersions {
        &self.missing
    }

    /// Since when it is so: the time of the newest event, or the latest of those before it where
    /// the bank's clock stood back.
    pub const fn updated_at(&self) -> Timestamp {
        self.latest_at
    }

    /// What it is, since when it is so.
    pub const fn shown(&self) -> AccountState {
        AccountState { occurred_at: self.latest_at, ..self.state }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::event as event_of;

    fn event(version: i64) -> AccountEvent {
        event_of(1, version)
    }

    fn after(versions: &[i64]) -> AccountBalance {
        let mut events = versions.iter().map(|version| event(*version));
        let mut balance = AccountBalance::begin(&events.next().unwrap());
        for event in events {
            balance.apply(&event).unwrap();
        }
        balance
    }

    #[test]
    fn given_events_in_order_the_last_one_counts() {
        let balance = after(&[1, 2, 3]);
        assert_eq!(balance.funds(), event(3).state.funds);
        assert_eq!((balance.version().number(), balance.owner_name()), (3, Some("Owner 1")));
        assert_eq!(balance.updated_at(), event(3).state.occurred_at);
        assert!(balance.missing().is_empty());
    }

    #[test]
    fn given_an_older_event_after_a_newer_one_the_amounts_stay() {
        let mut balance = after(&[1, 3]);
        assert_eq!(balance.missing().ranges().collect::<Vec<_>>(), [2..=2]);
        assert_eq!(balance.apply(&event(2)), Ok(Applied::Late));
        assert_eq!(balance, after(&[1, 2, 3]));
    }

    #[test]
    fn given_a_repeated_event_nothing_changes() {
        let mut balance = after(&[1, 2]);
        for version in [1, 2] {
            assert_eq!(balance.apply(&event(version)), Ok(Applied::Repeated));
        }
        assert_eq!(balance, after(&[1, 2]));
    }

    #[test]
    fn given_the_opening_last_the_owner_is_known_all_the_same() {
        let mut balance = after(&[2]);
        assert_eq!(balance.owner_name(), None);
        assert_eq!(balance.apply(&event(1)), Ok(Applied::Late));
        assert_eq!(balance, after(&[1, 2]));
    }

    #[test]
    fn given_a_clock_that_stood_back_it_is_so_since_the_latest_time() {
        let at = |version, micros| {
            let mut event = event(version);
            event.state.occurred_at = Timestamp::from_micros(micros).unwrap();
            event
        };
        let mut balance = AccountBalance::begin(&at(1, 10));
        balance.apply(&at(3, 8)).unwrap();
        assert_eq!((balance.updated_at().micros(), balance.version().number()), (10, 3));
        assert_eq!(balance.state().occurred_at.micros(), 8, "as the bank said it");
        balance.apply(&at(2, 20)).unwrap();
        assert_eq!(balance.shown().occurred_at.micros(), 20);
        let again = at(2, 99);
        assert_eq!(balance.apply(&again), Ok(Applied::Repeated));
        assert_eq!(balance.updated_at().micros(), 20, "a repeat says nothing new");
    }

    #[test]
    fn given_an_event_of_another_bank_it_is_refused_and_nothing_changes() {
        let mut balance = after(&[1]);
        let stranger = AccountEvent { ispb: Ispb::parse("00000002").unwrap(), ..event(2) };
        let broken = balance.apply(&stranger).unwrap_err();
        assert_eq!(broken.code(), "account_of_another_bank");
        assert_eq!(balance, after(&[1]));
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_give_the_same_balance(
            (newest, order) in (1_i64..12).prop_flat_map(|newest| {
                let repeats = prop::collection::vec(1..=newest, 0..12);
                let order = repeats.prop_flat_map(move |repeats| {
                    let all: Vec<i64> = (1..=newest).chain(repeats).collect();
                    Just(all).prop_shuffle()
                });
                (Just(newest), order)
            })
        ) {
            let in_order: Vec<i64> = (1..=newest).collect();
            prop_assert_eq!(after(&order), after(&in_order));
        }

        #[test]
        fn what_never_arrived_is_exactly_what_is_missing(
            arrived in prop::collection::vec(1_i64..40, 1..30)
        ) {
            let balance = after(&arrived);
            let newest = *arrived.iter().max().unwrap();
            let missing: Vec<i64> = balance.missing().ranges().flatten().collect();
            let expected: Vec<i64> = (1..=newest).filter(|it| !arrived.contains(it)).collect();
            prop_assert_eq!(missing, expected);
            prop_assert_eq!(balance.version().number(), newest);
            prop_assert_eq!(balance.funds(), event(newest).state.funds);
        }
    }
}
