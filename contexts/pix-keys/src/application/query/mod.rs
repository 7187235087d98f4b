//! Use cases that read.

mod find_account;
mod find_key;
mod get_accounts;
mod get_keys;
mod list_keys;

pub use find_account::{FindAccount, FindAccountExecutor, FindAccountQueue};
pub use find_key::{FindKey, FindKeyExecutor, FindKeyQueue};
pub use get_accounts::GetAccounts;
pub use get_keys::GetKeys;
pub use list_keys::{ListKeys, Listed};
