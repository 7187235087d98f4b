//! The banks that are hosted here.

use std::sync::Arc;

use shared_kernel::application::Caller;

use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::BankView;

/// Lists them by ISPB; names and colours are no secret among banks.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListBanks(pub Arc<dyn BankingReads>);

impl ListBanks {
    /// All of them.
    ///
    /// # Errors
    /// Unavailable when the store does not answer.
    pub async fn execute(&self, _caller: Caller) -> Outcome<Vec<BankView>> {
        Ok(self.0.banks().await?)
    }
}
