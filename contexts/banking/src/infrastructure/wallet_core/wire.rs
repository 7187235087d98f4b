//! The JSON of its requests and answers.
//!
//! Its answers name fields in lower case or as Go writes them, and its clients read one or the
//! other: ours carry both where they differ.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Money, Timestamp, Violation};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::echo::number;
use crate::application::views::{AccountView, BookedView, ClientView};
use crate::domain::{ClientId, Email, EntryId, OwnerName};

/// Reads a body whatever its content type says.
///
/// # Errors
/// `body_shape` says what is wrong with it.
pub(super) fn body<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Violation> {
    serde_json::from_slice(bytes).map_err(|error| {
        Violation::invalid("body_shape", "body", format!("the body is unreadable: {error}"))
    })
}

/// A client to be.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewClient {
    /// The client's name.
    #[schema(example = "John Doe")]
    name: String,
    /// The client's e-mail.
    #[schema(example = "john@j.com")]
    email: String,
}

impl NewClient {
    pub(super) fn read(&self) -> Result<(OwnerName, Email), Violation> {
        let name = OwnerName::parse(&self.name).map_err(|broken| broken.on("name"))?;
        Ok((name, Email::parse(&self.email)?))
    }
}

/// An account to be.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewAccount {
    /// Whose.
    #[schema(format = "uuid", example = "5f1c2a34-7d0e-4f83-9b61-2c8a4e0d7b11")]
    client_id: String,
}

impl NewAccount {
    pub(super) fn read(&self) -> Result<ClientId, Violation> {
        ClientId::parse(&self.client_id)
    }
}

/// A transaction to be.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewTransaction {
    /// Who pays; `account_from_id` too.
    #[serde(alias = "account_from_id")]
    #[schema(format = "uuid", example = "912ca3ff-59d4-4640-acd8-76eb1faf0dbe")]
    account_id_from: String,
    /// Who is paid; `account_to_id` too.
    #[serde(alias = "account_to_id")]
    #[schema(format = "uuid", example = "31fb673a-012a-4cfc-8dc9-7a9ad0219437")]
    account_id_to: String,
    /// How much: a number with at most two decimals, read digit by digit.
    #[schema(value_type = Number)]
    amount: Box<RawValue>,
}

impl NewTransaction {
    pub(super) fn read(&self) -> Result<(AccountId, AccountId, Amount), Violation> {
        let account = |text: &str, field| AccountId::parse(text).map_err(|it| it.on(field));
        Ok((
            account(&self.account_id_from, "account_id_from")?,
            account(&self.account_id_to, "account_id_to")?,
            Amount::from_json_number(self.amount.get())?,
        ))
    }
}

/// Money as a JSON number, written digit by digit.
#[derive(Clone, Copy, Debug)]
struct Number(Money);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        let about = "Brazilian reals, with at most two decimals: read the digits, not a float.";
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some(about))
            .examples(serde_json::from_str::<serde_json::Value>("10.5"))
            .into()
    }
}

impl ToSchema for Number {
    fn name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }
}

/// A client.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Client {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ClientId,
    /// Its id, as Go writes it.
    #[serde(rename = "ID")]
    #[schema(value_type = String, format = "uuid")]
    go_id: ClientId,
    /// Its name.
    name: String,
    /// Its name, as Go writes it.
    #[serde(rename = "Name")]
    go_name: String,
    /// Its e-mail.
    email: String,
    /// Its e-mail, as Go writes it.
    #[serde(rename = "Email")]
    go_email: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when, as Go writes it.
    #[serde(rename = "CreatedAt")]
    #[schema(value_type = String, format = DateTime)]
    go_created_at: Timestamp,
    /// The same: a client does not change.
    #[serde(rename = "UpdatedAt")]
    #[schema(value_type = String, format = DateTime)]
    go_updated_at: Timestamp,
}

impl From<ClientView> for Client {
    fn from(client: ClientView) -> Self {
        let ClientView { id, name, email, registered_at, .. } = client;
        Self {
            id,
            go_id: id,
            name: name.clone(),
            go_name: name,
            email: email.clone(),
            go_email: email,
            created_at: registered_at,
            go_created_at: registered_at,
            go_updated_at: registered_at,
        }
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Account {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: AccountId,
    /// Its id, as Go writes it.
    #[serde(rename = "ID")]
    #[schema(value_type = String, format = "uuid")]
    go_id: AccountId,
    /// Whose.
    #[schema(value_type = String, format = "uuid")]
    client_id: ClientId,
    /// What is on it.
    balance: Number,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl Account {
    pub(super) fn new(client_id: ClientId, account: &AccountView) -> Self {
        let AccountView { id, balance, opened_at, .. } = *account;
        Self { id, go_id: id, client_id, balance: Number(balance), created_at: opened_at }
    }
}

/// A transaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Transaction {
    /// Its id: that of its debit in the ledger.
    #[schema(value_type = String, format = "uuid")]
    id: EntryId,
    /// Its id, as Go writes it.
    #[serde(rename = "ID")]
    #[schema(value_type = String, format = "uuid")]
    go_id: EntryId,
    /// Who paid.
    #[schema(value_type = String, format = "uuid")]
    account_id_from: AccountId,
    /// Who was paid.
    #[schema(value_type = String, format = "uuid")]
    account_id_to: AccountId,
    /// How much.
    amount: Number,
    /// Its id among the transfers of the hub's banks.
    #[schema(value_type = String)]
    end_to_end_id: EndToEndId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Version of the payer's account after it: `min_version` of the balances service waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    account_version_from: Option<i64>,
    /// Version of the payee's account after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    account_version_to: Option<i64>,
}

impl From<BookedView> for Transaction {
    fn from(booked: BookedView) -> Self {
        Self {
            id: booked.id,
            go_id: booked.id,
            account_id_from: booked.payer_account_id,
            account_id_to: booked.payee_account_id,
            amount: Number(booked.amount.money()),
            end_to_end_id: booked.end_to_end_id,
            created_at: booked.booked_at,
            account_version_from: booked.payer_version,
            account_version_to: booked.payee_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "912ca3ff-59d4-4640-acd8-76eb1faf0dbe";
    const TO: &str = "31fb673a-012a-4cfc-8dc9-7a9ad0219437";

    fn read(text: &str) -> Result<(AccountId, AccountId, Amount), Violation> {
        body::<NewTransaction>(text.as_bytes())?.read()
    }

    #[test]
    fn a_transaction_is_read_under_both_names_of_its_accounts() {
        let expected = (
            AccountId::parse(FROM).unwrap(),
            AccountId::parse(TO).unwrap(),
            Amount::from_centavos(1_050).unwrap(),
        );
        for (from, to) in
            [("account_id_from", "account_id_to"), ("account_from_id", "account_to_id")]
        {
            let text = format!(r#"{{"{from}":"{FROM}","{to}":"{TO}","amount":10.5,"more":1}}"#);
            assert_eq!(read(&text), Ok(expected));
        }
    }

    #[test]
    fn a_refusal_names_the_field_of_the_request() {
        let refused = |from: &str, to: &str, amount: &str| {
            let text = format!(
                r#"{{"account_id_from":"{from}","account_id_to":"{to}","amount":{amount}}}"#
            );
            let broken = read(&text).unwrap_err();
            (broken.code(), broken.field())
        };
        assert_eq!(refused("x", TO, "1"), ("account_id_shape", "account_id_from"));
        assert_eq!(refused(FROM, "x", "1"), ("account_id_shape", "account_id_to"));
        assert_eq!(refused(FROM, TO, "\"1\""), ("money_number_shape", "amount"));
        assert_eq!(refused(FROM, TO, "0.001"), ("money_decimals", "amount"));
        assert_eq!(refused(FROM, TO, "0"), ("amount_out_of_range", "amount"));
        assert_eq!(refused(FROM, TO, "-1"), ("amount_out_of_range", "amount"));
        assert_eq!(read("{").unwrap_err().code(), "body_shape");
        assert_eq!(read(r#"{"amount":1}"#).unwrap_err().code(), "body_shape");
        let client = body::<NewClient>(br#"{"name":" ","email":"a@b"}"#).unwrap();
        assert_eq!(client.read().unwrap_err().field(), "name");
        let client = body::<NewClient>(br#"{"name":"John","email":"a"}"#).unwrap();
        assert_eq!(client.read().unwrap_err().field(), "email");
        let account = body::<NewAccount>(br#"{"client_id":"7"}"#).unwrap();
        assert_eq!(account.read().unwrap_err().code(), "client_id_shape");
    }

    #[test]
    fn a_transaction_names_the_versions_that_balances_can_be_waited_for() {
        let remembered = r#"{
            "id": "00000000-0000-0000-0000-000000000001",
            "end_to_end_id": "E0000000120261120120000000000001",
            "payer_account_id": "912ca3ff-59d4-4640-acd8-76eb1faf0dbe",
            "payee_account_id": "31fb673a-012a-4cfc-8dc9-7a9ad0219437",
            "amount": {"amount": "10.50", "currency": "BRL"}, "booked_at": "2026-11-20T12:00:00Z"
        }"#;
        // An answer that was remembered before versions were said.
        let before: BookedView = serde_json::from_str(remembered).unwrap();
        let shown = |view: BookedView| serde_json::to_value(Transaction::from(view)).unwrap();
        assert_eq!(shown(before.clone()).get("account_version_from"), None);
        let now = BookedView { payer_version: Some(3), payee_version: Some(7), ..before };
        let shown = shown(now);
        let versions = (&shown["account_version_from"], &shown["account_version_to"]);
        assert_eq!(versions, (&3.into(), &7.into()));
    }
}
