//! What the use cases need from outside: a store that is read, and transactions on it.
//!
//! All of them take slices. Row locks are taken in one order everywhere: accounts by id, then
//! entries by key; so two transactions never wait for each other in a circle.

use async_trait::async_trait;
use shared_kernel::application::{Answers, Place, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Ispb, Timestamp};

use super::view::{AccountView, EntryView};
use crate::domain::{Account, Entry, EntryEvent, EntryId, Participant, PixKey};

/// An account with its participant, if the directory has heard of that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// The account.
    pub account: Account,
    /// Its bank.
    pub participant: Option<Participant>,
}

/// An entry after an event, and what caused it. Saving it publishes the event.
#[derive(Clone, Debug)]
pub struct EntryChange {
    /// The entry with the event applied.
    pub entry: Entry,
    /// What happened.
    pub event: EntryEvent,
    /// The trace that caused it.
    pub trace: TraceParent,
}

/// A place in a list of keys, from the oldest registration to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPlace {
    /// When the last key of the page before was registered.
    pub created_at: Timestamp,
    /// That registration.
    pub entry_id: EntryId,
}

impl From<&EntryView> for KeyPlace {
    fn from(entry: &EntryView) -> Self {
        Self { created_at: entry.created_at, entry_id: entry.entry_id }
    }
}

impl Place for KeyPlace {
    fn write(&self) -> String {
        format!("{}/{}", self.created_at.micros(), self.entry_id)
    }

    fn read(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('/')?;
        Some(Self {
            created_at: Timestamp::from_micros(micros.parse().ok()?).ok()?,
            entry_id: EntryId::parse(id).ok()?,
        })
    }
}

/// Opens transactions.
#[async_trait]
pub trait DirectoryStore: Send + Sync {
    /// Opens one.
    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError>;
}

/// An open transaction on the directory.
#[async_trait]
pub trait DirectoryTransaction: Answers {
    /// The accounts that exist, locked in the order of their ids, with their participants.
    async fn lock_accounts(&mut self, ids: &[AccountId]) -> Result<Vec<ListedAccount>, StoreError>;

    /// The entries of these keys that exist, locked in the order of their keys.
    async fn lock_entries(&mut self, keys: &[PixKey]) -> Result<Vec<Entry>, StoreError>;

    /// The active entries of these accounts, locked in the order of their keys. The accounts must
    /// be locked before.
    async fn lock_entries_of(&mut self, accounts: &[AccountId]) -> Result<Vec<Entry>, StoreError>;

    /// How many active entries each of these accounts has; none is not told. The accounts must be
    /// locked before, in a statement of their own: the count sees what was committed until then.
    async fn keys_held(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, usize)>, StoreError>;

    /// The participants that exist.
    async fn participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError>;

    /// Adds accounts.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of them exists since.
    async fn add_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError>;

    /// Writes accounts that this transaction has locked.
    async fn update_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError>;

    /// Writes entries, at most one change of each, and publishes their events.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the keys was registered meanwhile.
    async fn save_entries(&mut self, changes: &[EntryChange]) -> Result<(), StoreError>;

    /// Writes how the keys of these entries are written; the transaction has locked or saved them.
    /// Nothing is published: it is nobody else's concern.
    async fn respell(&mut self, entries: &[Entry]) -> Result<(), StoreError>;

    /// Writes participants, each unless the store has it in the same or a newer version.
    async fn save_participants(&mut self, participants: &[Participant]) -> Result<(), StoreError>;
}

/// Reads of what is committed. What is not there is left out of an answer.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait DirectoryReads: Send + Sync {
    /// The active entries of these keys, in any order.
    async fn entries(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError>;

    /// The same for a lookup of some payer's bank, which is counted.
    async fn look_up(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError>;

    /// The active entries of these accounts, oldest first.
    async fn entries_of(&self, accounts: &[AccountId]) -> Result<Vec<EntryView>, StoreError>;

    /// The accounts that were opened or enrolled, in any order.
    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, StoreError>;

    /// Whether the participant is known.
    async fn has_participant(&self, ispb: Ispb) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::memory::{entry_view, key};

    #[test]
    fn a_place_reads_back_and_nothing_else_is_one() {
        let place = KeyPlace::from(&entry_view(&key("a@x")));
        assert_eq!(KeyPlace::of_token(&place.token()), Ok(Some(place)));
        for wrong in ["", "/", "1", "x/y", "1/1"] {
            assert_eq!(KeyPlace::read(wrong), None, "{wrong}");
        }
    }
}
