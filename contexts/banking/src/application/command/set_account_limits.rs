//! What an account may send.

use shared_kernel::application::CommandIdentity;
use shared_kernel::domain::Violation;

use crate::application::account_command::{AccountCommand, OnAccount};
use crate::application::books::Books;
use crate::domain::{Account, Limits};

/// Sets or removes the limits of an account; the same again changes nothing.
#[derive(Clone, Debug)]
pub struct SetAccountLimits {
    /// Who, and on which account.
    pub on: OnAccount,
    /// The limits from now on; one that is absent is removed.
    pub limits: Limits,
}

impl AccountCommand for SetAccountLimits {
    const OPERATION: &'static str = "set_account_limits";

    fn on(&self) -> &OnAccount {
        &self.on
    }

    fn identity(&self) -> Option<CommandIdentity> {
        None
    }

    fn decide(&self, books: &mut Books, account: &Account) -> Result<(), Violation> {
        if let Some(event) = account.set_limits(self.limits, books.now())? {
            books.record(event, &self.on.trace);
        }
        Ok(())
    }
}
