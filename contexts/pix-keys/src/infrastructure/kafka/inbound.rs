//! What the directory reads of others' events: the fields that it needs, and no more.
//!
//! Types that are not named here pass by unread, if they are of the topic's owner. One that is
//! named must be whole, and must speak of the aggregate that its envelope names; otherwise it is a
//! dead letter.

use serde::Deserialize;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{Envelope, Ids, InboundRecord, TraceParent, Unreadable};
use shared_kernel::domain::{AccountId, BankCode, Ispb, Violation};

use crate::application::reaction::Heard;
use crate::domain::{AccountDetails, AccountFact, AccountFields, AccountNews, Participant};

/// Topic of the hub's participants.
pub const PARTICIPANTS_TOPIC: &str = "codepix.transfers.participants";
/// Topic of the banks' accounts.
pub const ACCOUNTS_TOPIC: &str = "codepix.banking.accounts";

/// `ce_type`s that carry a [`ParticipantV1`].
pub const PARTICIPANT_TYPES: &[&str] = &[PARTICIPANT_ENROLLED, PARTICIPANT_CHANGED];
/// `ce_type` that carries a [`ParticipantV1`]: a bank takes part from now on.
pub const PARTICIPANT_ENROLLED: &str = "codepix.transfers.ParticipantEnrolled.v1";
/// `ce_type` that carries a [`ParticipantV1`]: a bank has another name or limit.
pub const PARTICIPANT_CHANGED: &str = "codepix.transfers.ParticipantChanged.v1";
/// `ce_type` that carries an [`AccountOpenedV1`].
pub const ACCOUNT_OPENED: &str = "codepix.banking.AccountOpened.v1";
/// `ce_type` that carries an [`AccountV1`]: the account was blocked.
pub const ACCOUNT_BLOCKED: &str = "codepix.banking.AccountBlocked.v1";
/// `ce_type` that carries an [`AccountV1`]: the account is active again.
pub const ACCOUNT_UNBLOCKED: &str = "codepix.banking.AccountUnblocked.v1";
/// `ce_type` that carries an [`AccountV1`]: the account was closed.
pub const ACCOUNT_CLOSED: &str = "codepix.banking.AccountClosed.v1";

/// A participant as the hub tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct ParticipantV1 {
    /// Identifier in the payment system.
    pub ispb: Ispb,
    /// Short code.
    pub code: BankCode,
    /// Name.
    pub name: String,
}

/// An account that was opened.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountOpenedV1 {
    /// Its id.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Branch.
    pub branch: String,
    /// Number.
    pub number: String,
    /// Name of its owner.
    pub owner_name: String,
    /// CPF or CNPJ of its owner.
    pub owner_tax_id: String,
}

/// An account whose state changed.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct AccountV1 {
    /// Its id.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
}

/// A message that the directory takes in.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// A participant was enrolled or changed.
    Participant(Participant),
    /// Something happened to an account.
    Account(Heard),
}

/// Characters of the longest name of a participant that is kept.
const PARTICIPANT_NAME_LENGTH_MAX: usize = 200;

/// Reads a record; nothing for one that the directory does not care about.
///
/// # Errors
/// [`Unreadable`] says what is wrong with it.
pub fn read(record: &InboundRecord, ids: &dyn Ids) -> Result<Option<Inbound>, Unreadable> {
    let envelope = Envelope::read(record)?;
    must_be_at_home(&record.from.topic, &envelope.event_type)?;
    match envelope.event_type.as_str() {
        known if PARTICIPANT_TYPES.contains(&known) => participant(record, &envelope),
        ACCOUNT_OPENED => opened(record, &envelope, ids),
        ACCOUNT_BLOCKED => status(record, &envelope, AccountFact::Blocked, ids),
        ACCOUNT_UNBLOCKED => status(record, &envelope, AccountFact::Unblocked, ids),
        ACCOUNT_CLOSED => status(record, &envelope, AccountFact::Closed, ids),
        _ => return Ok(None),
    }
    .map(Some)
}

/// Refuses what another context than the topic's owner would have written.
fn must_be_at_home(topic: &str, event_type: &str) -> Result<(), Unreadable> {
    let homes = [(PARTICIPANTS_TOPIC, "codepix.transfers."), (ACCOUNTS_TOPIC, "codepix.banking.")];
    let is_stranger =
        homes.iter().any(|(home, owner)| topic.ends_with(home) && !event_type.starts_with(owner));
    if is_stranger {
        let sentence = format!("an event of type {event_type:?} does not belong on this topic");
        return Err(Unreadable::new("event_misdirected", sentence));
    }
    Ok(())
}

fn participant(record: &InboundRecord, envelope: &Envelope) -> Result<Inbound, Unreadable> {
    let ParticipantV1 { ispb, code, name } = read_payload(record)?;
    let version = version_of(envelope, ispb.as_str())?;
    let is_right_length = (1..=PARTICIPANT_NAME_LENGTH_MAX).contains(&name.chars().count());
    if !is_right_length || name.chars().any(char::is_control) {
        let sentence = "the name of a participant must have 1 to 200 printable characters";
        return Err(Unreadable::new("participant_name_shape", sentence));
    }
    Ok(Inbound::Participant(Participant { ispb, code, name, version }))
}

fn opened(
    record: &InboundRecord,
    envelope: &Envelope,
    ids: &dyn Ids,
) -> Result<Inbound, Unreadable> {
    let body: AccountOpenedV1 = read_payload(record)?;
    let details = AccountDetails::parse(AccountFields {
        branch: &body.branch,
        number: &body.number,
        owner_name: &body.owner_name,
        owner_tax_id: &body.owner_tax_id,
    })
    .map_err(|broken| unfit(&broken))?;
    let account = AccountV1 { account_id: body.account_id, ispb: body.ispb };
    heard(envelope, account, AccountFact::Opened(details), ids)
}

fn status(
    record: &InboundRecord,
    envelope: &Envelope,
    fact: AccountFact,
    ids: &dyn Ids,
) -> Result<Inbound, Unreadable> {
    heard(envelope, read_payload(record)?, fact, ids)
}

fn heard(
    envelope: &Envelope,
    account: AccountV1,
    fact: AccountFact,
    ids: &dyn Ids,
) -> Result<Inbound, Unreadable> {
    let AccountV1 { account_id, ispb } = account;
    let version = version_of(envelope, &account_id.to_string())?;
    let news = AccountNews { account_id, ispb, version, fact };
    let trace = envelope.trace.clone().unwrap_or_else(|| TraceParent::begin(ids));
    Ok(Inbound::Account(Heard { news, trace }))
}

/// The version that the envelope names, if it speaks of this aggregate.
fn version_of(envelope: &Envelope, aggregate: &str) -> Result<i64, Unreadable> {
    if envelope.subject != aggregate {
        let sentence = "the envelope names another aggregate than the body";
        return Err(Unreadable::new("subject_mismatch", sentence));
    }
    if envelope.aggregate_version < 1 {
        let sentence = "the version of an aggregate must be 1 or more";
        return Err(Unreadable::new("aggregate_version_shape", sentence));
    }
    Ok(envelope.aggregate_version)
}

fn unfit(broken: &Violation) -> Unreadable {
    Unreadable::new(broken.code(), broken.message())
}
