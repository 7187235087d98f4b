//! A made-up past: the events of many accounts and of the transfers between them.
//!
//! Event `index` belongs to account `index % accounts`, whose versions follow one another: the
//! opening, then in turn a deposit, a hold and a debit of 1.00. Each debit has its transfer on the
//! topic of the hub.

use std::ops::Range;
use std::time::Duration;

use banking::domain::EntryId;
use banking::infrastructure::kafka::published as bank;
use shared_kernel::application::{Ids, OutboundRecord, Published, StoreError, TraceParent};
use shared_kernel::domain::{
    AccountId, Amount, EndToEndId, Ispb, Money, TaxId, Timestamp, Violation,
};
use transfers::domain::{Description, OwnerName, PayeeKey, TransferState};
use transfers::infrastructure::kafka::published as hub;
use uuid::Uuid;

/// First of the account ids.
const FIRST: u128 = 0x6b0f_7a52_0000_4000_8000_0000_0000_0000;
/// When the first event happened: 2026-01-01.
const BEGAN_MICROS: i64 = 1_767_225_600_000_000;
/// Between two events of an account.
const STEP: Duration = Duration::from_mins(1);
/// From an event to an instant before the next.
const A_LITTLE: Duration = Duration::from_secs(30);

/// Sizes of the past.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    accounts: u64,
    events: u64,
}

/// One event of one account.
struct Event {
    account: AccountId,
    other: AccountId,
    version: u64,
    /// Index of the debit of its transfer: a hold and the debit after it are about one.
    debit: u64,
}

impl Story {
    /// A past of so many events of accounts.
    pub(super) fn new(accounts: u64, events: u64) -> Self {
        Self { accounts: accounts.max(2), events }
    }

    /// Events of accounts.
    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// Transfers.
    pub(super) fn transfers(&self) -> u64 {
        // Versions 4, 7, 10, … of each account are debits.
        let whole = self.events.checked_div(self.accounts).unwrap_or_default();
        let rest = self.events.checked_rem(self.accounts).unwrap_or_default();
        let debits = |versions: u64| versions.saturating_sub(1) / 3;
        let (longer, shorter) = (debits(whole.saturating_add(1)), debits(whole));
        rest.saturating_mul(longer)
            .saturating_add(self.accounts.saturating_sub(rest).saturating_mul(shorter))
    }

    fn account(&self, number: u64) -> AccountId {
        let number = number.checked_rem(self.accounts).unwrap_or_default();
        AccountId::from_uuid(Uuid::from_u128(FIRST.saturating_add(number.into())))
    }

    fn event(&self, index: u64) -> Event {
        let version = index.checked_div(self.accounts).unwrap_or_default().saturating_add(1);
        let (account, other) = (self.account(index), self.account(index.saturating_add(1)));
        let debit = index.saturating_add(if version.is_multiple_of(3) { self.accounts } else { 0 });
        Event { account, other, version, debit }
    }

    /// An account, an instant of its life, and the version that it had then.
    pub(super) fn moment(&self, turn: u64) -> (AccountId, Timestamp, i64) {
        // Steps of a large prime meet every part of the past.
        let index = turn.wrapping_mul(7_368_787).checked_rem(self.events).unwrap_or_default();
        let event = self.event(index);
        let between = event.happened_at().saturating_add(A_LITTLE);
        (event.account, between, i64::try_from(event.version).unwrap_or(i64::MAX))
    }

    /// The records of these events, in order.
    ///
    /// # Errors
    /// When an event has no JSON; the values of the story are well-formed.
    pub(super) fn records(
        &self,
        indices: Range<u64>,
        prefix: &str,
        ids: &dyn Ids,
    ) -> anyhow::Result<Vec<OutboundRecord>> {
        let (trace, constants) = (TraceParent::begin(ids), Constants::new()?);
        let mut records = Vec::new();
        for index in indices {
            let event = self.event(index);
            let at = event.happened_at();
            for (published, source) in event.told(&constants, &trace)? {
                records.push(published.into_record(prefix, source, ids.ordered(), at));
            }
        }
        Ok(records)
    }
}

/// What is the same in every event.
struct Constants {
    here: Ispb,
    there: Ispb,
    tax_id: TaxId,
    owner_name: OwnerName,
    payee_key: PayeeKey,
    description: Description,
    one_real: Amount,
}

impl Constants {
    fn new() -> Result<Self, Violation> {
        Ok(Self {
            here: Ispb::parse("00000001")?,
            there: Ispb::parse("00000002")?,
            tax_id: TaxId::parse("52998224725")?,
            owner_name: OwnerName::parse("Bench")?,
            payee_key: PayeeKey::parse("someone.else@codepix.example")?,
            description: Description::parse("a bench")?,
            one_real: Amount::from_centavos(100)?,
        })
    }
}

impl Event {
    fn happened_at(&self) -> Timestamp {
        let began = Timestamp::from_micros(BEGAN_MICROS).unwrap_or(Timestamp::EPOCH);
        let steps = u32::try_from(self.version).unwrap_or(u32::MAX);
        began.saturating_add(STEP.saturating_mul(steps))
    }

    /// The id of its transfer.
    fn end_to_end_id(&self, bank: Ispb) -> EndToEndId {
        let began = Timestamp::from_micros(BEGAN_MICROS).unwrap_or(Timestamp::EPOCH);
        EndToEndId::new(bank, began, self.debit.into())
    }

    /// What the bank publishes of it, and the hub of its transfer.
    fn told(
        &self,
        constants: &Constants,
        trace: &TraceParent,
    ) -> Result<Vec<(Published, &'static str)>, StoreError> {
        let mut told = vec![(self.of_account(constants, trace)?, bank::SOURCE)];
        if self.version > 1 && self.version % 3 == 1 {
            told.push((self.of_transfer(constants, trace)?, hub::SOURCE));
        }
        Ok(told)
    }

    fn of_account(&self, it: &Constants, trace: &TraceParent) -> Result<Published, StoreError> {
        let account = |available: i64, held: i64| bank::AccountV1 {
            account_id: self.account,
            ispb: it.here,
            available: Money::from_centavos(available),
            held: Money::from_centavos(held),
            occurred_at: self.happened_at(),
        };
        let entry_id = EntryId::from_uuid(Uuid::from_u128(self.debit.into()));
        let (end_to_end_id, amount) = (self.end_to_end_id(it.here), it.one_real);
        let (name, description) = ("Someone Else".to_owned(), it.description.as_str().to_owned());
        let topics = vec![bank::ACCOUNTS.topic()];
        let subject = self.account.to_string();
        let version = i64::try_from(self.version).unwrap_or(i64::MAX);
        let trace = trace.clone();
        match (self.version, self.version % 3) {
            (1, _) => {
                let event = bank::AccountOpenedV1 {
                    account: account(0, 0),
                    branch: "0001".to_owned(),
                    number: "1".to_owned(),
                    owner_name: it.owner_name.as_str().to_owned(),
                    owner_tax_id: it.tax_id,
                    limits: bank::LimitsV1 { per_transfer: None, per_day: None },
                };
                Published::of(&event, topics, subject, version, trace)
            }
            (_, 2) => {
                let event = bank::AmountDepositedV1 { account: account(100, 0), entry_id, amount };
                Published::of(&event, topics, subject, version, trace)
            }
            (_, 0) => {
                let event = bank::AmountHeldV1 {
                    account: account(0, 100),
                    end_to_end_id,
                    amount,
                    payee_key: it.payee_key.as_str().to_owned(),
                    counterparty_name: name,
                    counterparty_ispb: it.there,
                    description,
                };
                Published::of(&event, topics, subject, version, trace)
            }
            _ => {
                let event = bank::AccountDebitedV1 {
                    account: account(0, 0),
                    end_to_end_id,
                    entry_id,
                    amount,
                    counterparty_ispb: it.there,
                    counterparty_name: name,
                    description,
                };
                Published::of(&event, topics, subject, version, trace)
            }
        }
    }

    fn of_transfer(&self, it: &Constants, trace: &TraceParent) -> Result<Published, StoreError> {
        let id = self.end_to_end_id(it.here);
        let party = |ispb: Ispb, account_id: AccountId| hub::PartyV1 {
            ispb,
            account_id,
            owner_name: &it.owner_name,
            owner_tax_id: it.tax_id,
        };
        let at = self.happened_at();
        let event = hub::TransferCompletedV1 {
            overdue_at: None,
            order_id: None,
            payer_report: Some("received"),
            end_to_end_id: id,
            state: TransferState::Completed,
            amount: it.one_real,
            payer: party(it.here, self.account),
            payee: party(it.there, self.other),
            payee_key: &it.payee_key,
            description: &it.description,
            reason_code: None,
            registered_at: at,
            deadline: at,
            confirmed_at: Some(at),
            finished_at: Some(at),
            version: 3,
            payer_reported: true,
            payee_reported: true,
        };
        let topics = vec![hub::TRANSFERS.topic()];
        Published::of(&event, topics, id.to_string(), 3, trace.clone())
    }
}

#[cfg(test)]
mod tests {
    use balances::infrastructure::kafka::{ACCOUNTS_TOPIC, TRANSFERS_TOPIC};
    use shared_kernel::testing::CountedIds;

    use super::*;

    #[test]
    fn a_past_has_as_many_transfers_as_debits() {
        for (accounts, events) in [(2, 20), (3, 25), (7, 1), (5, 1_000)] {
            let story = Story::new(accounts, events);
            let records = story.records(0..events, "", &CountedIds::default()).unwrap();
            let of = |topic: &str| records.iter().filter(|it| it.topics == [topic]).count();
            assert_eq!(of(ACCOUNTS_TOPIC), usize::try_from(events).unwrap());
            assert_eq!(of(TRANSFERS_TOPIC), usize::try_from(story.transfers()).unwrap());
        }
    }

    #[test]
    fn a_moment_lies_between_its_event_and_the_next() {
        let story = Story::new(10, 1_000);
        let (account, at, version) = story.moment(3);
        let own = (0..1_000).map(|index| story.event(index)).filter(|it| it.account == account);
        let last = own.filter(|event| event.happened_at() <= at).map(|event| event.version).max();
        assert_eq!(last, u64::try_from(version).ok());
    }
}
