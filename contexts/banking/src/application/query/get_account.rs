//! One account.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::AccountId;

use crate::application::account_command::account_not_found;
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::AccountView;

/// Finds an account by its id.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetAccount(pub Arc<dyn BankingReads>);

impl GetAccount {
    /// The account.
    ///
    /// # Errors
    /// `account_not_found`, to strangers too; unavailable when the store does not
    /// answer.
    pub async fn execute(&self, caller: Caller, id: AccountId) -> Outcome<AccountView> {
        let found = self.0.accounts(&[id]).await?;
        let account = found.first().ok_or_else(account_not_found)?;
        let own = caller.may_act_for(&account.state().ispb);
        own.map_err(|_stranger| account_not_found())?;
        Ok(AccountView::from(account))
    }
}
