//! The accounts of a bank.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::Ispb;

use crate::application::page::{Page, bounded, page};
use crate::application::ports::{AccountCursor, BankingReads, Outcome};
use crate::application::views::AccountView;

/// Lists accounts, oldest first.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListAccounts(pub Arc<dyn BankingReads>);

impl ListAccounts {
    /// A page of them.
    ///
    /// # Errors
    /// `page_size_range`, `caller_may_not_act_for_bank`; unavailable when the store does not
    /// answer.
    pub async fn execute(
        &self,
        caller: Caller,
        ispb: Ispb,
        after: Option<AccountCursor>,
        size: i64,
    ) -> Outcome<Page<AccountView, AccountCursor>> {
        caller.may_act_for(&ispb)?;
        let size = bounded(size)?;
        let rows = self.0.accounts_of(ispb, after, size.saturating_add(1)).await?;
        let rows = rows.iter().map(AccountView::from).collect();
        Ok(page(rows, size, |account: &AccountView| (account.opened_at, account.id)))
    }
}
