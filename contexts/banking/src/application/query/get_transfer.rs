//! Transfers, as one of their accounts sees them.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, EndToEndId, Violation};

use super::{GetAccount, one};
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::TransferView;

/// Finds transfers by their ids.
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
        one(self.batch(&[(caller, id, account_id)]).await)
    }

    /// The same for many, by one read of accounts and one of transfers.
    pub(crate) async fn batch(
        &self,
        asked: &[(Caller, EndToEndId, AccountId)],
    ) -> Vec<Outcome<TransferView>> {
        let owners: Vec<_> = asked.iter().map(|(caller, _, account)| (*caller, *account)).collect();
        let owners = GetAccount(Arc::clone(&self.0)).batch(&owners).await;
        let sides: Vec<(EndToEndId, AccountId)> = asked
            .iter()
            .zip(&owners)
            .filter(|(_, owner)| owner.is_ok())
            .map(|((_, id, account), _)| (*id, *account))
            .collect();
        let found = if sides.is_empty() { Ok(Vec::new()) } else { self.0.transfers(&sides).await };
        let mut found = found.map(Vec::into_iter);
        let answer = |owner: Outcome<_>| {
            owner?;
            let view = found.as_mut().map_err(|error| error.clone())?.next().flatten();
            Ok(view.ok_or_else(not_found)?)
        };
        owners.into_iter().map(answer).collect()
    }
}

fn not_found() -> Violation {
    let message = "this account has no such transfer";
    Violation::not_found("transfer_not_found", "end_to_end_id", message)
}
