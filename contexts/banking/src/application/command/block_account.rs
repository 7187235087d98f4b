//! No new debits, no new acceptances.

use shared_kernel::application::CommandIdentity;
use shared_kernel::domain::Violation;

use crate::application::account_command::{AccountCommand, OnAccount};
use crate::application::books::Books;
use crate::domain::Account;

/// Blocks an account; blocking a blocked one changes nothing.
#[derive(Clone, Debug)]
pub struct BlockAccount {
    /// Who, and on which account.
    pub on: OnAccount,
}

impl AccountCommand for BlockAccount {
    const OPERATION: &'static str = "block_account";

    fn on(&self) -> &OnAccount {
        &self.on
    }

    fn identity(&self) -> Option<CommandIdentity> {
        None
    }

    fn decide(&self, books: &mut Books, account: &Account) -> Result<(), Violation> {
        if let Some(event) = account.block(books.now())? {
            books.record(event, &self.on.trace);
        }
        Ok(())
    }
}
