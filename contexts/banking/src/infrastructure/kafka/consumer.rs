//! One consumer for all that this context reads, told apart by topic.
//!
//! One, because a group is one membership: with several subscriptions in one group each new bank
//! topic would disturb the others; and a batch is one transaction whatever it mixes. In a batch
//! banks come first, then keys, then transfers; no order between topics is assumed anywhere.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{
    BatchHandler, Envelope, Ids, InboundRecord, Refusal, StoreError, TraceParent, Unreadable,
};
use shared_kernel::domain::Ispb;
use shared_kernel::infrastructure::system::SystemIds;

use super::inbound::{
    ParticipantState, PixKeyRegistered, PixKeyRemoved, Protocol, TransferState, TransferWord,
};
use super::{BANK_PREFIX, PARTICIPANTS, PIX_KEYS};
use crate::application::hub::{HubEvent, HubReactions};
use crate::application::ports::{BankingStore, KeyChange, OpenTransaction};
use crate::application::reaction::{
    OnParticipantEnrolled, OnPixKeyRegistered, OnPixKeyRemoved, Participant,
};
use crate::domain::{Party, Payment};

/// A record that was understood.
enum Message {
    Participant(Participant),
    Key(KeyChange),
    Hub(Box<HubEvent>),
    /// Nothing that concerns this context.
    Nothing,
}

/// Handles everything that this context reads.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct BankingConsumer {
    /// Opens transactions.
    pub store: Arc<dyn BankingStore>,
    /// Traces for records that have none.
    pub ids: Arc<dyn Ids>,
    /// Put before every topic name.
    pub topic_prefix: String,
    /// What is done with participants.
    pub participants: OnParticipantEnrolled,
    /// What is done with the hub's events.
    pub hub: HubReactions,
}

impl BankingConsumer {
    /// Group, and name of the stored offsets; with `banks` one for each, `<group>.<ispb>`.
    pub const GROUP: &str = "codepix.banking";

    fn read(&self, record: &InboundRecord) -> Result<Message, Unreadable> {
        let topic = record.from.topic.strip_prefix(&self.topic_prefix);
        read(topic.unwrap_or(&record.from.topic), record, &*self.ids)
    }
}

/// The address of the banks' own topics.
pub const BANK_TOPICS: &str = "codepix.bank.{ispb}";

/// What the banks make of a record.
pub const READER: Reader = Reader {
    context: "banking",
    consumer: BankingConsumer::GROUP,
    channels: &[BANK_TOPICS, PARTICIPANTS, PIX_KEYS],
    knows: &[
        PARTICIPANT_ENROLLED,
        PARTICIPANT_CHANGED,
        PIX_KEY_REGISTERED,
        PIX_KEY_REMOVED,
        "codepix.transfers.TransferPending.v1",
        "codepix.transfers.TransferConfirmed.v1",
        "codepix.transfers.TransferCompleted.v1",
        "codepix.transfers.TransferRejected.v1",
        "codepix.transfers.TransferExpired.v1",
    ],
    read: |record| {
        let message = read(&record.from.topic, record, &SystemIds)?;
        Ok(!matches!(message, Message::Nothing))
    },
};

const PARTICIPANT_ENROLLED: &str = "codepix.transfers.ParticipantEnrolled.v1";
const PARTICIPANT_CHANGED: &str = "codepix.transfers.ParticipantChanged.v1";
const PIX_KEY_REGISTERED: &str = "codepix.pix_keys.PixKeyRegistered.v1";
const PIX_KEY_REMOVED: &str = "codepix.pix_keys.PixKeyRemoved.v1";

/// Understands a record of a topic (name without prefix).
fn read(topic: &str, record: &InboundRecord, ids: &dyn Ids) -> Result<Message, Unreadable> {
    match topic {
        PARTICIPANTS => return participant(record),
        PIX_KEYS => return key(record),
        _ => {}
    }
    let bank = topic.strip_prefix(BANK_PREFIX).and_then(|ispb| Ispb::parse(ispb).ok());
    let bank = bank.ok_or_else(|| {
        Unreadable::new("topic_unknown", format!("the topic {topic} is not read here"))
    })?;
    hub_event(bank, record, ids)
}

fn hub_event(bank: Ispb, record: &InboundRecord, ids: &dyn Ids) -> Result<Message, Unreadable> {
    let envelope = Envelope::read(record)?;
    let Some(word) = TransferWord::read(&envelope.event_type)? else {
        return Ok(Message::Nothing);
    };
    let state: TransferState = read_payload(record)?;
    must_be_about(&envelope, state.end_to_end_id.as_str())?;
    let word = word.said(state.reason_code);
    let trace = envelope.trace.unwrap_or_else(|| TraceParent::begin(ids));
    let payment = Payment::from(state);
    Ok(Message::Hub(Box::new(HubEvent { bank, word, payment, trace })))
}

/// Order and version are those of the subject: an event of another subject would break both.
fn must_be_about(envelope: &Envelope, subject: &str) -> Result<(), Unreadable> {
    if envelope.subject == subject {
        return Ok(());
    }
    let sentence = "the envelope is about something else than the body";
    Err(Unreadable::new("event_subject", sentence))
}

/// A later event type of the topic's owner passes by; another's does not belong there.
fn passes_by(envelope: &Envelope, owner: &str) -> Result<Message, Unreadable> {
    if envelope.event_type.starts_with(owner) {
        return Ok(Message::Nothing);
    }
    let sentence = format!("{:?} does not belong on this topic", envelope.event_type);
    Err(Unreadable::new("event_type_unknown", sentence))
}

fn participant(record: &InboundRecord) -> Result<Message, Unreadable> {
    let envelope = Envelope::read(record)?;
    let known = [PARTICIPANT_ENROLLED, PARTICIPANT_CHANGED];
    if !known.contains(&envelope.event_type.as_str()) {
        return passes_by(&envelope, "codepix.transfers.");
    }
    let state: ParticipantState = read_payload(record)?;
    must_be_about(&envelope, state.ispb.as_str())?;
    Ok(Message::Participant(Participant {
        ispb: state.ispb,
        code: state.code,
        name: state.name,
        native: state.protocol == Protocol::Native,
        version: envelope.aggregate_version,
    }))
}

fn key(record: &InboundRecord) -> Result<Message, Unreadable> {
    let envelope = Envelope::read(record)?;
    let version = envelope.aggregate_version;
    match envelope.event_type.as_str() {
        PIX_KEY_REGISTERED => {
            let event: PixKeyRegistered = read_payload(record)?;
            must_be_about(&envelope, &event.key)?;
            let PixKeyRegistered { key, account_id, ispb, owner_name, owner_tax_id } = event;
            let owner = Some(Party { ispb, account_id, owner_name, owner_tax_id });
            Ok(Message::Key(KeyChange { key, owner, version }))
        }
        PIX_KEY_REMOVED => {
            let event: PixKeyRemoved = read_payload(record)?;
            must_be_about(&envelope, &event.key)?;
            Ok(Message::Key(OnPixKeyRemoved::change(event.key, version)))
        }
        _ => passes_by(&envelope, "codepix.pix_keys."),
    }
}

#[async_trait]
impl BatchHandler for BankingConsumer {
    type Transaction = OpenTransaction;

    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut OpenTransaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let mut refusals = Vec::new();
        let (mut participants, mut keys) = (Vec::new(), Vec::new());
        let (mut events, mut places) = (Vec::new(), Vec::new());
        for (index, record) in batch.iter().enumerate() {
            match self.read(record) {
                Ok(Message::Participant(participant)) => participants.push(participant),
                Ok(Message::Key(change)) => keys.push(change),
                Ok(Message::Hub(event)) => {
                    events.push(*event);
                    places.push(index);
                }
                Ok(Message::Nothing) => {}
                Err(Unreadable { code, sentence }) => {
                    refusals.push(Refusal { index, code: code.to_owned(), reason: sentence });
                }
            }
        }
        self.participants.apply(transaction, participants).await?;
        OnPixKeyRegistered::apply(transaction, keys).await?;
        let outcomes = self.hub.react(transaction, &events).await?;
        for (index, outcome) in places.into_iter().zip(outcomes) {
            if let Err(broken) = outcome {
                let (code, reason) = (broken.code().to_owned(), broken.message().to_owned());
                refusals.push(Refusal { index, code, reason });
            }
        }
        Ok(refusals)
    }
}
