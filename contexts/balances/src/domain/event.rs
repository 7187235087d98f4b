//! The one inbound event of the projection.

use shared_kernel::domain::{AccountId, Ispb, Timestamp};

use super::{AccountVersion, Funds};

/// An account changed, and this is what it is since: whatever happened, its bank states the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// Which account.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its owner; only the opening says it.
    pub owner_name: Option<String>,
    /// Its money after the event.
    pub funds: Funds,
    /// Its version after the event.
    pub version: AccountVersion,
    /// When the bank changed it.
    pub occurred_at: Timestamp,
}
