//! An account may be used again.

use shared_kernel::application::CommandIdentity;
use shared_kernel::domain::Violation;

use crate::application::account_command::{AccountCommand, OnAccount};
use crate::application::books::Books;
use crate::domain::Account;

/// Makes a blocked account active; an active one stays as it is.
#[derive(Clone, Debug)]
pub struct UnblockAccount {
    /// Who, and on which account.
    pub on: OnAccount,
}

impl AccountCommand for UnblockAccount {
    const OPERATION: &'static str = "unblock_account";

    fn on(&self) -> &OnAccount {
        &self.on
    }

    fn identity(&self) -> Option<CommandIdentity> {
        None
    }

    fn decide(&self, books: &mut Books, account: &Account) -> Result<(), Violation> {
        if let Some(event) = account.unblock(books.now())? {
            books.record(event, &self.on.trace);
        }
        Ok(())
    }
}
