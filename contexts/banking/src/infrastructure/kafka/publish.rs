//! Private events into public ones: the only place where they meet.

use shared_kernel::application::catalogue::{Event, Topic};
use shared_kernel::application::{Published, StoreError, TraceParent};

use super::published::{
    ACCOUNTS, AccountBlockedV1, AccountClosedV1, AccountCreditedV1, AccountDebitedV1,
    AccountLimitsChangedV1, AccountOpenedV1, AccountUnblockedV1, AccountV1, AmountDepositedV1,
    AmountHeldV1, AmountWithdrawnV1, BookTransferCompletedV1, HoldReleasedV1, LimitsV1, PartyV1,
    SideV1, TRANSFERS, TransferAcceptedV1, TransferRefusedV1, TransferRequestedV1,
    TransferSettledByPayeeV1, TransferSettledByPayerV1,
};
use crate::application::books::Changes;
use crate::application::ports::Traced;
use crate::domain::{AccountEvent, AccountFact, BookSide, HubMessage, Limits, Party, Payment};

/// What an event is about, whatever happened.
struct About {
    topic: Topic,
    subject: String,
    aggregate_version: i64,
    trace: TraceParent,
}

impl About {
    fn published<E: Event>(self, event: &E) -> Result<Published, StoreError> {
        let Self { topic, subject, aggregate_version, trace } = self;
        Published::of(event, vec![topic], subject, aggregate_version, trace)
    }
}

/// The records of everything that a batch changed, in order per account and transfer.
///
/// # Errors
/// [`StoreError::Rejected`] when one has no JSON.
pub fn events(changes: Changes) -> Result<Vec<Published>, StoreError> {
    let accounts = changes.account_events.into_iter().map(of_account);
    let messages = changes.messages.into_iter().map(of_transfer);
    accounts.chain(messages).collect()
}

pub(super) fn of_account(event: Traced<AccountEvent>) -> Result<Published, StoreError> {
    let Traced { value, trace } = event;
    let account = AccountV1 {
        account_id: value.account_id,
        ispb: value.ispb,
        available: value.funds.available(),
        held: value.funds.held,
        occurred_at: value.occurred_at,
    };
    let about = About {
        topic: ACCOUNTS.topic(),
        subject: value.account_id.to_string(),
        aggregate_version: value.version,
        trace,
    };
    account_event(about, account, value.fact)
}

fn limits(limits: Limits) -> LimitsV1 {
    LimitsV1 { per_transfer: limits.per_transfer, per_day: limits.per_day }
}

fn account_event(
    about: About,
    account: AccountV1,
    fact: AccountFact,
) -> Result<Published, StoreError> {
    match fact {
        AccountFact::Opened { branch, number, owner_name, owner_tax_id, limits: set } => {
            let (branch, number) = (branch.to_string(), number.to_string());
            let owner_name = owner_name.as_str().to_owned();
            let limits = limits(set);
            about.published(&AccountOpenedV1 {
                account,
                branch,
                number,
                owner_name,
                owner_tax_id,
                limits,
            })
        }
        AccountFact::Blocked => about.published(&AccountBlockedV1 { account }),
        AccountFact::Unblocked => about.published(&AccountUnblockedV1 { account }),
        AccountFact::Closed => about.published(&AccountClosedV1 { account }),
        AccountFact::LimitsChanged(set) => {
            about.published(&AccountLimitsChangedV1 { account, limits: limits(set) })
        }
        AccountFact::Deposited { entry_id, amount } => {
            about.published(&AmountDepositedV1 { account, entry_id, amount })
        }
        AccountFact::Withdrawn { entry_id, amount } => {
            about.published(&AmountWithdrawnV1 { account, entry_id, amount })
        }
        AccountFact::Held(held) => about.published(&AmountHeldV1 {
            account,
            end_to_end_id: held.end_to_end_id,
            amount: held.amount,
            payee_key: held.payee_key,
            counterparty_name: held.counterparty_name,
            counterparty_ispb: held.counterparty_ispb,
            description: held.description,
        }),
        AccountFact::Released { end_to_end_id, amount, reason } => {
            about.published(&HoldReleasedV1 { account, end_to_end_id, amount, reason_code: reason })
        }
        AccountFact::Debited(moved) => about.published(&AccountDebitedV1 {
            account,
            end_to_end_id: moved.end_to_end_id,
            entry_id: moved.entry_id,
            amount: moved.amount,
            counterparty_ispb: moved.counterparty_ispb,
            counterparty_name: moved.counterparty_name,
            description: moved.description,
        }),
        AccountFact::Credited(moved) => about.published(&AccountCreditedV1 {
            account,
            end_to_end_id: moved.end_to_end_id,
            entry_id: moved.entry_id,
            amount: moved.amount,
            counterparty_ispb: moved.counterparty_ispb,
            counterparty_name: moved.counterparty_name,
            description: moved.description,
        }),
        AccountFact::Booked(booked) => about.published(&BookTransferCompletedV1 {
            account,
            end_to_end_id: booked.end_to_end_id,
            entry_id: booked.entry_id,
            side: match booked.side {
                BookSide::Debit => SideV1::Debit,
                BookSide::Credit => SideV1::Credit,
            },
            amount: booked.amount,
            counterparty_account_id: booked.counterparty_account_id,
            counterparty_name: booked.counterparty_name,
            description: booked.description,
        }),
    }
}

fn party(party: Party) -> PartyV1 {
    let Party { ispb, account_id, owner_name, owner_tax_id } = party;
    PartyV1 { ispb, account_id, owner_name, owner_tax_id }
}

fn requested(payment: Payment) -> TransferRequestedV1 {
    TransferRequestedV1 {
        end_to_end_id: payment.end_to_end_id,
        ispb: payment.payer.ispb,
        payer: party(payment.payer),
        payee: party(payment.payee),
        payee_key: payment.payee_key,
        payee_key_registered_as: payment.payee_key_registered_as,
        amount: payment.amount,
        description: payment.description,
        requested_at: payment.ordered_at,
    }
}

/// A side's order or answer is its first version, its report the second.
const fn version_of(message: &HubMessage) -> i64 {
    match message {
        HubMessage::Requested(_) | HubMessage::Accepted { .. } | HubMessage::Refused { .. } => 1,
        HubMessage::SettledByPayee { .. } | HubMessage::SettledByPayer { .. } => 2,
    }
}

pub(super) fn of_transfer(message: Traced<HubMessage>) -> Result<Published, StoreError> {
    let Traced { value, trace } = message;
    let about = About {
        topic: TRANSFERS.topic(),
        subject: value.end_to_end_id().to_string(),
        aggregate_version: version_of(&value),
        trace,
    };
    match value {
        HubMessage::Requested(payment) => about.published(&requested(*payment)),
        HubMessage::Accepted { end_to_end_id, ispb, account_id, accepted_at } => {
            about.published(&TransferAcceptedV1 { end_to_end_id, ispb, account_id, accepted_at })
        }
        HubMessage::Refused { end_to_end_id, ispb, reason, refused_at } => {
            let reason_code = reason;
            about.published(&TransferRefusedV1 { end_to_end_id, ispb, reason_code, refused_at })
        }
        HubMessage::SettledByPayee { end_to_end_id, ispb, account_id, unapplied, settled_at } => {
            let event =
                TransferSettledByPayeeV1 { end_to_end_id, ispb, account_id, unapplied, settled_at };
            about.published(&event)
        }
        HubMessage::SettledByPayer { end_to_end_id, ispb, account_id, settled_at } => {
            let event = TransferSettledByPayerV1 { end_to_end_id, ispb, account_id, settled_at };
            about.published(&event)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared_kernel::application::catalogue::{EventEntry, Registry as _};
    use shared_kernel::domain::{Money, ReasonCode};

    use super::super::published::Banks;
    use super::*;
    use crate::domain::samples::{BANK_A, BANK_B, account, amount, entry, noon, opened, payment};
    use crate::domain::{Account, IncomingTransfer, OutgoingTransfer};

    fn trace() -> TraceParent {
        TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
    }

    fn published(event: AccountEvent) -> (Published, Value) {
        let published = of_account(Traced { value: event, trace: trace() }).unwrap();
        let body = serde_json::from_slice(published.payload()).unwrap();
        (published, body)
    }

    fn told(message: HubMessage) -> (Published, Value) {
        let published = of_transfer(Traced { value: message, trace: trace() }).unwrap();
        let body = serde_json::from_slice(published.payload()).unwrap();
        (published, body)
    }

    fn name(published: &Published) -> &'static str {
        published.entry().name
    }

    fn topics(published: &Published) -> Vec<&str> {
        published.topics().collect()
    }

    fn brl(text: &str) -> Value {
        json!({"amount": text, "currency": "BRL"})
    }

    /// Everything that happens to an account, in the order in which it may happen.
    fn life() -> Vec<AccountEvent> {
        let (mut payer, first) = opened(BANK_A, 1);
        let paid = payment(&payer, &account(BANK_B, 2, 0), 300);
        let back = payment(&account(BANK_B, 2, 500), &payer, 200);
        let booked = payment(&payer, &account(BANK_A, 3, 0), 100);
        let limits = Limits { per_transfer: Some(Money::from_centavos(500)), per_day: None };
        let mut events = vec![first];
        let mut then = |decide: &dyn Fn(&Account) -> AccountEvent| {
            let event = decide(&payer);
            payer.apply(&event);
            events.push(event);
        };
        then(&|it| it.deposit(amount(1_000), entry(1), noon()).unwrap());
        then(&|it| it.set_limits(limits, noon()).unwrap().unwrap());
        then(&|it| it.hold(&paid, noon()).unwrap());
        then(&|it| it.release(&paid, ReasonCode::Ab03, noon()).unwrap());
        then(&|it| it.hold(&paid, noon()).unwrap());
        then(&|it| it.debit(&paid, entry(2), noon()).unwrap());
        then(&|it| it.credit(&back, entry(3), noon()).unwrap());
        then(&|it| it.book_debit(&booked, entry(4), noon()).unwrap());
        then(&|it| it.withdraw(amount(800), entry(5), noon()).unwrap());
        then(&|it| it.block(noon()).unwrap().unwrap());
        then(&|it| it.unblock(noon()).unwrap().unwrap());
        then(&|it| it.close(0, noon()).unwrap().unwrap());
        events
    }

    #[test]
    fn every_event_of_an_account_states_its_money_after_it() {
        let mut names = Vec::new();
        for (event, version) in life().into_iter().zip(1_i64..) {
            let (id, available, held) =
                (event.account_id, event.funds.available(), event.funds.held);
            let (published, body) = published(event);
            names.push(name(&published));
            assert_eq!(topics(&published), ["codepix.banking.accounts"]);
            assert_eq!(published.subject(), id.to_string());
            assert_eq!(published.aggregate_version(), version);
            assert_eq!(body["account_id"], json!(id));
            assert_eq!(body["ispb"], json!(BANK_A));
            assert_eq!(body["available"], brl(&available.to_string()));
            assert_eq!(body["held"], brl(&held.to_string()));
            assert_eq!(body["occurred_at"], json!("2026-11-20T12:00:00.000000Z"));
        }
        let of_accounts = |it: &&EventEntry| it.channels.contains(&ACCOUNTS);
        let known: Vec<&str> = Banks::EVENTS.iter().filter(of_accounts).map(|it| it.name).collect();
        assert!(known.iter().all(|name| names.contains(name)), "{known:?} {names:?}");
        assert!(names.iter().all(|name| known.contains(name)));
    }

    #[test]
    fn events_carry_what_their_readers_need() {
        let bodies: Vec<(&str, Value)> = life()
            .into_iter()
            .map(|event| {
                let (published, body) = published(event);
                (name(&published), body)
            })
            .collect();
        let body = |wanted: &str| {
            let (_, body) = bodies.iter().find(|(name, _)| *name == wanted).unwrap();
            body.clone()
        };
        let opened = body("AccountOpened");
        assert_eq!(opened["branch"], json!("0001"));
        assert_eq!(opened["owner_name"], json!("Owner 1"));
        assert_eq!(opened["limits"], json!({"per_transfer": null, "per_day": null}));
        let limits = json!({"per_transfer": brl("5.00"), "per_day": null});
        assert_eq!(body("AccountLimitsChanged")["limits"], limits);
        assert_eq!(body("AmountDeposited")["amount"], brl("10.00"));
        let held = body("AmountHeld");
        assert_eq!(held["payee_key"], json!("payee@example.com"));
        assert_eq!(held["counterparty_ispb"], json!(BANK_B));
        assert_eq!(body("HoldReleased")["reason_code"], json!("AB03"));
        let debited = body("AccountDebited");
        assert_eq!(debited["counterparty_name"], json!("Owner 2"));
        assert_eq!(debited["entry_id"], json!(entry(2)));
        assert_eq!(debited["description"], json!("rent"));
        let booked = body("BookTransferCompleted");
        assert_eq!(booked["side"], json!("debit"));
        assert!(booked["counterparty_account_id"].is_string());
    }

    #[test]
    fn banks_tell_the_hub_who_they_are_and_of_which_transfer() {
        let mut paid = payment(&account(BANK_A, 1, 1_000), &account(BANK_B, 2, 0), 300);
        paid.payee_key_registered_as = Some("Payee@Example.com".to_owned());
        let outgoing = OutgoingTransfer::request(paid.clone());
        let (published, body) = told(outgoing.order());
        assert_eq!(body["payee_key"], json!("payee@example.com"));
        assert_eq!(body["payee_key_registered_as"], json!("Payee@Example.com"));
        assert_eq!(name(&published), "TransferRequested");
        assert_eq!(topics(&published), ["codepix.banking.transfers"]);
        assert_eq!(published.subject(), paid.end_to_end_id.to_string());
        assert_eq!(body["ispb"], json!(BANK_A));
        assert_eq!(body["payer"]["account_id"], json!(paid.payer.account_id));
        assert_eq!(body["payee"]["owner_tax_id"], json!(paid.payee.owner_tax_id));
        assert_eq!(body["amount"], brl("3.00"));
        assert_eq!(body["requested_at"], json!(noon()));
        let accepted = IncomingTransfer::answer(paid.clone(), None, noon());
        let (published, body) = told(accepted.reply().unwrap());
        assert_eq!((name(&published), &body["ispb"]), ("TransferAccepted", &json!(BANK_B)));
        let refused = IncomingTransfer::answer(paid, Some(ReasonCode::Ac06), noon());
        let (published, body) = told(refused.reply().unwrap());
        assert_eq!((name(&published), &body["reason_code"]), ("TransferRefused", &json!("AC06")));
        let mut credited = accepted;
        let posted = credited.settle(Some(ReasonCode::Ac07), noon()).unwrap().unwrap();
        credited.apply(&posted);
        let (published, body) = told(credited.report().unwrap());
        assert_eq!(
            (name(&published), &body["unapplied"]),
            ("TransferSettledByPayee", &json!(true))
        );
        let mut settled = outgoing;
        let event = settled.settle(noon()).unwrap().unwrap();
        settled.apply(&event);
        let (published, body) = told(settled.report().unwrap());
        assert_eq!((name(&published), &body["ispb"]), ("TransferSettledByPayer", &json!(BANK_A)));
        assert_eq!(published.aggregate_version(), 2);
    }
}
