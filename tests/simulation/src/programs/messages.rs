//! The JSON of the programs: names of fields in any case, either name of the kind of a key, fields
//! that are left out.

use serde::Deserialize;
use shared_kernel::domain::{AccountId, Money};
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
        let description = format!("\"description\":\"{description}\"");
        match chance.below(3) {
            0 => format!(
                "{{\"id\":\"{id}\",\"accountId\":\"{account}\",\"amount\":{amount},\
                 \"pixKeyTo\":\"{key}\",\"pixKeyKindTo\":\"email\",{description},\
                 \"status\":\"\",\"error\":\"\"}}"
            ),
            1 => format!(
                "{{\"id\":\"{id}\",\"accountid\":\"{account}\",\"AMOUNT\":{amount},\
                 \"pixkeyto\":\"{key}\",\"pixKeyToKind\":\"email\",{description}}}"
            ),
            _ => format!(
                "{{\"id\":\"{id}\",\"accountId\":\"{account}\",\"amount\":{amount},\
                 \"pixKeyTo\":\"{key}\",\"pixKeyKindTo\":\"email\",\
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
