//! What the hub tells the others: its published language. Types change only by a new version
//! beside the old.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{
    AccountId, Amount, BankCode, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp,
};

use crate::application::ports::{Notice, SavedParticipant};
use crate::domain::{
    Description, OwnerName, Participant, ParticipantEvent, ParticipantName, Party, PayeeKey, Side,
    Standing, Transfer, TransferState,
};

/// Everything that happens to transfers.
pub const TRANSFERS: &str = "codepix.transfers";

/// Who takes part.
pub const PARTICIPANTS: &str = "codepix.transfers.participants";

/// The topic that one bank alone reads.
pub fn bank_topic(bank: Ispb) -> String {
    format!("codepix.bank.{bank}")
}

/// One end of a transfer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PartyV1<'a> {
    /// Its bank.
    pub ispb: Ispb,
    /// Its account there.
    pub account_id: AccountId,
    /// Who owns the account.
    pub owner_name: &'a OwnerName,
    /// The owner's CPF or CNPJ.
    pub owner_tax_id: TaxId,
}

impl<'a> From<&'a Party> for PartyV1<'a> {
    fn from(party: &'a Party) -> Self {
        Self {
            ispb: party.ispb,
            account_id: party.account_id,
            owner_name: &party.owner_name,
            owner_tax_id: party.owner_tax_id,
        }
    }
}

/// Declares the events of transfers, which all carry the whole state.
macro_rules! transfer_events {
    ($($(#[$meta:meta])* $type:ident = $name:literal;)+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $type<'a> {
                /// Identity of the transfer.
                pub end_to_end_id: EndToEndId,
                /// Where it stands.
                pub state: TransferState,
                /// How much.
                pub amount: Amount,
                /// Who pays.
                pub payer: PartyV1<'a>,
                /// Who is paid.
                pub payee: PartyV1<'a>,
                /// The key that was paid to.
                pub payee_key: &'a PayeeKey,
                /// What the payer wrote; may be empty.
                pub description: &'a Description,
                /// Why it was rejected or has expired.
                pub reason_code: Option<ReasonCode>,
                /// When the hub took the order.
                pub registered_at: Timestamp,
                /// Until when the payee's bank may accept.
                pub deadline: Timestamp,
                /// When it was settled.
                pub confirmed_at: Option<Timestamp>,
                /// When it was completed or rejected or has expired.
                pub finished_at: Option<Timestamp>,
                /// Version of the transfer, one more with each event.
                pub version: i64,
                /// Whether the payer's bank has posted it.
                pub payer_reported: bool,
                /// Whether the payee's bank has posted it.
                pub payee_reported: bool,
                /// What the hub knows of the payer's posting when it is completed: `received`, its
                /// bank reported it; `none`, its bank had debited before it ordered and did not
                /// report. Null before.
                #[schemars(extend("enum" = ["received", "none", null]))]
                pub payer_report: Option<&'static str>,
                /// Since when it is pending past its deadline, though the payee's bank may have
                /// credited.
                pub overdue_at: Option<Timestamp>,
            }

            impl<'a> $type<'a> {
                /// `ce_type` of the event.
                pub const EVENT_TYPE: &'static str = concat!("codepix.transfers.", $name, ".v1");

                fn of(transfer: &'a Transfer, standing: &Standing) -> Self {
                    let (order, terms) = (transfer.order(), transfer.terms());
                    Self {
                        end_to_end_id: order.end_to_end_id,
                        state: standing.state,
                        amount: order.amount,
                        payer: (&order.payer).into(),
                        payee: (&order.payee).into(),
                        payee_key: &order.payee_key,
                        description: &order.description,
                        reason_code: standing.reason,
                        registered_at: terms.registered_at,
                        deadline: terms.deadline,
                        confirmed_at: standing.confirmed_at,
                        finished_at: standing.finished_at,
                        version: standing.version,
                        payer_reported: standing.payer_reported,
                        payee_reported: standing.payee_reported,
                        payer_report: payer_report(standing),
                        overdue_at: standing.overdue_at,
                    }
                }
            }
        )+
    };
}

transfer_events! {
    /// An order is stored, and the payee's bank is asked.
    TransferPendingV1 = "TransferPending";
    /// The payee's bank may have credited, has not said so, and the deadline has passed: the
    /// transfer stays pending until that bank or an operator says more.
    TransferOverdueV1 = "TransferOverdue";
    /// The transfer is settled and final: the banks post it.
    TransferConfirmedV1 = "TransferConfirmed";
    /// Both banks have posted it.
    TransferCompletedV1 = "TransferCompleted";
    /// The hub or the payee's bank refused it.
    TransferRejectedV1 = "TransferRejected";
    /// It was not accepted in time.
    TransferExpiredV1 = "TransferExpired";
}

fn payer_report(standing: &Standing) -> Option<&'static str> {
    let is_completed = standing.state == TransferState::Completed;
    is_completed.then_some(if standing.payer_reported { "received" } else { "none" })
}

/// Declares the events of participants, which all carry the whole participant.
macro_rules! participant_events {
    ($($(#[$meta:meta])* $type:ident = $name:literal;)+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $type<'a> {
                /// Its identity in the payment system.
                pub ispb: Ispb,
                /// The short code that people know.
                pub code: &'a BankCode,
                /// Its name.
                pub name: &'a ParticipantName,
                /// How the hub talks to it.
                #[schemars(extend("enum" = ["native", "classic"]))]
                pub protocol: &'static str,
                /// Most that it may owe; no limit when null.
                pub position_limit: Option<Money>,
                /// Since when it takes part.
                pub enrolled_at: Timestamp,
            }

            impl<'a> $type<'a> {
                /// `ce_type` of the event.
                pub const EVENT_TYPE: &'static str = concat!("codepix.transfers.", $name, ".v1");
            }

            impl<'a> From<&'a Participant> for $type<'a> {
                fn from(participant: &'a Participant) -> Self {
                    Self {
                        ispb: participant.ispb,
                        code: &participant.code,
                        name: &participant.name,
                        protocol: participant.protocol.as_str(),
                        position_limit: participant.position_limit,
                        enrolled_at: participant.enrolled_at,
                    }
                }
            }
        )+
    };
}

participant_events! {
    /// A bank takes part from now on.
    ParticipantEnrolledV1 = "ParticipantEnrolled";
    /// A bank has another name, protocol or limit.
    ParticipantChangedV1 = "ParticipantChanged";
}

/// An event type with its topic and the schema of its body.
#[derive(Debug)]
pub struct PublishedType {
    /// `ce_type`.
    pub event_type: &'static str,
    /// The topic of record; banks get copies of transfer events on their own.
    pub topic: &'static str,
    /// Schema of the JSON body.
    pub schema: Schema,
}

/// Every event type that the hub publishes.
pub fn published_types() -> Vec<PublishedType> {
    macro_rules! types {
        ($($topic:ident: $($type:ident),+;)+) => {
            vec![$($(PublishedType {
                event_type: $type::EVENT_TYPE,
                topic: $topic,
                schema: schema_for!($type<'static>),
            }),+),+]
        };
    }
    types! {
        TRANSFERS: TransferPendingV1, TransferOverdueV1, TransferConfirmedV1, TransferCompletedV1,
            TransferRejectedV1, TransferExpiredV1;
        PARTICIPANTS: ParticipantEnrolledV1, ParticipantChangedV1;
    }
}

/// Bytes that most bodies fit into.
const BODY_BYTES: usize = 1_024;

fn encode(event: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::with_capacity(BODY_BYTES);
    serde_json::to_writer(&mut body, event)
        .map_err(|error| StoreError::Rejected(format!("an event has no JSON: {error}")))?;
    Ok(body)
}

/// The event of a notice: one record, a copy on each topic of its audience.
///
/// # Errors
/// [`StoreError::Rejected`] when it has no JSON.
pub fn transfer_event(transfer: &Transfer, notice: &Notice) -> Result<Published, StoreError> {
    let Notice { standing, audience, trace } = notice;
    macro_rules! body {
        ($type:ident) => {
            ($type::EVENT_TYPE, encode(&$type::of(transfer, standing))?)
        };
    }
    let (event_type, payload) = match standing.state {
        TransferState::Pending if standing.overdue_at.is_some() => body!(TransferOverdueV1),
        TransferState::Pending => body!(TransferPendingV1),
        TransferState::Confirmed => body!(TransferConfirmedV1),
        TransferState::Completed => body!(TransferCompletedV1),
        TransferState::Rejected => body!(TransferRejectedV1),
        TransferState::Expired => body!(TransferExpiredV1),
    };
    let mut topics = Vec::with_capacity(3);
    if audience.everyone {
        topics.push(TRANSFERS.to_owned());
    }
    if audience.payer {
        topics.push(bank_topic(transfer.bank(Side::Payer)));
    }
    if audience.payee {
        topics.push(bank_topic(transfer.bank(Side::Payee)));
    }
    Ok(Published {
        topics,
        event_type,
        subject: transfer.order().end_to_end_id.to_string(),
        aggregate_version: standing.version,
        trace: trace.clone(),
        payload,
    })
}

/// The event of a participant.
///
/// # Errors
/// [`StoreError::Rejected`] when it has no JSON.
pub fn participant_event(saved: &SavedParticipant) -> Result<Published, StoreError> {
    let SavedParticipant { participant, event, trace } = saved;
    let (event_type, payload) = match event {
        ParticipantEvent::Enrolled => {
            (ParticipantEnrolledV1::EVENT_TYPE, encode(&ParticipantEnrolledV1::from(participant))?)
        }
        ParticipantEvent::Changed { .. } => {
            (ParticipantChangedV1::EVENT_TYPE, encode(&ParticipantChangedV1::from(participant))?)
        }
    };
    Ok(Published {
        topics: vec![PARTICIPANTS.to_owned()],
        event_type,
        subject: participant.ispb.to_string(),
        aggregate_version: participant.version,
        trace: trace.clone(),
        payload,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::application::ports::Audience;
    use crate::application::testing::trace;
    use crate::domain::TransferEvent;
    use crate::domain::testing::{PAYER_BANK, at, native, order, pending};

    fn told(transfer: &Transfer, audience: Audience) -> (Published, Value) {
        let notice = Notice { standing: *transfer.standing(), audience, trace: trace(1) };
        let published = transfer_event(transfer, &notice).unwrap();
        let body = serde_json::from_slice(&published.payload).unwrap();
        (published, body)
    }

    #[test]
    fn an_event_carries_the_whole_state() {
        let mut transfer = pending(1);
        transfer.apply(TransferEvent::Confirmed { at: at(1) });
        let audience = Audience { everyone: true, payer: true, payee: true };
        let (published, body) = told(&transfer, audience);
        assert_eq!(published.event_type, "codepix.transfers.TransferConfirmed.v1");
        assert_eq!(
            published.topics,
            ["codepix.transfers", "codepix.bank.00000001", "codepix.bank.00000002"]
        );
        assert_eq!(published.subject, order(1).end_to_end_id.as_str());
        assert_eq!(published.aggregate_version, 2);
        let party = |bank: &str, tax_id: &str, last: u8| {
            json!({
                "ispb": bank, "account_id": format!("00000000-0000-0000-0000-0000000000{last:x}"),
                "owner_name": "Someone", "owner_tax_id": tax_id,
            })
        };
        let expected = json!({
            "end_to_end_id": order(1).end_to_end_id,
            "state": "confirmed",
            "amount": { "amount": "1.00", "currency": "BRL" },
            "payer": party("00000001", "52998224725", b'1'),
            "payee": party("00000002", "11144477735", b'2'),
            "payee_key": "someone@example.com",
            "description": "",
            "reason_code": null,
            "registered_at": "2026-11-20T12:00:00.000000Z",
            "deadline": "2026-11-20T12:00:40.000000Z",
            "confirmed_at": "2026-11-20T12:00:01.000000Z",
            "finished_at": null,
            "version": 2,
            "payer_reported": false,
            "payee_reported": false,
            "payer_report": null,
            "overdue_at": null,
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn each_state_has_its_event_and_each_ear_its_topic() {
        let (pending_event, body) =
            told(&pending(1), Audience { payee: true, ..Audience::default() });
        assert_eq!(pending_event.event_type, "codepix.transfers.TransferPending.v1");
        assert_eq!(pending_event.topics, ["codepix.bank.00000002"]);
        assert_eq!((&body["version"], &body["state"]), (&json!(1), &json!("pending")));

        let mut expired = pending(1);
        expired.apply(TransferEvent::Expired { at: at(41) });
        let (event, body) = told(&expired, Audience { payer: true, ..Audience::default() });
        assert_eq!(event.event_type, "codepix.transfers.TransferExpired.v1");
        assert_eq!(event.topics, ["codepix.bank.00000001"]);
        assert_eq!((&body["reason_code"], &body["state"]), (&json!("AB03"), &json!("expired")));
    }

    #[test]
    fn a_bank_is_told_with_its_limit() {
        let position_limit = Some(Money::from_centavos(150));
        let participant = Participant { position_limit, ..native(PAYER_BANK) };
        let event = ParticipantEvent::Enrolled;
        let saved = SavedParticipant { participant, event, trace: trace(1) };
        let published = participant_event(&saved).unwrap();
        assert_eq!(published.event_type, "codepix.transfers.ParticipantEnrolled.v1");
        assert_eq!(published.topics, ["codepix.transfers.participants"]);
        let body: Value = serde_json::from_slice(&published.payload).unwrap();
        let expected = json!({
            "ispb": "00000001", "code": "1", "name": "Bank", "protocol": "native",
            "position_limit": { "amount": "1.50", "currency": "BRL" },
            "enrolled_at": "2026-11-20T12:00:00.000000Z",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn every_type_has_a_schema_that_requires_its_fields() {
        let types = published_types();
        assert_eq!(types.len(), 8);
        for PublishedType { event_type, schema, .. } in types {
            let schema = serde_json::to_value(schema).unwrap();
            assert_eq!(schema["type"], "object", "{event_type}");
            assert!(schema["required"].as_array().unwrap().len() >= 5, "{schema}");
        }
    }
}
