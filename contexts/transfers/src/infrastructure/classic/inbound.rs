//! What bank programs write, read as leniently as their own hubs read it: names of fields in any
//! case, either name of the key's kind, fields that are missing. Amounts are read digit for digit.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{InboundRecord, Unreadable};
use shared_kernel::domain::AccountId;

use crate::application::outside::{OutsideMessage, OutsideOrder};
use crate::domain::OrderId;

/// Bytes of the largest order. What an order can say takes less than 1 KiB; what is larger is
/// kept nowhere but among the dead letters, and echoed to nobody.
const ORDER_BYTES_MAX: usize = 16 * 1024;

/// The fields of a message, by their names in lower case.
struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    fn read(record: &InboundRecord) -> Result<Self, Unreadable> {
        let fields: BTreeMap<String, Box<RawValue>> = read_payload(record)?;
        let lower = |(name, value): (String, Box<RawValue>)| (name.to_ascii_lowercase(), value);
        Ok(Self(fields.into_iter().map(lower).collect()))
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of a field; empty when it is missing or null. Of a number its digits.
    fn text(&self, name: &str) -> String {
        let raw = self.0.get(name).map_or("null", |value| value.get());
        match serde_json::from_str::<Option<String>>(raw) {
            Ok(text) => text.unwrap_or_default(),
            Err(_not_text) => raw.to_owned(),
        }
    }

    /// The first of these that is not empty.
    fn either(&self, names: [&str; 2]) -> String {
        let texts = names.map(|name| self.text(name));
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    fn id(&self) -> Result<OrderId, Unreadable> {
        OrderId::parse(self.text("id").trim())
            .map_err(|broken| Unreadable::new("order_id_shape", broken.message()))
    }

    /// Another protocol's: a name and a payload, on a topic of the same name.
    fn is_wallet_core(&self) -> bool {
        self.has("name") && self.has("payload")
    }
}

fn shape() -> Unreadable {
    Unreadable::new(
        "message_shape_unknown",
        "an order has an id and an accountId, a confirmation an id and a status",
    )
}

/// Understands a record of the topic of orders; `None` when it is another protocol's.
///
/// # Errors
/// `payload_missing`, `payload_json`, `message_shape_unknown`, `order_too_large`,
/// `order_id_shape`, `account_id_shape`, `status_unexpected`: what names no account can be answered
/// to nobody.
pub fn order(record: &InboundRecord) -> Result<Option<OutsideMessage>, Unreadable> {
    let fields = Fields::read(record)?;
    if fields.is_wallet_core() {
        return Ok(None);
    }
    if record.payload.as_ref().is_some_and(|payload| payload.len() > ORDER_BYTES_MAX) {
        let sentence = "an order has at most 16 KiB, and this one has more";
        return Err(Unreadable::new("order_too_large", sentence));
    }
    if !(fields.has("id") && fields.has("accountid")) {
        return Err(shape());
    }
    let account_id = AccountId::parse(fields.text("accountid").trim())
        .map_err(|broken| Unreadable::new("account_id_shape", broken.message()))?;
    // Programs say what they like of a new order; what they say of later steps is no order.
    let status = fields.text("status").trim().to_ascii_lowercase();
    if matches!(status.as_str(), "confirmed" | "completed" | "error") {
        let sentence = "an order has no status yet, and this one is about another step";
        return Err(Unreadable::new("status_unexpected", sentence));
    }
    Ok(Some(OutsideMessage::Order(Box::new(OutsideOrder {
        order_id: fields.id()?,
        account_id,
        amount: fields.text("amount").trim().to_owned(),
        key: fields.text("pixkeyto").trim().to_owned(),
        kind: fields.either(["pixkeykindto", "pixkeytokind"]).trim().to_owned(),
        description: fields.text("description"),
    }))))
}

/// Understands a record of the topic of confirmations.
///
/// # Errors
/// `payload_missing`, `payload_json`, `message_shape_unknown`, `order_id_shape`, `status_unknown`.
pub fn confirmation(record: &InboundRecord) -> Result<OutsideMessage, Unreadable> {
    let fields = Fields::read(record)?;
    if !(fields.has("id") && fields.has("status")) {
        return Err(shape());
    }
    let id = fields.id()?;
    match fields.text("status").trim().to_ascii_lowercase().as_str() {
        "confirmed" => Ok(OutsideMessage::Credited(id)),
        "completed" => Ok(OutsideMessage::Completed(id)),
        other => {
            let length = other.chars().count();
            let sentence = format!(
                "the status of a confirmation is confirmed or completed, and this one has another \
                 of {length} characters"
            );
            Err(Unreadable::new("status_unknown", sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::TopicPartition;
    use shared_kernel::domain::Timestamp;

    use super::*;

    const ID: &str = "b3b6f0a0-6f1e-4a0e-9a35-6a1f0f6f2f10";
    const ACCOUNT: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";

    fn record(body: Option<&str>) -> InboundRecord {
        InboundRecord {
            from: TopicPartition { topic: "transactions".into(), partition: 0 },
            offset: 0,
            broker_time: Timestamp::EPOCH,
            key: None,
            headers: vec![],
            payload: body.map(|body| body.as_bytes().to_vec()),
        }
    }

    fn ordered(body: &str) -> OutsideOrder {
        match order(&record(Some(body))).unwrap() {
            Some(OutsideMessage::Order(order)) => *order,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_order_is_read_in_whatever_case_and_with_either_name_of_the_kind() {
        let whole = format!(
            r#"{{"id":"{ID}","accountId":"{ACCOUNT}","amount":100.50,"pixKeyTo":"a@b.com",
                "pixKeyKindTo":"email","description":"rent","status":"","error":""}}"#
        );
        let expected = OutsideOrder {
            order_id: OrderId::parse(ID).unwrap(),
            account_id: AccountId::parse(ACCOUNT).unwrap(),
            amount: "100.50".into(),
            key: "a@b.com".into(),
            kind: "email".into(),
            description: "rent".into(),
        };
        assert_eq!(ordered(&whole), expected);
        let lower = format!(
            r#"{{"ID":"{}","accountid":"{ACCOUNT}","AMOUNT":1e2,"pixkeyto":"a@b.com",
                "pixKeyToKind":"email","status":"pending","more":[1]}}"#,
            ID.to_uppercase()
        );
        let bare = OutsideOrder { amount: "1e2".into(), description: String::new(), ..expected };
        assert_eq!(ordered(&lower), bare);
    }

    #[test]
    fn what_is_missing_is_empty_and_left_to_be_judged() {
        let body = format!(r#"{{"id":"{ID}","accountId":"{ACCOUNT}","description":null}}"#);
        let OutsideOrder { amount, key, kind, description, .. } = ordered(&body);
        assert_eq!([amount, key, kind, description], [""; 4]);
    }

    #[test]
    fn amounts_never_pass_through_a_float() {
        for amount in ["0.1", "9999999999.99", "1006.5699999999999", "-1", "\"12.34\""] {
            let body = format!(r#"{{"id":"{ID}","accountId":"{ACCOUNT}","amount":{amount}}}"#);
            assert_eq!(ordered(&body).amount, amount.trim_matches('"'));
        }
    }

    #[test]
    fn an_order_of_a_megabyte_is_set_aside() {
        let of = |length: usize| {
            let head = format!(r#"{{"id":"{ID}","accountId":"{ACCOUNT}","description":""#);
            let filling = "x".repeat(length - head.len() - 2);
            order(&record(Some(&format!("{head}{filling}\"}}"))))
        };
        assert!(of(ORDER_BYTES_MAX).is_ok());
        for length in [ORDER_BYTES_MAX + 1, 1_000_000] {
            assert_eq!(of(length).unwrap_err().code, "order_too_large");
        }
    }

    #[test]
    fn the_other_protocol_of_the_topic_is_left_alone() {
        for body in [
            r#"{"Name":"TransactionCreated","Payload":{"id":"1","account_id_from":"a"}}"#,
            r#"{"name":"TransactionCreated","payload":{}}"#,
        ] {
            assert_eq!(order(&record(Some(body))), Ok(None));
        }
    }

    #[test]
    fn garbage_is_named() {
        let order_code = |body: Option<&str>| order(&record(body)).unwrap_err().code;
        assert_eq!(order_code(None), "payload_missing");
        for body in ["", "{", "[]", "7", "null", "\"x\""] {
            assert_eq!(order_code(Some(body)), "payload_json", "{body}");
        }
        assert_eq!(order_code(Some("{}")), "message_shape_unknown");
        assert_eq!(order_code(Some(r#"{"id":"1","accountId":"1"}"#)), "account_id_shape");
        let no_id = format!(r#"{{"id":"1","accountId":"{ACCOUNT}"}}"#);
        assert_eq!(order_code(Some(&no_id)), "order_id_shape");
        let of = |status: &str| {
            let id = format!(r#""id":"{ID}","accountId":"{ACCOUNT}""#);
            order(&record(Some(&format!(r#"{{{id},"status":{status}}}"#))))
        };
        for late in ["\"confirmed\"", "\" Completed \"", "\"ERROR\""] {
            assert_eq!(of(late).unwrap_err().code, "status_unexpected", "{late}");
        }
        for early in ["\"\"", "\" Pending\"", "\"created\"", "\"new\"", "null", "0", "{}"] {
            assert!(matches!(of(early), Ok(Some(OutsideMessage::Order(_)))), "{early}");
        }
    }

    #[test]
    fn a_confirmation_needs_an_id_and_a_status_and_nothing_else() {
        let id = OrderId::parse(ID).unwrap();
        let read = |body: &str| confirmation(&record(Some(body)));
        let of = |status: &str| read(&format!(r#"{{"id":"{ID}","status":{status}}}"#));
        assert_eq!(of("\"confirmed\""), Ok(OutsideMessage::Credited(id)));
        assert_eq!(of("\"Completed\""), Ok(OutsideMessage::Completed(id)));
        for status in ["\"error\"", "null", "\"pending\"", "7"] {
            assert_eq!(of(status).unwrap_err().code, "status_unknown", "{status}");
        }
        assert_eq!(read("{}").unwrap_err().code, "message_shape_unknown");
    }
}
