//! The use cases of the read side, over ports.

pub mod ports;
pub mod query;
pub mod reaction;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use ports::{BalancesReads, Commits};
use query::{AwaitBalance, GetBalances, GetPastBalances, GetStatements, ListBalances};
use shared_kernel::application::Clock;

/// What can be asked of this context.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Balances {
    /// Until an account has a version.
    pub await_balance: AwaitBalance,
    /// The balances of certain accounts.
    pub get_balances: GetBalances,
    /// The same at past instants.
    pub get_past_balances: GetPastBalances,
    /// What moved their money.
    pub get_statements: GetStatements,
    /// The balances of a bank, page by page.
    pub list_balances: ListBalances,
}

impl Balances {
    /// The use cases over a read side and what it commits.
    pub fn new(
        reads: Arc<dyn BalancesReads>,
        commits: Arc<dyn Commits>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            await_balance: AwaitBalance::new(commits, clock),
            get_balances: GetBalances::new(Arc::clone(&reads)),
            get_past_balances: GetPastBalances::new(Arc::clone(&reads)),
            get_statements: GetStatements::new(Arc::clone(&reads)),
            list_balances: ListBalances::new(reads),
        }
    }
}
