//! The consumer: a batch is at most two statements and one commit.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{BatchHandler, InboundRecord, Refusal, StoreError, Unreadable};

use super::messages::{account_created, balance_updated, is_account_created};
use crate::application::ports::{BalancesStore, BalancesTransaction};
use crate::application::reaction::{ExternalWord, OnExternalBalance};

/// Keeps what Wallet Core says.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct WalletCoreConsumer {
    store: Arc<dyn BalancesStore>,
    accounts: Option<String>,
}

impl WalletCoreConsumer {
    /// A consumer that writes to this store; `accounts` is the full name of the topic of accounts,
    /// every other has balances.
    pub fn new(store: Arc<dyn BalancesStore>, accounts: String) -> Self {
        Self { store, accounts: Some(accounts) }
    }

    /// A consumer of topics that were listened to under names which no setting says any more: what
    /// a record is, its own name tells.
    pub fn of_former_names(store: Arc<dyn BalancesStore>) -> Self {
        Self { store, accounts: None }
    }

    fn words(&self, record: &InboundRecord) -> Result<Vec<ExternalWord>, Unreadable> {
        match &self.accounts {
            Some(accounts) => words(record, accounts),
            None if is_account_created(record) => account_created(record).map(|word| vec![word]),
            None => balance_updated(record).map(Vec::from),
        }
    }
}

/// What a record says; `accounts` is the full name of the topic of accounts.
///
/// # Errors
/// As the messages.
pub(crate) fn words(
    record: &InboundRecord,
    accounts: &str,
) -> Result<Vec<ExternalWord>, Unreadable> {
    if record.from.topic == accounts {
        return account_created(record).map(|word| vec![word]);
    }
    balance_updated(record).map(Vec::from)
}

#[async_trait]
impl BatchHandler for WalletCoreConsumer {
    type Transaction = dyn BalancesTransaction;

    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let (mut said, mut refusals) = (Vec::new(), Vec::new());
        for (index, record) in batch.iter().enumerate() {
            match self.words(record) {
                Ok(read) => said.extend(read),
                Err(Unreadable { code, sentence }) => {
                    refusals.push(Refusal { index, code: code.to_owned(), reason: sentence });
                }
            }
        }
        OnExternalBalance::keep(transaction, &said).await?;
        Ok(refusals)
    }
}
