//! Examples of what the hub publishes, for the catalogue and the contract tests: one transfer of
//! Maria at bank 001 to João at bank 002, decided by the domain and told by the code that tells
//! all.

use std::time::Duration;

use shared_kernel::application::Published;
use shared_kernel::application::catalogue::{ExampleError, example_trace};
use shared_kernel::domain::{
    AccountId, Amount, BankCode, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp, Violation,
};

use serde_json::value::RawValue;

use super::published::{participant_event, transfer_event};
use crate::application::ports::{Audience, Letter, Notice, SavedParticipant, Word};
use crate::domain::{
    Admission, CreditTiming, Description, Ends, Order, OrderId, OwnerName, Participant,
    ParticipantEvent, ParticipantName, ParticipantStatus, Party, PayeeKey, Protocol, Side, Terms,
    Transfer, TransferEvent,
};

use crate::infrastructure::classic::outbound::letter as letter_of;
use crate::infrastructure::classic::published::{
    BankProgramConfirmed, BankProgramOrdered, CONFIRMATIONS, DELIVERED, HandOverMarked, ORDERS,
};

type Example = Result<Published, ExampleError>;

const ORDER_ID: &str = "b3b6f0a0-6f1e-4a0e-9a35-6a1f0f6f2f10";

const BEGAN: &str = "2026-11-20T12:00:00.150Z";

fn after(millis: u64) -> Result<Timestamp, Violation> {
    Ok(Timestamp::parse(BEGAN)?.saturating_add(Duration::from_millis(millis)))
}

fn party(bank: &str, account: &str, name: &str, tax_id: &str) -> Result<Party, Violation> {
    Ok(Party {
        ispb: Ispb::parse(bank)?,
        account_id: AccountId::parse(account)?,
        owner_name: OwnerName::parse(name)?,
        owner_tax_id: TaxId::parse(tax_id)?,
    })
}

fn order() -> Result<Order, Violation> {
    let (maria, joao) =
        ("6e4635ce-88d1-4e58-9597-d13fc446ee47", "103cc632-78e7-4476-ab63-d5ad3a562d26");
    let ordered_at = Timestamp::parse("2026-11-20T12:00:00Z")?;
    Ok(Order {
        end_to_end_id: EndToEndId::new(Ispb::parse("00000001")?, ordered_at, 1),
        payer: party("00000001", maria, "Maria Silva", "52998224725")?,
        payee: party("00000002", joao, "João Souza", "11144477735")?,
        payee_key: PayeeKey::parse("joao@example.com")?,
        amount: Amount::from_centavos(10_000)?,
        description: Description::parse("rent")?,
    })
}

/// The transfer after these events.
fn transfer(ends: Ends, events: &[TransferEvent]) -> Result<Transfer, Violation> {
    let order = order()?;
    let terms = Terms { registered_at: after(0)?, deadline: after(40_000)? };
    let digest = order.digest();
    let admission = Admission::Pending { reserves: false };
    let (mut transfer, _) = Transfer::register(order, digest, terms, ends, admission);
    for event in events {
        transfer.apply(*event);
    }
    Ok(transfer)
}

/// The transfer after these events, told to everyone.
fn told(events: &[TransferEvent]) -> Example {
    told_of(&transfer(Ends::CONFIRMING, events)?, !events.is_empty())
}

fn told_of(transfer: &Transfer, payer: bool) -> Example {
    let audience = Audience { everyone: true, payer, payee: true };
    let notice = Notice { standing: *transfer.standing(), audience, trace: example_trace()? };
    Ok(transfer_event(transfer, &notice)?)
}

pub(super) fn pending() -> Example {
    told(&[])
}

/// Between banks whose programs are not ours.
fn between_programs(events: &[TransferEvent]) -> Result<Transfer, ExampleError> {
    let order_id = Some(OrderId::parse(ORDER_ID)?);
    let delivery = CreditTiming::OnDelivery;
    Ok(transfer(Ends { payer: delivery, payee: delivery, order_id }, events)?)
}

pub(super) fn overdue() -> Example {
    told_of(&between_programs(&[TransferEvent::Overdue { at: after(41_000)? }])?, true)
}

pub(super) fn program_told() -> Example {
    let transfer = between_programs(&[])?;
    let letter = Letter {
        payee_key: transfer.order().payee_key.clone(),
        to: Side::Payee,
        topic: "bank002".into(),
        word: Word::Credit,
        standing: *transfer.standing(),
        trace: example_trace()?,
    };
    Ok(letter_of(&transfer, &letter)?)
}

pub(super) fn program_ordered() -> Example {
    let order = order()?;
    let body = BankProgramOrdered {
        id: OrderId::parse(ORDER_ID)?,
        account_id: order.payer.account_id,
        amount: RawValue::from_string("100.00".into())?,
        pix_key_to: order.payee_key.as_str(),
        pix_key_kind_to: "email",
        description: Some("rent"),
    };
    Ok(Published::of(&body, vec![ORDERS.topic()], String::new(), 0, example_trace()?)?)
}

pub(super) fn program_confirmed() -> Example {
    let id = OrderId::parse(ORDER_ID)?;
    let body = BankProgramConfirmed { id, status: "confirmed" };
    Ok(Published::of(&body, vec![CONFIRMATIONS.topic()], String::new(), 0, example_trace()?)?)
}

pub(super) fn hand_over_marked() -> Example {
    let end_to_end_id = &order()?.end_to_end_id;
    let (body, key) = (HandOverMarked { end_to_end_id }, end_to_end_id.to_string());
    Ok(Published::of(&body, vec![DELIVERED.topic()], key, 0, example_trace()?)?)
}

pub(super) fn confirmed() -> Example {
    told(&[TransferEvent::Confirmed { at: after(120)? }])
}

pub(super) fn completed() -> Example {
    told(&[
        TransferEvent::Confirmed { at: after(120)? },
        TransferEvent::Reported { by: Side::Payee },
        TransferEvent::Completed { by: Side::Payer, at: after(310)? },
    ])
}

pub(super) fn rejected() -> Example {
    told(&[TransferEvent::Rejected { reason: ReasonCode::Ac06, at: after(110)? }])
}

pub(super) fn expired() -> Example {
    told(&[TransferEvent::Expired { at: after(41_000)? }])
}

fn bank(event: ParticipantEvent, version: i64, position_limit: Option<Money>) -> Example {
    let participant = Participant {
        ispb: Ispb::parse("00000001")?,
        code: BankCode::parse("001")?,
        name: ParticipantName::parse("BBX")?,
        protocol: Protocol::Native,
        status: ParticipantStatus::Active,
        position_limit,
        enrolled_at: Timestamp::parse("2026-11-20T09:00:00Z")?,
        version,
    };
    Ok(participant_event(&SavedParticipant { participant, event, trace: example_trace()? })?)
}

pub(super) fn enrolled() -> Example {
    bank(ParticipantEvent::Enrolled, 1, None)
}

pub(super) fn changed() -> Example {
    let position_limit = Some(Money::from_centavos(100_000_000));
    let name = ParticipantName::parse("BBX")?;
    bank(
        ParticipantEvent::Changed { name, protocol: Protocol::Native, position_limit },
        2,
        position_limit,
    )
}
