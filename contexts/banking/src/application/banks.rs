//! Which bank an account belongs to: for ever the same, so it is remembered.
//!
//! Commands name an account; their idempotency keys belong to its bank. So the bank is found
//! before a command is handed in, by one small read per account and process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shared_kernel::application::{ApplicationError, Caller, TraceParent};
use shared_kernel::domain::{AccountId, Ispb};

use super::account_command::{OnAccount, account_not_found};
use super::ports::{BankingReads, Outcome};

/// Accounts that are remembered before all are forgotten and asked for again.
const KNOWN_MAX: usize = 200_000;

/// Account to bank.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct AccountBanks {
    reads: Arc<dyn BankingReads>,
    known: Mutex<HashMap<AccountId, Ispb>>,
}

impl AccountBanks {
    /// Nothing is known yet.
    pub fn new(reads: Arc<dyn BankingReads>) -> Self {
        Self { reads, known: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<AccountId, Ispb>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bank of an account.
    ///
    /// # Errors
    /// `account_not_found`; unavailable when the store does not answer.
    pub async fn of(&self, id: AccountId) -> Result<Ispb, ApplicationError> {
        if let Some(ispb) = self.with(|known| known.get(&id).copied()) {
            return Ok(ispb);
        }
        let found = self.reads.accounts(&[id]).await?;
        let ispb = found.first().ok_or_else(account_not_found)?.state().ispb;
        self.with(|known| {
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
            known.insert(id, ispb)
        });
        Ok(ispb)
    }

    /// Who gives a command on an account, and at which bank that is.
    ///
    /// # Errors
    /// Those of [`Self::of`].
    pub async fn on(
        &self,
        caller: Caller,
        trace: TraceParent,
        account_id: AccountId,
    ) -> Outcome<OnAccount> {
        let ispb = self.of(account_id).await?;
        Ok(OnAccount { caller, trace, ispb, account_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::MockBankingReads;
    use crate::application::stage::code;
    use crate::domain::samples::{BANK_A, account, account_id, ispb};

    #[tokio::test]
    async fn an_account_is_asked_for_once() {
        let mut reads = MockBankingReads::new();
        let known = account(BANK_A, 1, 0);
        reads.expect_accounts().times(1).return_const(Ok(vec![known.clone()]));
        let banks = AccountBanks::new(Arc::new(reads));
        for _ in 0..3 {
            assert_eq!(banks.of(known.state().id).await, Ok(ispb(BANK_A)));
        }
    }

    #[tokio::test]
    async fn an_unknown_account_is_asked_for_every_time() {
        let mut reads = MockBankingReads::new();
        reads.expect_accounts().times(2).return_const(Ok(Vec::new()));
        let banks = AccountBanks::new(Arc::new(reads));
        for _ in 0..2 {
            assert_eq!(code(banks.of(account_id(9)).await), "account_not_found");
        }
    }
}
