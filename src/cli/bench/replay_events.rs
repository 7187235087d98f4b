//! A made-up past: the events of many accounts and of the transfers between them.
//!
//! Event `index` belongs to account `index % accounts`, whose versions follow one another: the
//! opening, then in turn a deposit, a hold and a debit of 1.00. Each debit has its transfer on the
//! topic of the hub.

use std::ops::Range;
use std::time::Duration;

use balances::infrastructure::kafka::{ACCOUNTS_TOPIC, TRANSFERS_TOPIC};
use serde_json::{Value, json};
use shared_kernel::application::{Ids, OutboundRecord, Published, TraceParent};
use shared_kernel::domain::{AccountId, Timestamp};
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
    pub(super) fn records(
        &self,
        indices: Range<u64>,
        prefix: &str,
        ids: &dyn Ids,
    ) -> Vec<OutboundRecord> {
        let trace = TraceParent::begin(ids);
        let told = indices.flat_map(|index| self.event(index).told(&trace));
        let record = |(published, source, at): (Published, &str, Timestamp)| {
            published.into_record(prefix, source, ids.ordered(), at)
        };
        told.map(record).collect()
    }
}

impl Event {
    fn happened_at(&self) -> Timestamp {
        let began = Timestamp::from_micros(BEGAN_MICROS).unwrap_or(Timestamp::EPOCH);
        let steps = u32::try_from(self.version).unwrap_or(u32::MAX);
        began.saturating_add(STEP.saturating_mul(steps))
    }

    /// The id of its transfer.
    fn end_to_end_id(&self) -> String {
        format!("E00000001202601010000{:011}", self.debit)
    }

    /// What the bank publishes of it, and the hub of its transfer.
    fn told(&self, trace: &TraceParent) -> Vec<(Published, &'static str, Timestamp)> {
        let at = self.happened_at();
        let money = |amount: &str| json!({ "amount": amount, "currency": "BRL" });
        let state = |available: &str, held: &str| {
            json!({
                "account_id": self.account, "ispb": "00000001",
                "available": money(available), "held": money(held), "occurred_at": at,
            })
        };
        let transfer = json!({
            "end_to_end_id": self.end_to_end_id(), "amount": money("1.00"),
            "counterparty_ispb": "00000002", "counterparty_name": "Someone Else",
            "description": "a bench",
        });
        let (event_type, state, more) = match (self.version, self.version % 3) {
            (1, _) => {
                let more = json!({ "owner_name": "Bench" });
                ("codepix.banking.AccountOpened.v1", state("0.00", "0.00"), more)
            }
            (_, 2) => {
                let more = json!({ "amount": money("1.00") });
                ("codepix.banking.AmountDeposited.v1", state("1.00", "0.00"), more)
            }
            (_, 0) => ("codepix.banking.AmountHeld.v1", state("0.00", "1.00"), transfer),
            _ => ("codepix.banking.AccountDebited.v1", state("0.00", "0.00"), transfer),
        };
        let mut told = vec![(
            Published {
                topics: vec![ACCOUNTS_TOPIC.to_owned()],
                event_type,
                subject: self.account.to_string(),
                aggregate_version: i64::try_from(self.version).unwrap_or(i64::MAX),
                trace: trace.clone(),
                payload: joined(state, more).to_string().into_bytes(),
            },
            "/codepix/banking",
            at,
        )];
        if event_type.ends_with("AccountDebited.v1") {
            told.push((self.transfer(trace), "/codepix/transfers", at));
        }
        told
    }

    fn transfer(&self, trace: &TraceParent) -> Published {
        let id = self.end_to_end_id();
        let party = |account: AccountId, ispb: &str| {
            json!({
                "ispb": ispb, "account_id": account, "owner_name": "Bench",
                "owner_tax_id": "52998224725",
            })
        };
        let body = json!({
            "end_to_end_id": id, "state": "completed", "version": 3,
            "amount": { "amount": "1.00", "currency": "BRL" },
            "payer": party(self.account, "00000001"), "payee": party(self.other, "00000002"),
            "payee_key": "someone.else@codepix.example", "description": "a bench",
            "reason_code": null, "payer_reported": true, "payee_reported": true,
        });
        Published {
            topics: vec![TRANSFERS_TOPIC.to_owned()],
            event_type: "codepix.transfers.TransferCompleted.v1",
            subject: id,
            aggregate_version: 3,
            trace: trace.clone(),
            payload: body.to_string().into_bytes(),
        }
    }
}

fn joined(mut body: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (body.as_object_mut(), more) {
        fields.extend(more);
    }
    body
}

#[cfg(test)]
mod tests {
    use shared_kernel::testing::CountedIds;

    use super::*;

    #[test]
    fn a_past_has_as_many_transfers_as_debits() {
        for (accounts, events) in [(2, 20), (3, 25), (7, 1), (5, 1_000)] {
            let story = Story::new(accounts, events);
            let records = story.records(0..events, "", &CountedIds::default());
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
