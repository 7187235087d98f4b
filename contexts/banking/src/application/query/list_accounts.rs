//! The accounts of a bank.

use std::sync::Arc;

use shared_kernel::application::{Caller, Page};
use shared_kernel::domain::Ispb;

use super::one;
use crate::application::page::{AccountPlace, AccountsOf, Part, pages};
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::AccountView;

/// Lists accounts, oldest first.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListAccounts(pub Arc<dyn BankingReads>);

impl ListAccounts {
    /// A page of them.
    ///
    /// # Errors
    /// `caller_may_not_act_for_bank`; unavailable when the store does not answer.
    pub async fn execute(
        &self,
        caller: Caller,
        part: Part<Ispb, AccountPlace>,
    ) -> Outcome<Page<AccountView>> {
        one(self.batch(&[(caller, part.narrowed(AccountsOf::from))]).await)
    }

    /// The same for many banks, by one read.
    pub(crate) async fn batch(
        &self,
        asked: &[(Caller, Part<AccountsOf, AccountPlace>)],
    ) -> Vec<Outcome<Page<AccountView>>> {
        let answers = pages(asked, async |parts| self.0.accounts_of(&parts).await).await;
        let show = |page: Page<_>| page.map(|account| AccountView::from(&account));
        answers.into_iter().map(|page| page.map(show)).collect()
    }
}
