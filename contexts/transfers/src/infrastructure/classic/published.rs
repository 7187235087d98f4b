//! The messages of the classic protocol, as the registry of the hub lists them. Their shape is
//! other people's: what bank programs are told is written here, what they write is read by
//! `inbound.rs`, more leniently than it is described.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;
use shared_kernel::application::catalogue::{Channel, Retention};
use shared_kernel::domain::{AccountId, EndToEndId};

use crate::application::marked_line;
use crate::domain::OrderId;

/// Partitions of the topics that programs write to: their keys are constant or random.
pub(super) const SHARED_PARTITIONS: i32 = 8;
/// Partitions of a bank's topic: a program may read no other than the first.
pub(super) const BANK_PARTITIONS: i32 = 1;

/// What bank programs order. The name is a setting.
pub const ORDERS: Channel =
    Channel::new("transactions", "").partitions(SHARED_PARTITIONS).kept(Retention::Days30);

/// What bank programs confirm. The name is a setting.
pub const CONFIRMATIONS: Channel = Channel::new("transaction_confirmation", "")
    .partitions(SHARED_PARTITIONS)
    .kept(Retention::Days30);

/// What the program of one bank is told. The first part of the name is a setting.
pub const BANK_PROGRAMS: Channel =
    Channel::new("bank{code}", "order id").partitions(BANK_PARTITIONS).kept(Retention::Days30);

/// Where each hand-over leaves its mark. One partition: each shard would need one of its own, or
/// the open transaction of another would hide its marks.
pub const DELIVERED: Channel = Channel::new(marked_line::DELIVERED, "EndToEndId of the transfer")
    .partitions(1)
    .kept(Retention::LastOfEachKey);

/// A JSON number with at most two places; exact, and so no float here.
fn amount(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number", "description": "In reais, exact to the centavo." })
}

/// A bank program is told of a transfer: `pending` to the payee's (credit it, once), `confirmed`
/// and `error` to the payer's. Every field is there, texts are never null.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BankProgramTold<'a> {
    /// The order's id: the payer's program made it, or the hub for a native payer.
    pub id: OrderId,
    /// The payer's account.
    pub account_id: AccountId,
    /// How much.
    #[schemars(schema_with = "amount")]
    pub amount: Box<RawValue>,
    /// The key that is paid to.
    pub pix_key_to: &'a str,
    /// Its kind.
    pub pix_key_kind_to: &'a str,
    /// The same under its other name.
    pub pix_key_to_kind: &'a str,
    /// What the payer wrote; may be empty.
    pub description: &'a str,
    /// What to do.
    #[schemars(extend("enum" = ["pending", "confirmed", "error"]))]
    pub status: &'static str,
    /// Why it failed; empty otherwise.
    pub error: &'a str,
}

/// A bank program orders a transfer: it has debited its customer. Names of fields are read in any
/// case, and `pixKeyToKind` is another name of `pixKeyKindTo`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BankProgramOrdered<'a> {
    /// The program's own id of the order: its idempotency key.
    pub id: OrderId,
    /// The payer's account.
    pub account_id: AccountId,
    /// How much.
    #[schemars(schema_with = "amount")]
    pub amount: Box<RawValue>,
    /// The key to pay to.
    pub pix_key_to: &'a str,
    /// Its kind.
    pub pix_key_kind_to: &'a str,
    /// What the payer wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
}

/// A bank program confirms that its customer is credited, or that its own record is complete.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BankProgramConfirmed<'a> {
    /// The order's id.
    pub id: OrderId,
    /// `confirmed` of the payee's program, `completed` of the payer's.
    #[schemars(extend("enum" = ["confirmed", "completed"]))]
    pub status: &'a str,
}

/// A hand-over has left: its `pending` is on the topic of its bank, in the same transaction of the
/// log. A tombstone follows once the hub's own row is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HandOverMarked<'a> {
    /// Which transfer was handed over.
    pub end_to_end_id: &'a EndToEndId,
}
