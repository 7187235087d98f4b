//! Accounts, by their ids.

use std::collections::HashMap;
use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::AccountId;

use super::one;
use crate::application::account_command::account_not_found;
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::AccountView;
use crate::domain::Account;

/// Finds accounts by their ids.
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
        one(self.batch(&[(caller, id)]).await)
    }

    /// Several of them by one read, each for its own caller and as [`Self::execute`] gives it.
    pub(crate) async fn batch(&self, asked: &[(Caller, AccountId)]) -> Vec<Outcome<AccountView>> {
        let ids: Vec<AccountId> = asked.iter().map(|(_, id)| *id).collect();
        let found = match self.0.accounts(&ids).await {
            Ok(found) => found,
            Err(error) => return asked.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let found: HashMap<AccountId, &Account> =
            found.iter().map(|account| (account.state().id, account)).collect();
        let show = |(caller, id): &(Caller, AccountId)| {
            let account = *found.get(id).ok_or_else(account_not_found)?;
            let own = caller.may_act_for(&account.state().ispb);
            own.map_err(|_stranger| account_not_found())?;
            Ok(AccountView::from(account))
        };
        asked.iter().map(show).collect()
    }
}
