//! The inbound events of the projection.

use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Timestamp};

use super::{AccountVersion, Funds, Movement};

/// An account changed, and this is what it is since: whatever happened, its bank states the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// Which account.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its owner; only the opening says it.
    pub owner_name: Option<String>,
    /// What it is since.
    pub state: AccountState,
    /// The money that came or went, if any did.
    pub movement: Option<Movement>,
}

/// What an account is from one of its events to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Its version after the event.
    pub version: AccountVersion,
    /// Its money after the event.
    pub funds: Funds,
    /// When the bank changed it.
    pub occurred_at: Timestamp,
}

/// Who pays whom in a transfer, as the hub states it: the same in each of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferParties {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// The key that was paid to.
    pub payee_key: String,
}

/// One side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its bank.
    pub ispb: Ispb,
    /// Its account there.
    pub account_id: AccountId,
    /// Who owns the account.
    pub owner_name: String,
}
