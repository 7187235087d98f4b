//! The ledger entries of an account.

use std::sync::Arc;

use shared_kernel::application::{Caller, Page};
use shared_kernel::domain::AccountId;

use super::{GetAccount, one};
use crate::application::page::{AccountAt, Part, PostingPlace, PostingsOf, pages};
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::StatementLine;

/// Lists entries with running balance, newest first.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetStatement(pub Arc<dyn BankingReads>);

impl GetStatement {
    /// A page of them.
    ///
    /// # Errors
    /// Those of [`GetAccount::execute`].
    pub async fn execute(
        &self,
        caller: Caller,
        part: Part<AccountId, PostingPlace>,
    ) -> Outcome<Page<StatementLine>> {
        let account = GetAccount(Arc::clone(&self.0)).execute(caller, part.of).await?;
        let part = part.narrowed(|_id| PostingsOf::from(AccountAt::from(&account)));
        one(self.batch(&[(caller, part)]).await)
    }

    /// The same for many accounts whose banks are known, by one read.
    pub(crate) async fn batch(
        &self,
        asked: &[(Caller, Part<PostingsOf, PostingPlace>)],
    ) -> Vec<Outcome<Page<StatementLine>>> {
        pages(asked, async |parts| self.0.statements(&parts).await).await
    }
}
