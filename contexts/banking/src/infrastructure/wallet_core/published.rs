//! Wallet Core's messages, as the registry of the banks lists them. Their shape is its own.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;
use shared_kernel::application::catalogue::{Channel, Retention};

/// Transactions that happened. The name is a setting, and bank programs order on a topic of the
/// same usual name.
pub const TRANSACTIONS: Channel =
    Channel::new("transactions", "").partitions(8).kept(Retention::Days30);

/// What accounts have after a transaction; one partition, so that the balances of one millisecond
/// keep their order. The name is a setting.
pub const BALANCES: Channel = Channel::new("balances", "").partitions(1);

/// Accounts that were opened; Wallet Core alone writes it. The name is a setting.
pub const ACCOUNTS: Channel = Channel::new("accounts", "").partitions(1);

/// A JSON number with at most two places; exact, and so no float here.
fn amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number", "description": "In reais, exact to the centavo." })
}

/// Money went from one account to another.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WalletTransactionCreated {
    /// Always `TransactionCreated`.
    pub name: &'static str,
    /// The transaction.
    pub payload: WalletTransaction,
}

/// One transaction.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WalletTransaction {
    /// Its id.
    pub id: String,
    /// Who pays.
    pub account_id_from: String,
    /// Who is paid.
    pub account_id_to: String,
    /// How much.
    #[schemars(schema_with = "amount")]
    pub amount: Box<RawValue>,
}

/// What both accounts have after a transaction. It carries no id, version or time: the time of its
/// record decides which is the newest.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WalletBalanceUpdated {
    /// Always `BalanceUpdated`.
    pub name: &'static str,
    /// The balances.
    pub payload: WalletBalances,
}

/// The balances of two accounts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WalletBalances {
    /// Who paid.
    pub account_id_from: String,
    /// Who was paid.
    pub account_id_to: String,
    /// What the payer has.
    #[schemars(schema_with = "amount")]
    pub balance_account_id_from: Box<RawValue>,
    /// What the payee has.
    #[schemars(schema_with = "amount")]
    pub balance_account_id_to: Box<RawValue>,
}

/// An account was opened at Wallet Core.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WalletAccountCreated {
    /// Always `AccountCreated`.
    pub name: &'static str,
    /// The account's id.
    pub payload: String,
}
