//! What an account has.

use async_graphql::SimpleObject;
use shared_kernel::infrastructure::graphql::{DateTime, Money};

use super::account::Account;
use crate::domain::{AccountVersion, KnownBalance, SeenBalance};

/// What an account has, or had at an instant, as its bank's events state it: a moment behind the
/// ledger.
#[derive(SimpleObject)]
pub(super) struct Balance {
    /// Whose it is; null where Banking does not answer for it.
    account: Option<Account>,
    /// What the owner may spend.
    available: Money,
    /// What transfers under way have set aside.
    held: Money,
    /// Available and held.
    total: Money,
    /// Version of the account that these amounts belong to; each of its events adds 1. Null where
    /// they are the word of a program beside the hub.
    version: Option<i64>,
    /// When the bank changed the account to that version, or that program said so.
    updated_at: DateTime,
    /// Whether no bank of the hub knows the account.
    external: bool,
}

impl Balance {
    pub(super) fn new(seen: &SeenBalance) -> Self {
        let SeenBalance { account_id, standing, external } = seen;
        let funds = standing.funds();
        Self {
            account: Some(Account::new(*account_id)),
            available: funds.available().into(),
            held: funds.held().into(),
            total: funds.total().into(),
            version: standing.version().map(AccountVersion::number),
            updated_at: standing.since().into(),
            external: *external,
        }
    }
}

impl From<&KnownBalance> for Balance {
    fn from(known: &KnownBalance) -> Self {
        Self::new(&known.seen())
    }
}

/// An account has changed.
#[derive(SimpleObject)]
pub(super) struct AccountUpdate {
    /// Which account; null where Banking does not answer for it.
    pub(super) account: Option<Account>,
    /// What it has since.
    pub(super) balance: Balance,
}
