//! The transfers of an account.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::AccountId;

use super::GetAccount;
use crate::application::page::{Page, bounded, page};
use crate::application::ports::{BankingReads, Outcome, TransferCursor};
use crate::application::views::TransferView;

/// Lists transfers out, in and within the bank, newest first.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListTransfers(pub Arc<dyn BankingReads>);

impl ListTransfers {
    /// A page of them.
    ///
    /// # Errors
    /// `page_size_range`, and those of [`GetAccount::execute`].
    pub async fn execute(
        &self,
        caller: Caller,
        account_id: AccountId,
        before: Option<TransferCursor>,
        size: i64,
    ) -> Outcome<Page<TransferView, TransferCursor>> {
        GetAccount(Arc::clone(&self.0)).execute(caller, account_id).await?;
        let size = bounded(size)?;
        let rows = self.0.transfers_of(account_id, before, size.saturating_add(1)).await?;
        Ok(page(rows, size, |row: &TransferView| (row.requested_at, row.end_to_end_id)))
    }
}
