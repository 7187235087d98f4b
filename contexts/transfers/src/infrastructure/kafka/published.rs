//! What the hub tells the others: its published language. Types change only by a new version
//! beside the old.

use schemars::JsonSchema;
use serde::Serialize;
use shared_kernel::application::catalogue::{Channel, Retention, Topic};
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{
    AccountId, Amount, BankCode, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp,
};

use crate::application::ports::{Notice, SavedParticipant};
use crate::domain::{
    Description, OrderId, OwnerName, Participant, ParticipantEvent, ParticipantName, Party,
    PayeeKey, Side, Standing, Transfer, TransferState,
};

use super::examples;
use crate::infrastructure::classic::published::{
    BANK_PROGRAMS, BankProgramConfirmed, BankProgramOrdered, BankProgramTold, CONFIRMATIONS,
    DELIVERED, HandOverMarked, ORDERS,
};

/// `ce_source` of the hub's events.
pub const SOURCE: &str = "/codepix/transfers";

/// Everything that happens to transfers.
pub const TRANSFERS: Channel = Channel::new("codepix.transfers", "EndToEndId of the transfer");

/// Who takes part.
pub const PARTICIPANTS: Channel =
    Channel::new("codepix.transfers.participants", "ISPB of the participant");

/// The topics that one bank alone reads.
pub const BANKS: Channel = Channel::new("codepix.bank.{ispb}", "EndToEndId of the transfer")
    .partitions(2)
    .kept(Retention::Days30);

/// The topic that one bank alone reads.
pub fn bank_topic(bank: Ispb) -> Topic {
    BANKS.topic_of(bank)
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
    ($($(#[$meta:meta])* $type:ident;)+) => {
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
                /// Under which id existing bank programs know it; null where none takes part.
                pub order_id: Option<OrderId>,
            }

            impl<'a> $type<'a> {
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
                        order_id: transfer.ends().order_id,
                    }
                }
            }
        )+
    };
}

transfer_events! {
    /// An order is stored, and the payee's bank is asked.
    TransferPendingV1;
    /// The payee's bank may have credited, has not said so, and the deadline has passed: the
    /// transfer stays pending until that bank or an operator says more.
    TransferOverdueV1;
    /// The transfer is settled and final: the banks post it.
    TransferConfirmedV1;
    /// Both banks have posted it.
    TransferCompletedV1;
    /// The hub or the payee's bank refused it.
    TransferRejectedV1;
    /// It was not accepted in time.
    TransferExpiredV1;
}

fn payer_report(standing: &Standing) -> Option<&'static str> {
    let is_completed = standing.state == TransferState::Completed;
    is_completed.then_some(if standing.payer_reported { "received" } else { "none" })
}

/// Declares the events of participants, which all carry the whole participant.
macro_rules! participant_events {
    ($($(#[$meta:meta])* $type:ident;)+) => {
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
    ParticipantEnrolledV1;
    /// A bank has another name, protocol or limit.
    ParticipantChangedV1;
}

shared_kernel::events! {
    /// What the hub publishes, and what existing bank programs write to it.
    pub registry Hub of "transfers", source SOURCE, types "codepix.transfers.";
    TransferPendingV1<'_> = "TransferPending" (1, 2) on [TRANSFERS, BANKS],
        example examples::pending;
    TransferOverdueV1<'_> = "TransferOverdue" (1, 1) on [TRANSFERS, BANKS],
        example examples::overdue;
    TransferConfirmedV1<'_> = "TransferConfirmed" (1, 2) on [TRANSFERS, BANKS],
        example examples::confirmed;
    TransferCompletedV1<'_> = "TransferCompleted" (1, 2) on [TRANSFERS, BANKS],
        example examples::completed;
    TransferRejectedV1<'_> = "TransferRejected" (1, 2) on [TRANSFERS, BANKS],
        example examples::rejected;
    TransferExpiredV1<'_> = "TransferExpired" (1, 2) on [TRANSFERS, BANKS],
        example examples::expired;
    ParticipantEnrolledV1<'_> = "ParticipantEnrolled" (1, 0) on [PARTICIPANTS],
        example examples::enrolled;
    ParticipantChangedV1<'_> = "ParticipantChanged" (1, 0) on [PARTICIPANTS],
        example examples::changed;
    BankProgramTold<'_> = "BankProgramTold" (1, 0) on [BANK_PROGRAMS],
        example examples::program_told, foreign "CodePix classic";
    BankProgramOrdered<'_> = "BankProgramOrdered" (1, 0) on [ORDERS],
        example examples::program_ordered, foreign "CodePix classic" from "bank programs";
    BankProgramConfirmed<'_> = "BankProgramConfirmed" (1, 0) on [CONFIRMATIONS],
        example examples::program_confirmed, foreign "CodePix classic" from "bank programs";
    HandOverMarked<'_> = "HandOverMarked" (1, 0) on [DELIVERED],
        example examples::hand_over_marked, foreign "a mark of the hub's own";
}

/// The event of a notice: one record, a copy on each topic of its audience.
///
/// # Errors
/// [`StoreError::Rejected`] when it has no JSON.
pub fn transfer_event(transfer: &Transfer, notice: &Notice) -> Result<Published, StoreError> {
    let Notice { standing, audience, trace } = notice;
    let mut topics = Vec::with_capacity(3);
    if audience.everyone {
        topics.push(TRANSFERS.topic());
    }
    if audience.payer {
        topics.push(bank_topic(transfer.bank(Side::Payer)));
    }
    if audience.payee {
        topics.push(bank_topic(transfer.bank(Side::Payee)));
    }
    let (subject, version) = (transfer.order().end_to_end_id.to_string(), standing.version);
    macro_rules! published {
        ($type:ident) => {
            Published::of(&$type::of(transfer, standing), topics, subject, version, trace.clone())
        };
    }
    match standing.state {
        TransferState::Pending if standing.overdue_at.is_some() => published!(TransferOverdueV1),
        TransferState::Pending => published!(TransferPendingV1),
        TransferState::Confirmed => published!(TransferConfirmedV1),
        TransferState::Completed => published!(TransferCompletedV1),
        TransferState::Rejected => published!(TransferRejectedV1),
        TransferState::Expired => published!(TransferExpiredV1),
    }
}

/// The event of a participant.
///
/// # Errors
/// [`StoreError::Rejected`] when it has no JSON.
pub fn participant_event(saved: &SavedParticipant) -> Result<Published, StoreError> {
    let SavedParticipant { participant, event, trace } = saved;
    let (subject, version) = (participant.ispb.to_string(), participant.version);
    let topics = vec![PARTICIPANTS.topic()];
    match event {
        ParticipantEvent::Enrolled => {
            let event = ParticipantEnrolledV1::from(participant);
            Published::of(&event, topics, subject, version, trace.clone())
        }
        ParticipantEvent::Changed { .. } => {
            let event = ParticipantChangedV1::from(participant);
            Published::of(&event, topics, subject, version, trace.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared_kernel::application::catalogue::{EventEntry, Registry as _, Shape};

    use super::*;
    use crate::application::ports::Audience;
    use crate::application::testing::trace;
    use crate::domain::TransferEvent;
    use crate::domain::testing::{PAYER_BANK, at, native, order, pending};

    fn topics(published: &Published) -> Vec<&str> {
        published.topics().collect()
    }

    fn told(transfer: &Transfer, audience: Audience) -> (Published, Value) {
        let notice = Notice { standing: *transfer.standing(), audience, trace: trace(1) };
        let published = transfer_event(transfer, &notice).unwrap();
        let body = serde_json::from_slice(published.payload()).unwrap();
        (published, body)
    }

    #[test]
    fn an_event_carries_the_whole_state() {
        let mut transfer = pending(1);
        transfer.apply(TransferEvent::Confirmed { at: at(1) });
        let audience = Audience { everyone: true, payer: true, payee: true };
        let (published, body) = told(&transfer, audience);
        assert_eq!(published.event_type(), "codepix.transfers.TransferConfirmed.v1");
        assert_eq!(
            topics(&published),
            ["codepix.transfers", "codepix.bank.00000001", "codepix.bank.00000002"]
        );
        assert_eq!(published.subject(), order(1).end_to_end_id.as_str());
        assert_eq!(published.aggregate_version(), 2);
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
            "order_id": null,
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn each_state_has_its_event_and_each_ear_its_topic() {
        let (pending_event, body) =
            told(&pending(1), Audience { payee: true, ..Audience::default() });
        assert_eq!(pending_event.event_type(), "codepix.transfers.TransferPending.v1");
        assert_eq!(topics(&pending_event), ["codepix.bank.00000002"]);
        assert_eq!((&body["version"], &body["state"]), (&json!(1), &json!("pending")));

        let mut expired = pending(1);
        expired.apply(TransferEvent::Expired { at: at(41) });
        let (event, body) = told(&expired, Audience { payer: true, ..Audience::default() });
        assert_eq!(event.event_type(), "codepix.transfers.TransferExpired.v1");
        assert_eq!(topics(&event), ["codepix.bank.00000001"]);
        assert_eq!((&body["reason_code"], &body["state"]), (&json!("AB03"), &json!("expired")));
    }

    #[test]
    fn a_bank_is_told_with_its_limit() {
        let position_limit = Some(Money::from_centavos(150));
        let participant = Participant { position_limit, ..native(PAYER_BANK) };
        let event = ParticipantEvent::Enrolled;
        let saved = SavedParticipant { participant, event, trace: trace(1) };
        let published = participant_event(&saved).unwrap();
        assert_eq!(published.event_type(), "codepix.transfers.ParticipantEnrolled.v1");
        assert_eq!(topics(&published), ["codepix.transfers.participants"]);
        let body: Value = serde_json::from_slice(published.payload()).unwrap();
        let expected = json!({
            "ispb": "00000001", "code": "1", "name": "Bank", "protocol": "native",
            "position_limit": { "amount": "1.50", "currency": "BRL" },
            "enrolled_at": "2026-11-20T12:00:00.000000Z",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn every_type_has_a_schema_that_requires_its_fields() {
        let is_own = |event: &&EventEntry| event.shape == Shape::CloudEvent;
        assert_eq!(Hub::EVENTS.iter().filter(is_own).count(), 8);
        for EventEntry { event_type, schema, .. } in Hub::EVENTS.iter().filter(is_own) {
            let schema = serde_json::to_value(schema()).unwrap();
            assert_eq!(schema["type"], "object", "{event_type}");
            assert!(schema["required"].as_array().unwrap().len() >= 5, "{schema}");
        }
    }
}
