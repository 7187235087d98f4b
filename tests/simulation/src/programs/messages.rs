//! The JSON of the programs: names of fields in any case, either name of the kind of a key, fields
//! that are left out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use shared_kernel::domain::{AccountId, Money};
use transfers::application::outside::kind_of;
use transfers::domain::OrderId;

use crate::random::Random;

/// What a program is told. All of these must be there, or programs stick.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    pub(super) id: OrderId,
    pub(super) account_id: AccountId,
    pub(super) amount: serde_json::Number,
    #[serde(rename = "pixKeyTo")]
    pub(super) _key: String,
    #[serde(rename = "pixKeyKindTo")]
    pub(super) _kind: String,
    #[serde(rename = "pixKeyToKind")]
    pub(super) _kind_by_its_other_name: String,
    #[serde(rename = "description")]
    pub(super) _description: String,
    pub(super) status: String,
    pub(super) error: String,
}

impl Told {
    pub(super) fn centavos(&self) -> i64 {
        Money::from_json_number(&self.amount.to_string()).map_or(0, Money::centavos)
    }
}

/// An order that a program is about to write.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) account: AccountId,
    /// A JSON number, or what a broken program writes there.
    pub(super) amount: String,
    pub(super) key: String,
    pub(super) description: &'static str,
}

impl Order {
    pub(super) fn body(&self, chance: &Random) -> String {
        let Self { id, account, amount, key, description } = self;
        let kind = kind_of(key);
        let description = format!("\"description\":\"{description}\"");
        match chance.below(3) {
            0 => format!(
                "{{\"id\":\"{id}\",\"accountId\":\"{account}\",\"amount\":{amount},\
                 \"pixKeyTo\":\"{key}\",\"pixKeyKindTo\":\"{kind}\",{description},\
                 \"status\":\"\",\"error\":\"\"}}"
            ),
            1 => format!(
                "{{\"id\":\"{id}\",\"accountid\":\"{account}\",\"AMOUNT\":{amount},\
                 \"pixkeyto\":\"{key}\",\"pixKeyToKind\":\"{kind}\",{description}}}"
            ),
            _ => format!(
                "{{\"id\":\"{id}\",\"accountId\":\"{account}\",\"amount\":{amount},\
                 \"pixKeyTo\":\"{key}\",\"pixKeyKindTo\":\"{kind}\",\
                 \"status\":\"pending\",{description}}}"
            ),
        }
    }
}

/// What a program says of an order, with more fields or fewer.
pub(super) fn word(id: OrderId, status: &str, chance: &Random) -> String {
    match chance.below(3) {
        0 => format!("{{\"id\":\"{id}\",\"status\":\"{status}\"}}"),
        1 => format!("{{\"ID\":\"{id}\",\"Status\":\"{status}\",\"amount\":0,\"error\":null}}"),
        _ => format!(
            "{{\"id\":\"{id}\",\"status\":\"{status}\",\"description\":\"\",\"error\":\"\"}}"
        ),
    }
}

/// A message of the protocol in a few words, for the story: its status, or what it orders, and its
/// id.
pub(crate) fn words(payload: Option<&[u8]>) -> Option<String> {
    let fields: BTreeMap<String, Value> = serde_json::from_slice(payload?).ok()?;
    let fields: BTreeMap<String, Value> =
        fields.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = fields.get("id")?.as_str()?;
    let is_order = matches!(text("status"), "" | "pending") && fields.contains_key("pixkeyto");
    let amount = fields.get("amount").map(Value::to_string).unwrap_or_default();
    let what = match text("status") {
        "" | "pending" if is_order => format!("of {amount} to {}", text("pixkeyto")),
        status => status.to_owned(),
    };
    let status = if text("status") == "pending" { "pending " } else { "" };
    let error = text("error");
    let error = if error.is_empty() { String::new() } else { format!(" ({error})") };
    Some(format!("{id} {status}{what}{error}"))
}
