//! What an account has.

use async_graphql::SimpleObject;
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::graphql::{DateTime, Money};

use super::account::Account;
use crate::domain::{AccountBalance, AccountState};

/// What an account has, or had at an instant, as its bank's events state it: a moment behind the
/// ledger.
#[derive(SimpleObject)]
pub(super) struct Balance {
    /// Whose it is.
    account: Account,
    /// What the owner may spend.
    available: Money,
    /// What transfers under way have set aside.
    held: Money,
    /// Available and held.
    total: Money,
    /// Version of the account that these amounts belong to; each of its events adds 1.
    version: i64,
    /// When the bank changed the account to that version.
    updated_at: DateTime,
}

impl Balance {
    pub(super) fn new(account: AccountId, state: &AccountState) -> Self {
        let AccountState { version, funds, occurred_at } = state;
        Self {
            account: Account::new(account),
            available: funds.available().into(),
            held: funds.held().into(),
            total: funds.total().into(),
            version: version.number(),
            updated_at: (*occurred_at).into(),
        }
    }
}

impl From<&AccountBalance> for Balance {
    fn from(balance: &AccountBalance) -> Self {
        Self::new(balance.account_id(), balance.state())
    }
}

/// An account has changed.
#[derive(SimpleObject)]
pub(super) struct AccountUpdate {
    /// Which account.
    pub(super) account: Account,
    /// What it has since.
    pub(super) balance: Balance,
}
