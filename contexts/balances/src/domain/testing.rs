//! What the tests of domain and use cases share.

use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Money, Timestamp};
use uuid::Uuid;

use super::{
    AccountEvent, AccountState, AccountVersion, Counterparty, Funds, Movement, MovementKind, Party,
    TransferParties,
};

/// An account by its number.
pub(crate) fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

/// The id of the transfer of that number.
pub(crate) fn transfer_id(number: u32) -> EndToEndId {
    EndToEndId::parse(&format!("E0000000120261120120000000{number:06}")).unwrap()
}

/// An event of an account: each version has amounts and a time of its own; from the second on
/// money moves.
pub(crate) fn event(number: u128, version: i64) -> AccountEvent {
    let money = |centavos| Money::from_centavos(centavos);
    AccountEvent {
        account_id: account(number),
        ispb: Ispb::parse("00000001").unwrap(),
        owner_name: (version == 1).then(|| format!("Owner {number}")),
        state: AccountState {
            version: AccountVersion::new(version).unwrap(),
            funds: Funds::new(money(version.saturating_mul(100)), money(version)).unwrap(),
            occurred_at: Timestamp::from_micros(version).unwrap(),
        },
        movement: (version > 1).then(|| movement(u32::try_from(version).unwrap())),
    }
}

/// A transfer of that number arrived, of so many centavos.
pub(crate) fn movement(number: u32) -> Movement {
    Movement {
        kind: MovementKind::TransferReceived,
        amount: Amount::from_centavos(number.into()).unwrap(),
        end_to_end_id: Some(transfer_id(number)),
        counterparty: Counterparty {
            ispb: Some(Ispb::parse("00000002").unwrap()),
            account_id: None,
            name: Some("Rui".into()),
        },
        description: "for lunch".into(),
    }
}

/// Who pays whom in the transfer of that number.
pub(crate) fn transfer(number: u32) -> TransferParties {
    let party = |ispb: &str, number, name: &str| Party {
        ispb: Ispb::parse(ispb).unwrap(),
        account_id: account(number),
        owner_name: name.to_owned(),
    };
    TransferParties {
        end_to_end_id: transfer_id(number),
        payer: party("00000002", 902, "Rui"),
        payee: party("00000001", 901, "Ana"),
        payee_key: format!("key{number}@example.com"),
    }
}
