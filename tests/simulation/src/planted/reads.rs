//! Bugs of the read side.

use balances::application::ports::HistoryEntry;
use balances::domain::{AccountEvent, AccountState, Funds};
use shared_kernel::domain::Money;

use super::Bug;
use crate::world::World;

/// What is kept in a history.
pub(crate) fn history(world: &World, entries: &[HistoryEntry]) -> Vec<HistoryEntry> {
    let mut entries = entries.to_vec();
    if world.has(Bug::HistoryWithoutHolds) {
        for entry in &mut entries {
            let AccountEvent { state, .. } = entry.event;
            if let Ok(funds) = Funds::new(state.funds.total(), Money::ZERO) {
                entry.event.state = AccountState { funds, ..state };
            }
        }
    }
    entries
}
