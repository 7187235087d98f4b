//! Bugs of the directory.

use pix_keys::domain::{Entry, EntryState, Holding};
use shared_kernel::domain::{AccountId, Ispb};

use super::Bug;
use crate::world::World;

/// Entries that are loaded.
pub(crate) fn entries(world: &World, found: Vec<Entry>) -> Vec<Entry> {
    let Ok(ispb) = Ispb::parse("00000099") else { return found };
    if !world.has(Bug::KeysTakenElsewhere) {
        return found;
    }
    let moved = |entry: Entry| match *entry.state() {
        EntryState::Active(held) => {
            let state = EntryState::Active(Holding { ispb, ..held });
            Entry::stored(entry.key().clone(), entry.version(), state)
        }
        EntryState::Vacant | EntryState::Removed { .. } => entry,
    };
    found.into_iter().map(moved).collect()
}

/// How many keys accounts have.
pub(crate) fn keys_held(world: &World, held: Vec<(AccountId, usize)>) -> Vec<(AccountId, usize)> {
    if world.has(Bug::KeysNotCounted) { Vec::new() } else { held }
}
