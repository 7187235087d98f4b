//! Questions: who asks decides what is seen.

mod await_balance;
mod get_balances;
mod get_past_balances;
mod get_statements;
mod list_balances;

pub use await_balance::{AwaitBalance, Progress, WAIT_MAX};
pub use get_balances::GetBalances;
pub(crate) use get_balances::unknown;
pub use get_past_balances::GetPastBalances;
pub use get_statements::{GetStatements, StatementQuestion};
pub use list_balances::{BalanceList, BalancePlace, ListBalances, Listed};
