//! Questions: who asks decides what is seen.

mod get_balances;
mod list_balances;

pub use get_balances::GetBalances;
pub use list_balances::{BalancePage, ListBalances, PageRequest};
