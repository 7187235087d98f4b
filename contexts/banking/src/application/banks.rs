//! Which bank an account belongs to: for ever the same, so it is remembered.
//!
//! Commands name an account; their idempotency keys belong to its bank. So the bank is found
//! before a command is handed in. Accounts that are asked for together share one read, however
//! many callers ask and whether they exist or not.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shared_kernel::application::{ApplicationError, BatchExecutor, Batcher, Caller, TraceParent};
use shared_kernel::domain::{AccountId, Ispb};

use super::account_command::{OnAccount, account_not_found};
use super::ports::{BankingReads, Outcome};

/// Accounts that are remembered before all are forgotten and asked for again.
const KNOWN_MAX: usize = 200_000;

/// Reads the banks of accounts; one read for all that it is given.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct AccountBankReader(pub Arc<dyn BankingReads>);

#[async_trait]
impl BatchExecutor for AccountBankReader {
    type Request = AccountId;
    type Answer = Ispb;

    async fn execute(&self, accounts: Vec<AccountId>) -> Vec<Outcome<Ispb>> {
        let wanted: BTreeSet<AccountId> = accounts.iter().copied().collect();
        let wanted: Vec<AccountId> = wanted.into_iter().collect();
        let found = match self.0.accounts(&wanted).await {
            Ok(found) => found,
            Err(error) => {
                let failed = ApplicationError::from(error);
                return accounts.iter().map(|_| Err(failed.clone())).collect();
            }
        };
        let known: HashMap<AccountId, Ispb> =
            found.iter().map(|account| (account.state().id, account.state().ispb)).collect();
        let answer =
            |id: &AccountId| known.get(id).copied().ok_or_else(|| account_not_found().into());
        accounts.iter().map(answer).collect()
    }
}

/// Account to bank.
#[derive(Debug)]
pub struct AccountBanks {
    reader: Batcher<AccountId, Ispb>,
    known: Mutex<HashMap<AccountId, Ispb>>,
}

impl AccountBanks {
    /// Nothing is known yet; `reader` is the queue of an [`AccountBankReader`].
    pub fn new(reader: Batcher<AccountId, Ispb>) -> Self {
        Self { reader, known: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<AccountId, Ispb>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bank of an account.
    ///
    /// # Errors
    /// `account_not_found`; unavailable when the store does not answer.
    pub async fn of(&self, id: AccountId) -> Outcome<Ispb> {
        if let Some(ispb) = self.with(|known| known.get(&id).copied()) {
            return Ok(ispb);
        }
        let ispb = self.reader.submit(id).await?;
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
    use futures::future::join_all;
    use shared_kernel::application::StopHandle;
    use shared_kernel::application::batcher::{BatchLimits, batcher};
    use shared_kernel::application::stop::stop_pair;

    use super::*;
    use crate::application::ports::MockBankingReads;
    use crate::application::stage::code;
    use crate::domain::samples::{BANK_A, account, account_id, ispb};

    fn banks(reads: MockBankingReads) -> (AccountBanks, StopHandle) {
        let reader = Arc::new(AccountBankReader(Arc::new(reads)));
        let (queue, workers) = batcher(reader, BatchLimits::default(), 1);
        let (handle, stop) = stop_pair();
        for worker in workers {
            tokio::spawn(worker.run(stop.clone()));
        }
        (AccountBanks::new(queue), handle)
    }

    #[tokio::test]
    async fn an_account_is_asked_for_once() {
        let mut reads = MockBankingReads::new();
        let known = account(BANK_A, 1, 0);
        reads.expect_accounts().times(1).return_const(Ok(vec![known.clone()]));
        let (banks, _stop) = banks(reads);
        for _ in 0..3 {
            assert_eq!(banks.of(known.state().id).await, Ok(ispb(BANK_A)));
        }
    }

    #[tokio::test]
    async fn an_unknown_account_is_asked_for_every_time() {
        let mut reads = MockBankingReads::new();
        reads.expect_accounts().times(2).return_const(Ok(Vec::new()));
        let (banks, _stop) = banks(reads);
        for _ in 0..2 {
            assert_eq!(code(banks.of(account_id(9)).await), "account_not_found");
        }
    }

    #[tokio::test]
    async fn accounts_that_are_asked_for_together_share_a_read() {
        let mut reads = MockBankingReads::new();
        let known = account(BANK_A, 1, 0);
        reads.expect_accounts().times(1).return_const(Ok(vec![known.clone()]));
        let (banks, _stop) = banks(reads);
        // All are handed in before the worker has its first turn.
        let found = join_all((1..=500).map(|number| banks.of(account_id(number)))).await;
        assert_eq!(found[0], Ok(ispb(BANK_A)));
        assert!(found.into_iter().skip(1).all(|outcome| code(outcome) == "account_not_found"));
    }
}
