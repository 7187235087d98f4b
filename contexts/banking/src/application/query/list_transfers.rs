//! The transfers of an account.

use std::sync::Arc;

use shared_kernel::application::{Caller, Page};
use shared_kernel::domain::AccountId;

use super::{GetAccount, one};
use crate::application::page::{AccountAt, Part, TransferPlace, TransfersOf, pages};
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::TransferView;

/// Lists transfers out, in and within the bank, newest first.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListTransfers(pub Arc<dyn BankingReads>);

impl ListTransfers {
    /// A page of them.
    ///
    /// # Errors
    /// Those of [`GetAccount::execute`].
    pub async fn execute(
        &self,
        caller: Caller,
        part: Part<AccountId, TransferPlace>,
    ) -> Outcome<Page<TransferView>> {
        let account = GetAccount(Arc::clone(&self.0)).execute(caller, part.of).await?;
        let part = part.narrowed(|_id| TransfersOf::from(AccountAt::from(&account)));
        one(self.batch(&[(caller, part)]).await)
    }

    /// The same for many accounts whose banks are known, by one read.
    pub(crate) async fn batch(
        &self,
        asked: &[(Caller, Part<TransfersOf, TransferPlace>)],
    ) -> Vec<Outcome<Page<TransferView>>> {
        pages(asked, async |parts| self.0.transfers_of(&parts).await).await
    }
}
