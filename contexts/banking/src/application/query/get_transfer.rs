//! One transfer, as one of its accounts sees it.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, EndToEndId, Violation};

use super::GetAccount;
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::TransferView;

/// Finds a transfer by its id.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetTransfer(pub Arc<dyn BankingReads>);

impl GetTransfer {
    /// The transfer.
    ///
    /// # Errors
    /// `transfer_not_found`, and those of [`GetAccount::execute`].
    pub async fn execute(
        &self,
        caller: Caller,
        id: EndToEndId,
        account_id: AccountId,
    ) -> Outcome<TransferView> {
        GetAccount(Arc::clone(&self.0)).execute(caller, account_id).await?;
        let found = self.0.transfer(id, account_id).await?;
        found.ok_or_else(|| {
            let message = "this account has no such transfer";
            Violation::not_found("transfer_not_found", "end_to_end_id", message).into()
        })
    }
}
