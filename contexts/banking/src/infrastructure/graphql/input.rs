//! What commands are given, and what they answer.

use async_graphql::{ID, InputObject, SimpleObject};
use shared_kernel::infrastructure::graphql::{Ispb, Money, TaxId};

use super::account::Account;
use super::transfer::AccountTransfer;

/// A customer gets an account.
#[derive(InputObject)]
pub(super) struct OpenAccountInput {
    /// A repeat with this key gets the first answer. May be left out where the id is chosen.
    pub(super) idempotency_key: Option<String>,
    /// The bank.
    pub(super) ispb: Ispb,
    /// The owner's name, up to 140 characters.
    pub(super) owner_name: String,
    /// The owner's tax id; the bank's customer with this one keeps the name that the bank knows.
    pub(super) owner_tax_id: TaxId,
    /// The branch, up to four digits; 0001 unless it is given.
    pub(super) branch: Option<String>,
    /// The number; the next free one unless it is given.
    pub(super) number: Option<String>,
    /// The account's UUID; the bank makes one unless it is given. Only operators choose one.
    pub(super) account_id: Option<ID>,
}

/// The account that was opened.
#[derive(SimpleObject)]
pub(super) struct OpenAccountPayload {
    /// The account.
    pub(super) account: Account,
}

/// Cash comes to an account.
#[derive(InputObject)]
pub(super) struct DepositInput {
    /// A repeat with this key gets the first answer.
    pub(super) idempotency_key: String,
    /// The account.
    pub(super) account_id: ID,
    /// How much, from 0.01.
    pub(super) amount: Money,
}

/// The account that cash came to.
#[derive(SimpleObject)]
pub(super) struct DepositPayload {
    /// The account, as it is now.
    pub(super) account: Account,
}

/// Cash leaves an account.
#[derive(InputObject)]
pub(super) struct WithdrawInput {
    /// A repeat with this key gets the first answer.
    pub(super) idempotency_key: String,
    /// The account.
    pub(super) account_id: ID,
    /// How much, from 0.01.
    pub(super) amount: Money,
}

/// The account that cash left.
#[derive(SimpleObject)]
pub(super) struct WithdrawPayload {
    /// The account, as it is now.
    pub(super) account: Account,
}

/// An account is blocked.
#[derive(InputObject)]
pub(super) struct BlockAccountInput {
    /// The account.
    pub(super) account_id: ID,
}

/// The account that is blocked.
#[derive(SimpleObject)]
pub(super) struct BlockAccountPayload {
    /// The account, as it is now.
    pub(super) account: Account,
}

/// A blocked account may be used again.
#[derive(InputObject)]
pub(super) struct UnblockAccountInput {
    /// The account.
    pub(super) account_id: ID,
}

/// The account that may be used again.
#[derive(SimpleObject)]
pub(super) struct UnblockAccountPayload {
    /// The account, as it is now.
    pub(super) account: Account,
}

/// An empty account is closed.
#[derive(InputObject)]
pub(super) struct CloseAccountInput {
    /// The account.
    pub(super) account_id: ID,
}

/// The account that is closed.
#[derive(SimpleObject)]
pub(super) struct CloseAccountPayload {
    /// The account, as it is now.
    pub(super) account: Account,
}

/// What an account may send. A limit that is left out is removed.
#[derive(InputObject)]
pub(super) struct SetAccountLimitsInput {
    /// The account.
    pub(super) account_id: ID,
    /// Most that one transfer may move.
    pub(super) limit_per_transfer: Option<Money>,
    /// Most that all transfers of one calendar day in Brasília (UTC-3) may move.
    pub(super) limit_per_day: Option<Money>,
}

/// The account with its limits.
#[derive(SimpleObject)]
pub(super) struct SetAccountLimitsPayload {
    /// The account, as it is now.
    pub(super) account: Account,
}

/// Money is sent to whoever owns a key.
#[derive(InputObject)]
pub(super) struct RequestTransferInput {
    /// A repeat with this key gets the first answer.
    pub(super) idempotency_key: String,
    /// The payer's account.
    pub(super) account_id: ID,
    /// The key that is paid to.
    pub(super) payee_key: String,
    /// How much, from 0.01.
    pub(super) amount: Money,
    /// What the payer writes, up to 140 characters.
    pub(super) description: Option<String>,
}

/// The transfer that was ordered.
#[derive(SimpleObject)]
pub(super) struct RequestTransferPayload {
    /// The transfer as the payer sees it.
    pub(super) order: AccountTransfer,
}
