//! What can be asked. Reads may be a moment old; they never lock.

mod get_account;
mod get_statement;
mod get_transfer;
mod list_accounts;
mod list_banks;
mod list_transfers;

pub use get_account::GetAccount;
pub use get_statement::GetStatement;
pub use get_transfer::GetTransfer;
pub use list_accounts::ListAccounts;
pub use list_banks::ListBanks;
pub use list_transfers::ListTransfers;
