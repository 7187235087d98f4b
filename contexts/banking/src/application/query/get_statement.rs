//! The ledger entries of an account.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::AccountId;

use super::GetAccount;
use crate::application::page::{Page, bounded, page};
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::StatementLine;

/// Lists entries with running balance, newest first.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetStatement(pub Arc<dyn BankingReads>);

impl GetStatement {
    /// A page of them; the cursor is the account version of the last line.
    ///
    /// # Errors
    /// `page_size_range`, and those of [`GetAccount::execute`].
    pub async fn execute(
        &self,
        caller: Caller,
        account_id: AccountId,
        before: Option<i64>,
        size: i64,
    ) -> Outcome<Page<StatementLine, i64>> {
        GetAccount(Arc::clone(&self.0)).execute(caller, account_id).await?;
        let size = bounded(size)?;
        let rows = self.0.statement(account_id, before, size.saturating_add(1)).await?;
        Ok(page(rows, size, |line: &StatementLine| line.version))
    }
}
