//! Banks, orders and instants for tests.

use std::time::Duration;

use shared_kernel::domain::{AccountId, Amount, BankCode, EndToEndId, Ispb, TaxId, Timestamp};
use uuid::Uuid;

use super::{
    Admission, CreditTiming, Description, Ends, Order, OrderId, OwnerName, Participant,
    ParticipantName, ParticipantStatus, Party, PayeeKey, Protocol, Terms, Transfer,
};

pub(crate) const PAYER_BANK: &str = "00000001";
pub(crate) const PAYEE_BANK: &str = "00000002";

/// So many seconds after the start of the test's day.
pub(crate) fn at(seconds: u64) -> Timestamp {
    let start = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    start.checked_add(Duration::from_secs(seconds)).unwrap()
}

pub(crate) fn ispb(text: &str) -> Ispb {
    Ispb::parse(text).unwrap()
}

pub(crate) fn native(bank: &str) -> Participant {
    Participant {
        ispb: ispb(bank),
        code: BankCode::parse(bank.trim_start_matches('0')).unwrap(),
        name: ParticipantName::parse("Bank").unwrap(),
        protocol: Protocol::Native,
        status: ParticipantStatus::Active,
        position_limit: None,
        enrolled_at: at(0),
        version: 1,
    }
}

pub(crate) fn party(bank: &str, tax_id: &str) -> Party {
    Party {
        ispb: ispb(bank),
        account_id: AccountId::from_uuid(Uuid::from_u128(u128::from(bank.as_bytes()[7]))),
        owner_name: OwnerName::parse("Someone").unwrap(),
        owner_tax_id: TaxId::parse(tax_id).unwrap(),
    }
}

/// The order of that number, from the payer's to the payee's bank: so many reais.
pub(crate) fn order(number: u64) -> Order {
    Order {
        end_to_end_id: EndToEndId::new(ispb(PAYER_BANK), at(0), u128::from(number)),
        payer: party(PAYER_BANK, "52998224725"),
        payee: party(PAYEE_BANK, "11144477735"),
        payee_key: PayeeKey::parse("someone@example.com").unwrap(),
        amount: Amount::from_centavos(i64::try_from(number).unwrap().saturating_mul(100)).unwrap(),
        description: Description::default(),
    }
}

/// Registered at second 0, due at second 40.
pub(crate) fn terms() -> Terms {
    Terms { registered_at: at(0), deadline: at(40) }
}

pub(crate) fn pending(number: u64) -> Transfer {
    let order = order(number);
    let digest = order.digest();
    let admission = Admission::Pending { reserves: false };
    Transfer::register(order, digest, terms(), Ends::CONFIRMING, admission).0
}

pub(crate) fn classic(bank: &str) -> Participant {
    Participant { protocol: Protocol::Classic, ..native(bank) }
}

/// As [`pending`], between banks of these ways.
pub(crate) fn pending_between(number: u64, payer: CreditTiming, payee: CreditTiming) -> Transfer {
    let order = order(number);
    let order_id = Some(OrderId::of(&order.end_to_end_id));
    let ends = Ends { payer, payee, order_id };
    let (digest, admission) = (order.digest(), Admission::Pending { reserves: false });
    Transfer::register(order, digest, terms(), ends, admission).0
}
