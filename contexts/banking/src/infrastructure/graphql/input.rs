//! What commands are given, and what they answer.

use async_graphql::{ID, InputObject, SimpleObject};
use shared_kernel::infrastructure::graphql::{Ispb, Money, TaxId};

use super::account::Account;
use super::transfer::AccountTransfer;

/// A customer gets an account.
#[derive(InputObject)]
pub(super) struct OpenAccountInput {
    /// A repeat with this key gets the first answer.
    #[graphql(default)]
    pub(super) idempotency_key: String,
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
    #[graphql(default)]
    pub(super) description: String,
}

/// The transfer that was ordered.
#[derive(SimpleObject)]
pub(super) struct RequestTransferPayload {
    /// The transfer as the payer sees it.
    pub(super) order: AccountTransfer,
}
