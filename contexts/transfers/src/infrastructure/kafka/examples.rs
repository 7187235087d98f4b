//! Examples of what the hub publishes, for the catalogue and the contract tests: one transfer of
//! Maria at bank 001 to João at bank 002, decided by the domain and told by the code that tells
//! all.

use std::time::Duration;

use shared_kernel::application::Published;
use shared_kernel::application::catalogue::{ExampleError, example_trace};
use shared_kernel::domain::{
    AccountId, Amount, BankCode, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp, Violation,
};

use super::published::{participant_event, transfer_event};
use crate::application::ports::{Audience, Notice, SavedParticipant};
use crate::domain::{
    Admission, Description, Order, OwnerName, Participant, ParticipantEvent, ParticipantName,
    ParticipantStatus, Party, PayeeKey, Protocol, Side, Terms, Transfer, TransferEvent,
};

type Example = Result<Published, ExampleError>;

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

/// The transfer after these events, told to everyone.
fn told(events: &[TransferEvent]) -> Example {
    let order = order()?;
    let terms = Terms { registered_at: after(0)?, deadline: after(40_000)? };
    let digest = order.digest();
    let admission = Admission::Pending { reserves: false };
    let (mut transfer, _) = Transfer::register(order, digest, terms, admission);
    for event in events {
        transfer.apply(*event);
    }
    let audience = Audience { everyone: true, payer: !events.is_empty(), payee: true };
    let notice = Notice { standing: *transfer.standing(), audience, trace: example_trace()? };
    Ok(transfer_event(&transfer, &notice)?)
}

pub(super) fn pending() -> Example {
    told(&[])
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
    let position_limit = Some(Money::from_centavos(1_000_000_00));
    let name = ParticipantName::parse("BBX")?;
    bank(ParticipantEvent::Changed { name, position_limit }, 2, position_limit)
}
