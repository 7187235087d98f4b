//! What the hub reads of Banking's events, and nothing more of them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{Envelope, InboundRecord, Unreadable};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, ReasonCode, TaxId};

use crate::application::message::{
    BankMessage, TransferAccepted, TransferRefused, TransferRequested, TransferSettled,
};
use crate::domain::{Description, Order, OwnerName, Party, PayeeKey};
use crate::infrastructure::NAME;

/// The topic on which banks speak to the hub.
pub const BANK_MESSAGES: &str = "codepix.banking.transfers";

/// The consumer of bank messages: group, and name of the stored offsets.
pub const CONSUMER: &str = "codepix.transfers";

/// What the clearing makes of a record.
pub const READER: Reader = Reader {
    context: NAME,
    consumer: CONSUMER,
    channels: &[BANK_MESSAGES],
    knows: &[REQUESTED, ACCEPTED, REFUSED, SETTLED_BY_PAYEE, SETTLED_BY_PAYER],
    read: |record| message(record, &Envelope::read(record)?).map(|_message| true),
};

const REQUESTED: &str = "codepix.banking.TransferRequested.v1";
const ACCEPTED: &str = "codepix.banking.TransferAccepted.v1";
const REFUSED: &str = "codepix.banking.TransferRefused.v1";
const SETTLED_BY_PAYEE: &str = "codepix.banking.TransferSettledByPayee.v1";
const SETTLED_BY_PAYER: &str = "codepix.banking.TransferSettledByPayer.v1";

#[derive(Deserialize)]
pub(super) struct PartyV1 {
    ispb: Ispb,
    account_id: AccountId,
    owner_name: OwnerName,
    owner_tax_id: TaxId,
}

#[derive(Deserialize)]
struct TransferRequestedV1 {
    end_to_end_id: EndToEndId,
    ispb: Ispb,
    payer: PartyV1,
    payee: PartyV1,
    payee_key: PayeeKey,
    #[serde(default)]
    payee_key_registered_as: Option<PayeeKey>,
    amount: Amount,
    #[serde(default)]
    description: Option<Description>,
}

#[derive(Deserialize)]
struct TransferAcceptedV1 {
    end_to_end_id: EndToEndId,
    ispb: Ispb,
}

#[derive(Deserialize)]
struct TransferRefusedV1 {
    end_to_end_id: EndToEndId,
    ispb: Ispb,
    reason_code: ReasonCode,
}

#[derive(Deserialize)]
struct TransferSettledV1 {
    end_to_end_id: EndToEndId,
    ispb: Ispb,
}

impl From<PartyV1> for Party {
    fn from(party: PartyV1) -> Self {
        let PartyV1 { ispb, account_id, owner_name, owner_tax_id } = party;
        Self { ispb, account_id, owner_name, owner_tax_id }
    }
}

impl From<TransferRequestedV1> for BankMessage {
    fn from(event: TransferRequestedV1) -> Self {
        let order = Order {
            end_to_end_id: event.end_to_end_id,
            payer: event.payer.into(),
            payee: event.payee.into(),
            payee_key: event.payee_key,
            amount: event.amount,
            description: event.description.unwrap_or_default(),
        };
        Self::Requested(Box::new(TransferRequested {
            sender: event.ispb,
            order,
            registered_as: event.payee_key_registered_as,
            reference: None,
        }))
    }
}

impl From<TransferAcceptedV1> for BankMessage {
    fn from(event: TransferAcceptedV1) -> Self {
        let TransferAcceptedV1 { end_to_end_id, ispb } = event;
        Self::Accepted(TransferAccepted { sender: ispb, end_to_end_id })
    }
}

impl From<TransferRefusedV1> for BankMessage {
    fn from(event: TransferRefusedV1) -> Self {
        let TransferRefusedV1 { end_to_end_id, ispb, reason_code } = event;
        Self::Refused(TransferRefused { sender: ispb, end_to_end_id, reason: reason_code })
    }
}

fn read<T: DeserializeOwned + Into<BankMessage>>(
    record: &InboundRecord,
) -> Result<BankMessage, Unreadable> {
    Ok(read_payload::<T>(record)?.into())
}

fn read_report(
    record: &InboundRecord,
    message: fn(TransferSettled) -> BankMessage,
) -> Result<BankMessage, Unreadable> {
    let TransferSettledV1 { end_to_end_id, ispb } = read_payload(record)?;
    Ok(message(TransferSettled { sender: ispb, end_to_end_id }))
}

/// Understands a record.
///
/// # Errors
/// `event_type_unknown`; `payload_missing`, `payload_json`; `key_mismatch` when the record is not
/// in the order of its transfer.
pub fn message(record: &InboundRecord, envelope: &Envelope) -> Result<BankMessage, Unreadable> {
    let message = match envelope.event_type.as_str() {
        REQUESTED => read::<TransferRequestedV1>(record)?,
        ACCEPTED => read::<TransferAcceptedV1>(record)?,
        REFUSED => read::<TransferRefusedV1>(record)?,
        SETTLED_BY_PAYEE => read_report(record, BankMessage::SettledByPayee)?,
        SETTLED_BY_PAYER => read_report(record, BankMessage::SettledByPayer)?,
        other => {
            let sentence = format!("the hub does not know events of type {other}");
            return Err(Unreadable::new("event_type_unknown", sentence));
        }
    };
    let id = message.end_to_end_id();
    if record.key.as_deref() == Some(id.as_str().as_bytes()) {
        Ok(message)
    } else {
        let sentence = format!("the record about {id} has another key, so it may be out of order");
        Err(Unreadable::new("key_mismatch", sentence))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared_kernel::application::TopicPartition;
    use shared_kernel::domain::Timestamp;

    use super::*;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, ispb, order};

    const ACCOUNT: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";

    fn record(kind: &str, body: &Value) -> InboundRecord {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        InboundRecord {
            from: TopicPartition { topic: BANK_MESSAGES.into(), partition: 3 },
            offset: 1,
            broker_time: Timestamp::EPOCH,
            key: Some(order(1).end_to_end_id.as_str().as_bytes().to_vec()),
            headers: vec![
                header("ce_specversion", "1.0"),
                header("ce_id", "01930000-0000-7000-8000-000000000000"),
                header("ce_type", &format!("codepix.banking.{kind}.v1")),
                header("ce_source", "/codepix/banking"),
                header("ce_time", "2026-11-20T12:00:00Z"),
                header("ce_subject", order(1).end_to_end_id.as_str()),
                header("ce_aggregateversion", "1"),
            ],
            payload: Some(body.to_string().into_bytes()),
        }
    }

    fn understood(record: &InboundRecord) -> Result<BankMessage, Unreadable> {
        message(record, &Envelope::read(record)?)
    }

    fn requested() -> Value {
        let party = |bank: &str, tax_id: &str| {
            json!({
                "ispb": bank, "account_id": ACCOUNT,
                "owner_name": "Someone", "owner_tax_id": tax_id,
            })
        };
        json!({
            "end_to_end_id": order(1).end_to_end_id, "ispb": PAYER_BANK,
            "payer": party(PAYER_BANK, "52998224725"), "payee": party(PAYEE_BANK, "11144477735"),
            "payee_key": "someone@example.com",
            "payee_key_registered_as": "Someone@Example.com",
            "amount": { "amount": "1.00", "currency": "BRL" },
            "description": "rent", "requested_at": "2026-11-20T12:00:00Z", "new_field": 1,
        })
    }

    fn signal(more: &[(&str, Value)]) -> Value {
        let mut body = json!({ "end_to_end_id": order(1).end_to_end_id, "ispb": PAYEE_BANK });
        for (name, value) in more {
            body[*name] = value.clone();
        }
        body
    }

    #[test]
    fn an_order_is_read_whole() {
        let BankMessage::Requested(message) =
            understood(&record("TransferRequested", &requested())).unwrap()
        else {
            panic!("not an order");
        };
        assert_eq!(message.sender, ispb(PAYER_BANK));
        let account_id = AccountId::parse(ACCOUNT).unwrap();
        let mut expected = order(1);
        expected.payer.account_id = account_id;
        expected.payee.account_id = account_id;
        expected.description = Description::parse("rent").unwrap();
        assert_eq!(message.order, expected);
        let registered_as = PayeeKey::parse("Someone@Example.com").unwrap();
        assert_eq!(message.registered_as, Some(registered_as));
    }

    #[test]
    fn a_description_may_be_missing_or_null() {
        for edit in [
            |body: &mut Value| body["description"] = Value::Null,
            |body: &mut Value| {
                body.as_object_mut().unwrap().remove("description");
            },
        ] {
            let mut body = requested();
            edit(&mut body);
            let message = understood(&record("TransferRequested", &body)).unwrap();
            let BankMessage::Requested(message) = message else { panic!("not an order") };
            assert_eq!(message.order.description.as_str(), "");
        }
    }

    #[test]
    fn the_other_events_are_read_by_their_type() {
        let end_to_end_id = order(1).end_to_end_id;
        let sender = ispb(PAYEE_BANK);
        let settled = TransferSettled { sender, end_to_end_id };
        let refused = TransferRefused { sender, end_to_end_id, reason: ReasonCode::Ac03 };
        let accepted = TransferAccepted { sender, end_to_end_id };
        let account = ("account_id", json!(ACCOUNT));
        let cases = [
            (
                "TransferAccepted",
                signal(std::slice::from_ref(&account)),
                BankMessage::Accepted(accepted),
            ),
            (
                "TransferRefused",
                signal(&[("reason_code", json!("AC03"))]),
                BankMessage::Refused(refused),
            ),
            (
                "TransferSettledByPayee",
                signal(&[account.clone(), ("unapplied", json!(false))]),
                BankMessage::SettledByPayee(settled),
            ),
            ("TransferSettledByPayer", signal(&[account]), BankMessage::SettledByPayer(settled)),
        ];
        for (kind, body, expected) in cases {
            assert_eq!(understood(&record(kind, &body)).unwrap(), expected, "{kind}");
        }
    }

    #[test]
    fn anything_else_is_unreadable() {
        let code = |record: &InboundRecord| understood(record).unwrap_err().code;
        let whole = record("TransferAccepted", &signal(&[]));
        assert_eq!(code(&InboundRecord { payload: None, ..whole.clone() }), "payload_missing");
        assert_eq!(code(&InboundRecord { key: None, ..whole.clone() }), "key_mismatch");
        assert_eq!(code(&InboundRecord { headers: vec![], ..whole }), "envelope_header");
        assert_eq!(code(&record("TransferUndone", &signal(&[]))), "event_type_unknown");
        let unknown_reason = signal(&[("reason_code", json!("XX99"))]);
        assert_eq!(code(&record("TransferRefused", &unknown_reason)), "payload_json");
        let edits: [(&str, Value); 6] = [
            ("amount", json!(1.00)),
            ("amount", json!({ "amount": "0.00", "currency": "BRL" })),
            ("end_to_end_id", json!("E1")),
            ("payee_key", json!("")),
            ("payer", json!(null)),
            ("description", json!("x".repeat(141))),
        ];
        for (field, value) in edits {
            let mut body = requested();
            body[field] = value;
            assert_eq!(code(&record("TransferRequested", &body)), "payload_json", "{field}");
        }
    }
}
