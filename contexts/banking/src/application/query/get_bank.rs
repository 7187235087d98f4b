//! Banks, by their ISPBs.

use std::collections::HashMap;
use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::Ispb;

use crate::application::account_command::not_hosted;
use crate::application::ports::{BankingReads, Outcome};
use crate::application::views::BankView;

/// Finds banks that are hosted here; names and colours are no secret among banks.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetBank(pub Arc<dyn BankingReads>);

impl GetBank {
    /// Each of these banks, by one read.
    ///
    /// # Errors
    /// `bank_not_hosted`; unavailable when the store does not answer.
    pub async fn execute(&self, asked: &[(Caller, Ispb)]) -> Vec<Outcome<BankView>> {
        let banks: Vec<Ispb> = asked.iter().map(|(_, ispb)| *ispb).collect();
        let found = match self.0.banks_among(&banks).await {
            Ok(found) => found,
            Err(error) => return asked.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let found: HashMap<Ispb, BankView> =
            found.into_iter().map(|bank| (bank.ispb, bank)).collect();
        let show = |(_, ispb): &(Caller, Ispb)| {
            Ok(found.get(ispb).cloned().ok_or_else(|| not_hosted(*ispb))?)
        };
        asked.iter().map(show).collect()
    }
}
