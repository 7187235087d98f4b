//! Its messages, as its many forks write them.
//!
//! Names of fields are matched without regard to case and underscores, in both orders of their
//! words (`account_id_from`, `account_from_id`). Amounts are floats on the other side, which leak
//! (1006.5699999999999): they are read from their digits and rounded to centavos.

use std::collections::HashMap;
use std::fmt::Formatter;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{InboundRecord, Unreadable};
use shared_kernel::domain::{AccountId, Money, Violation};

use crate::application::reaction::ExternalWord;
use crate::domain::{ExternalAccount, ExternalBalance, RecordPlace};

/// The name of the opening of an account.
const ACCOUNT_CREATED: &str = "AccountCreated";

/// The fields of an object as they are written, equal names too.
struct Written(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Written;

            fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Written(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// An object by the plain names of its fields.
struct Fields(HashMap<String, Box<RawValue>>);

impl Fields {
    /// # Errors
    /// `payload_json` when two names are one in plain writing: nobody can say which is meant.
    fn of(Written(fields): Written) -> Result<Self, Unreadable> {
        let mut plain = HashMap::with_capacity(fields.len());
        for (name, value) in fields {
            if plain.insert(name.replace('_', "").to_ascii_lowercase(), value).is_some() {
                let sentence = format!("the message has {name} twice, perhaps written differently");
                return Err(Unreadable::new("payload_json", sentence));
            }
        }
        Ok(Self(plain))
    }

    /// The value under one of these plain names; the first is the one that a refusal names.
    fn find(&self, names: &[&'static str]) -> Result<&RawValue, Unreadable> {
        let found = names.iter().find_map(|name| self.0.get(*name));
        found.map(|value| &**value).ok_or_else(|| {
            let wanted = names.first().copied().unwrap_or_default();
            Unreadable::new("payload_json", format!("the message lacks {wanted}"))
        })
    }

    fn text(&self, names: &[&'static str]) -> Result<String, Unreadable> {
        parse(self.find(names)?)
    }

    fn account(&self, names: &[&'static str]) -> Result<AccountId, Unreadable> {
        AccountId::parse(&self.text(names)?).map_err(|broken| unfit(&broken))
    }

    fn money(&self, names: &[&'static str]) -> Result<Money, Unreadable> {
        Money::from_json_number_rounded(self.find(names)?.get()).map_err(|broken| unfit(&broken))
    }
}

fn parse<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Result<T, Unreadable> {
    serde_json::from_str(value.get()).map_err(|error| {
        Unreadable::new("payload_json", format!("the message is unreadable: {error}"))
    })
}

fn unfit(broken: &Violation) -> Unreadable {
    Unreadable::new(broken.code(), broken.message())
}

/// The payload of a message of that name.
fn payload(record: &InboundRecord, name: &str) -> Result<Box<RawValue>, Unreadable> {
    let message = Fields::of(read_payload(record)?)?;
    let named = message.text(&["name"])?;
    if named != name {
        let sentence = format!("{named:?} is no event of this topic, which has {name}");
        return Err(Unreadable::new("wallet_event_unknown", sentence));
    }
    Ok(message.find(&["payload"])?.to_owned())
}

/// Whether a record calls itself the opening of an account.
pub(super) fn is_account_created(record: &InboundRecord) -> bool {
    let fields = read_payload(record).and_then(Fields::of);
    fields.and_then(|it| it.text(&["name"])).is_ok_and(|name| name == ACCOUNT_CREATED)
}

/// Reads a record of the topic of balances: what two accounts have.
///
/// # Errors
/// `payload_missing` and `payload_json` for what is no such message, `wallet_event_unknown` for
/// one of another name, `wallet_account_twice` for two balances of one account, and the codes of
/// ids and amounts.
pub(super) fn balance_updated(record: &InboundRecord) -> Result<[ExternalWord; 2], Unreadable> {
    let payload = payload(record, "BalanceUpdated")?;
    let fields = Fields::of(parse(&payload)?)?;
    let place = RecordPlace {
        recorded_at: record.broker_time,
        partition: record.from.partition,
        offset: record.offset,
    };
    let said = |account: AccountId, balance: Money| {
        ExternalBalance::new(account, balance, place).map_err(|broken| unfit(&broken))
    };
    let from = said(
        fields.account(&["accountidfrom", "accountfromid"])?,
        fields.money(&["balanceaccountidfrom", "balanceaccountfrom", "balanceaccountfromid"])?,
    )?;
    let to = said(
        fields.account(&["accountidto", "accounttoid"])?,
        fields.money(&["balanceaccountidto", "balanceaccountto", "balanceaccounttoid"])?,
    )?;
    if from.account_id == to.account_id && from.balance() != to.balance() {
        let sentence = format!("it gives account {} two balances", from.account_id);
        return Err(Unreadable::new("wallet_account_twice", sentence));
    }
    Ok([from, to].map(ExternalWord::Balance))
}

/// Reads a record of the topic of accounts: one was opened. Its payload is the id, or an object
/// that has it.
///
/// # Errors
/// As [`balance_updated`].
pub(super) fn account_created(record: &InboundRecord) -> Result<ExternalWord, Unreadable> {
    let payload = payload(record, ACCOUNT_CREATED)?;
    let account_id = if payload.get().starts_with('{') {
        Fields::of(parse(&payload)?)?.account(&["id", "accountid"])?
    } else {
        let id: String = parse(&payload)?;
        AccountId::parse(&id).map_err(|broken| unfit(&broken))?
    };
    Ok(ExternalWord::Opened(ExternalAccount { account_id, since: record.broker_time }))
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::TopicPartition;
    use shared_kernel::domain::Timestamp;

    use super::*;
    use crate::domain::testing::account;

    const FROM: &str = "00000000-0000-0000-0000-000000000001";
    const TO: &str = "00000000-0000-0000-0000-000000000002";

    fn record(payload: &str) -> InboundRecord {
        InboundRecord {
            from: TopicPartition { topic: "balances".into(), partition: 3 },
            offset: 7,
            broker_time: Timestamp::from_millis(9).unwrap(),
            key: None,
            headers: Vec::new(),
            payload: Some(payload.as_bytes().to_vec()),
        }
    }

    fn said(payload: &str) -> Vec<(AccountId, i64)> {
        let words = balance_updated(&record(payload)).unwrap();
        let said = words.into_iter().filter_map(|word| match word {
            ExternalWord::Balance(said) => Some((said.account_id, said.balance().centavos())),
            ExternalWord::Opened(_) => None,
        });
        said.collect()
    }

    fn refused(payload: &str) -> &'static str {
        balance_updated(&record(payload)).unwrap_err().code
    }

    fn of(from: &str, to: &str) -> String {
        format!(
            "{{\"Name\":\"BalanceUpdated\",\"Payload\":{{\"account_id_from\":\"{FROM}\",\
             \"account_id_to\":\"{TO}\",\"balance_account_id_from\":{from},\
             \"balance_account_id_to\":{to}}}}}"
        )
    }

    #[test]
    fn the_original_message_is_read_with_its_place() {
        assert_eq!(said(&of("90", "110")), [(account(1), 9_000), (account(2), 11_000)]);
        let [word, _] = balance_updated(&record(&of("90", "110"))).unwrap();
        let ExternalWord::Balance(said) = word else { panic!("{word:?}") };
        let place = RecordPlace {
            recorded_at: Timestamp::from_millis(9).unwrap(),
            partition: 3,
            offset: 7,
        };
        assert_eq!(said.place, place);
    }

    #[test]
    fn every_variant_in_the_wild_is_read() {
        for payload in [
            format!(
                "{{\"name\":\"BalanceUpdated\",\"payload\":{{\"account_from_id\":\"{FROM}\",\
                 \"account_to_id\":\"{TO}\",\"balance_account_from\":90.5,\
                 \"balance_account_to\":110}}}}"
            ),
            format!(
                "{{\"Name\":\"BalanceUpdated\",\"DateTime\":\"2023\",\"Payload\":{{\
                 \"accountIdFrom\":\"{FROM}\",\"accountIdTo\":\"{TO}\",\
                 \"balanceAccountIdFrom\":90.50,\"balanceAccountIdTo\":110.0}}}}"
            ),
        ] {
            assert_eq!(said(&payload), [(account(1), 9_050), (account(2), 11_000)], "{payload}");
        }
    }

    #[test]
    fn leaking_floats_are_rounded_to_centavos() {
        let centavos = |from: &str| said(&of(from, "0"))[0].1;
        assert_eq!(centavos("1006.5699999999999"), 100_657);
        assert_eq!(centavos("0.30000000000000004"), 30);
        assert_eq!(centavos("1e2"), 10_000);
        assert_eq!(centavos("-0.0000000001"), 0);
        // Beyond what a float can tell apart.
        assert_eq!(centavos("90071992547409.93"), 9_007_199_254_740_993);
    }

    #[test]
    fn what_is_no_such_message_is_refused_with_its_reason() {
        assert_eq!(refused("{"), "payload_json");
        assert_eq!(refused("[]"), "payload_json");
        assert_eq!(refused(r#"{"Payload":{}}"#), "payload_json");
        assert_eq!(refused(r#"{"Name":"BalanceUpdated","Payload":"x"}"#), "payload_json");
        assert_eq!(refused(r#"{"Name":"Other","Payload":{}}"#), "wallet_event_unknown");
        assert_eq!(refused(&of("90", "110").replace(FROM, "one")), "account_id_shape");
        assert_eq!(refused(&of("\"90\"", "110")), "money_number_shape");
        assert_eq!(refused(&of("null", "110")), "money_number_shape");
        assert_eq!(refused(&of("-90", "110")), "funds_negative");
        assert_eq!(refused(&of("1e30", "110")), "money_overflow");
        assert_eq!(refused(&of("90", "110").replace(TO, FROM)), "wallet_account_twice");
        assert_eq!(said(&of("90", "90").replace(TO, FROM))[1], (account(1), 9_000));
        let tombstone = InboundRecord { payload: None, ..record("") };
        assert_eq!(balance_updated(&tombstone).unwrap_err().code, "payload_missing");
    }

    #[test]
    fn two_names_that_are_one_are_refused_and_never_chosen_from() {
        let one = of("90", "110");
        let also = |field: &str| {
            let first = format!("{{{field},\"account_id_from\"");
            one.replace("{\"account_id_from\"", &first)
        };
        assert_eq!(refused(&also(&format!("\"accountIdFrom\":\"{TO}\""))), "payload_json");
        assert_eq!(refused(&also("\"Balance_Account_Id_To\":1")), "payload_json");
        assert_eq!(refused(&also("\"balance_account_id_to\":1")), "payload_json");
        let named = one.replace("{\"Name\"", "{\"name\":\"Other\",\"Name\"");
        assert_eq!(refused(&named), "payload_json");
        assert_eq!(said(&also("\"more\":1")).len(), 2);
        let both = format!(r#"{{"ID":"{FROM}","id":"{TO}"}}"#);
        let twice = format!(r#"{{"Name":"AccountCreated","Payload":{both}}}"#);
        assert_eq!(account_created(&record(&twice)).unwrap_err().code, "payload_json");
    }

    #[test]
    fn an_opening_is_known_by_its_name() {
        let opened = format!(r#"{{"name":"AccountCreated","payload":"{FROM}"}}"#);
        assert!(is_account_created(&record(&opened)));
        assert!(!is_account_created(&record(&of("1", "1"))) && !is_account_created(&record("{")));
    }

    #[test]
    fn an_account_is_opened_by_its_id() {
        let since = Timestamp::from_millis(9).unwrap();
        let opened = Ok(ExternalWord::Opened(ExternalAccount { account_id: account(1), since }));
        for payload in [
            format!(r#"{{"Name":"AccountCreated","Payload":"{FROM}"}}"#),
            format!(r#"{{"name":"AccountCreated","payload":{{"ID":"{FROM}"}}}}"#),
            format!(r#"{{"name":"AccountCreated","payload":{{"account_id":"{FROM}"}}}}"#),
        ] {
            assert_eq!(account_created(&record(&payload)), opened, "{payload}");
        }
        let refused = |payload: &str| account_created(&record(payload)).unwrap_err().code;
        assert_eq!(refused(r#"{"Name":"AccountCreated","Payload":"one"}"#), "account_id_shape");
        assert_eq!(refused(r#"{"Name":"AccountCreated","Payload":7}"#), "payload_json");
        assert_eq!(refused(&of("1", "1")), "wallet_event_unknown");
    }
}
