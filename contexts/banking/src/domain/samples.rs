//! Values for tests of domain and application.

use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, TaxId, Timestamp};
use std::time::Duration;
use uuid::Uuid;

use super::{
    Account, AccountEvent, AccountNumber, Branch, EntryId, Opening, OwnerName, Party, Payment,
};

pub(crate) const BANK_A: &str = "00000001";
pub(crate) const BANK_B: &str = "00000002";

/// 2026-11-20T12:00:00Z, as the fixed clock has it.
pub(crate) fn noon() -> Timestamp {
    Timestamp::from_micros(1_795_176_000_000_000).unwrap()
}

pub(crate) fn ispb(text: &str) -> Ispb {
    Ispb::parse(text).unwrap()
}

pub(crate) fn amount(centavos: i64) -> Amount {
    Amount::from_centavos(centavos).unwrap()
}

pub(crate) fn entry(number: u128) -> EntryId {
    EntryId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn account_id(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

/// A valid CPF for each number.
pub(crate) fn cpf(number: u32) -> TaxId {
    let root = format!("{number:09}");
    let mut digits: Vec<u32> = root.chars().map(|digit| digit.to_digit(10).unwrap()).collect();
    for weight in [10_u32, 11] {
        let weights = (2..=weight).rev();
        let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
        let rest = sum % 11;
        digits.push(if rest < 2 { 0 } else { 11 - rest });
    }
    TaxId::parse(&digits.iter().map(ToString::to_string).collect::<String>()).unwrap()
}

/// An open, empty account; its number is also its owner's.
pub(crate) fn opened(bank: &str, number: u32) -> (Account, AccountEvent) {
    let opening = Opening {
        id: account_id(number.into()),
        ispb: ispb(bank),
        branch: Branch::main(),
        number: AccountNumber::counted(number.into()),
        owner_name: OwnerName::parse(&format!("Owner {number}")).unwrap(),
        owner_tax_id: cpf(number),
    };
    Account::open(opening, noon())
}

/// An account with that much on it.
pub(crate) fn account(bank: &str, number: u32, centavos: i64) -> Account {
    let mut account = opened(bank, number).0;
    if centavos > 0 {
        let deposited = account.deposit(amount(centavos), entry(1), noon()).unwrap();
        account.apply(&deposited);
    }
    account
}

pub(crate) fn end_to_end_id(payer: &Party, number: u128) -> EndToEndId {
    EndToEndId::new(payer.ispb, noon(), number)
}

/// A payment between two accounts.
pub(crate) fn payment(from: &Account, to: &Account, centavos: i64) -> Payment {
    Payment {
        end_to_end_id: end_to_end_id(&from.party(), 7),
        payer: from.party(),
        payee: to.party(),
        payee_key: "payee@example.com".to_owned(),
        payee_key_registered_as: None,
        amount: amount(centavos),
        description: "rent".to_owned(),
        ordered_at: noon(),
        deadline: noon().saturating_add(Duration::from_secs(40)),
    }
}
