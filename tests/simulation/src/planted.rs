//! Bugs that are planted to show that the checks find them: where a port lies, forgets, or does
//! things in the wrong order. They live here, in the simulated adapters, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use banking::application::books::Changes;
use banking::application::ports::BankingPorts;
use shared_kernel::application::{Clock, Progress, Published, StoreError, Sweep};
use transfers::application::ports::SavedTransfer;
use transfers::domain::Transfer;

use crate::world::World;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Rows are not locked when they are loaded.
    NoRowLocks,
    /// Offsets are moved without looking where they stand.
    NoCompareAndSet,
    /// Dead letters are dropped.
    NoDeadLetters,
    /// A commit whose outcome is unknown counts as done.
    CommitsThatLie,
    /// First answers are not kept.
    ForgetAnswers,
    /// Every process relays.
    ManyRelays,
    /// The outbox is emptied before the log has acknowledged.
    RemoveBeforeSending,
    /// Records have no key.
    UnkeyedRecords,
    /// A key can be registered twice.
    KeysWithoutUniqueness,
}

pub(crate) fn loaded(_world: &World, found: Vec<Transfer>) -> Vec<Transfer> {
    found
}

pub(crate) fn saved(_world: &World, saved: Vec<SavedTransfer>) -> Vec<SavedTransfer> {
    saved
}

pub(crate) fn notices(_world: &World, events: Vec<Published>) -> Vec<Published> {
    events
}

pub(crate) fn changes(_world: &World, changes: Changes) -> Changes {
    changes
}

pub(crate) fn posts_twice(_world: &World) -> bool {
    false
}

pub(crate) fn progress(
    _world: &Arc<World>,
    progress: Arc<Progress>,
    _clock: &Arc<dyn Clock>,
) -> Arc<Progress> {
    progress
}

pub(crate) struct Impatience;

#[async_trait]
impl Sweep for Impatience {
    async fn sweep(&self) -> Result<usize, StoreError> {
        Ok(0)
    }
}

pub(crate) fn impatient_banks(_world: &World, _ports: &BankingPorts) -> Option<Impatience> {
    let _unused = Duration::ZERO;
    None
}
