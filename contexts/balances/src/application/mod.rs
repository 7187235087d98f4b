//! The use cases of the read side, over ports.

pub mod ports;
pub mod query;
pub mod reaction;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use ports::BalancesReads;
use query::{GetBalances, ListBalances};

/// What can be asked of this context.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Balances {
    /// The balances of certain accounts.
    pub get_balances: GetBalances,
    /// The balances of a bank, page by page.
    pub list_balances: ListBalances,
}

impl Balances {
    /// The use cases over a read side.
    pub fn new(reads: Arc<dyn BalancesReads>) -> Self {
        Self {
            get_balances: GetBalances::new(Arc::clone(&reads)),
            list_balances: ListBalances::new(reads),
        }
    }
}
