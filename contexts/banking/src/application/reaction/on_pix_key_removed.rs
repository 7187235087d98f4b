//! A key was removed: it belongs to nobody, until it is registered again.

use crate::application::ports::KeyChange;

/// A removal is a change like a registration, without an owner.
#[derive(Clone, Copy, Debug)]
pub struct OnPixKeyRemoved;

impl OnPixKeyRemoved {
    /// The change to keep.
    pub const fn change(key: String, version: i64) -> KeyChange {
        KeyChange { key, owner: None, version }
    }
}
