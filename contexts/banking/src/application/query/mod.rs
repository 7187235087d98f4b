//! What can be asked. Reads may be a moment old; they never lock.

mod get_account;
mod get_bank;
mod get_client;
mod get_statement;
mod get_transfer;
mod list_accounts;
mod list_banks;
mod list_holds;
mod list_transfers;

pub use get_account::GetAccount;
pub use get_bank::GetBank;
pub use get_client::GetClient;
pub use get_statement::GetStatement;
pub use get_transfer::GetTransfer;
pub use list_accounts::ListAccounts;
pub use list_banks::ListBanks;
pub use list_holds::ListHolds;
pub use list_transfers::ListTransfers;

use shared_kernel::application::ApplicationError;

use super::ports::Outcome;

/// The answer of a query that was asked as a batch of one.
fn one<T>(answers: Vec<Outcome<T>>) -> Outcome<T> {
    let nothing = || Err(ApplicationError::Unavailable("a query gave no answer".to_owned()));
    answers.into_iter().next().unwrap_or_else(nothing)
}
