//! The end of an account.

use shared_kernel::application::CommandIdentity;
use shared_kernel::domain::Violation;

use crate::application::account_command::{AccountCommand, OnAccount};
use crate::application::books::Books;
use crate::domain::Account;

/// Closes an empty account without open transfers; closing a closed one changes nothing.
#[derive(Clone, Debug)]
pub struct CloseAccount {
    /// Who, and on which account.
    pub on: OnAccount,
}

impl AccountCommand for CloseAccount {
    const OPERATION: &'static str = "close_account";
    const COUNTS_EXPECTED_CREDITS: bool = true;

    fn on(&self) -> &OnAccount {
        &self.on
    }

    fn identity(&self) -> Option<CommandIdentity> {
        None
    }

    fn decide(&self, books: &mut Books, account: &Account) -> Result<(), Violation> {
        if let Some(event) =
            account.close(books.expected_credits(self.on.account_id), books.now())?
        {
            books.record(event, &self.on.trace);
        }
        Ok(())
    }
}
