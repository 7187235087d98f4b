//! What happened to a key. Private to the directory: others read the published events.

use shared_kernel::domain::{AccountId, Ispb, Timestamp};

use super::{EntryId, Owner, RemovalReason, Spelling};

/// A change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryEvent {
    /// The key names an account from now on.
    Registered(KeyRegistered),
    /// The key names nothing any more.
    Removed(KeyRemoved),
}

/// A key was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRegistered {
    /// This registration.
    pub entry_id: EntryId,
    /// The account that the key names.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its owner.
    pub owner: Owner,
    /// How it was written, if not in canonical form.
    pub spelling: Option<Spelling>,
    /// When.
    pub registered_at: Timestamp,
    /// Start of the owner's uninterrupted possession.
    pub owned_since: Timestamp,
}

/// A key was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRemoved {
    /// The registration that ended.
    pub entry_id: EntryId,
    /// The account that the key named.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Why.
    pub reason: RemovalReason,
    /// When.
    pub removed_at: Timestamp,
}
