//! Account to cash.

use shared_kernel::application::CommandIdentity;
use shared_kernel::domain::{Amount, Violation};

use super::identity;
use crate::application::account_command::{AccountCommand, OnAccount};
use crate::application::books::{Books, Movement};
use crate::domain::{Account, InternalAccount, Leg};

/// Takes cash from an account, as far as it is available.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// Who, and on which account.
    pub on: OnAccount,
    /// A repeat with this key gets the first answer.
    pub idempotency_key: String,
    /// How much.
    pub amount: Amount,
}

impl AccountCommand for Withdraw {
    const OPERATION: &'static str = "withdraw";

    fn on(&self) -> &OnAccount {
        &self.on
    }

    fn identity(&self) -> Option<CommandIdentity> {
        let account_id = self.on.account_id.uuid();
        let amount = self.amount.centavos().to_be_bytes();
        let content: [&[u8]; 2] = [account_id.as_bytes(), &amount];
        Some(identity(self.on.ispb, Self::OPERATION, &self.idempotency_key, &content))
    }

    fn decide(&self, books: &mut Books, account: &Account) -> Result<(), Violation> {
        let entry_id = books.entry_id();
        let event = account.withdraw(self.amount, entry_id, books.now())?;
        let reference = entry_id.to_string();
        let movement = Movement { leg: Leg::Withdrawal, reference, amount: self.amount };
        books.debit_customer(movement, InternalAccount::Cash, event, &self.on.trace);
        Ok(())
    }
}
