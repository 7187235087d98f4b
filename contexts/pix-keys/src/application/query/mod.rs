//! Use cases that read.

mod find_account;
mod find_key;
mod list_keys;

pub use find_account::{FindAccount, FindAccountExecutor, FindAccountQueue};
pub use find_key::{FindKey, FindKeyExecutor, FindKeyQueue};
pub use list_keys::ListKeys;
