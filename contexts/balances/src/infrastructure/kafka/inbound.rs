//! Banking's events of accounts, and of them only what a balance needs.

use serde::Deserialize;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{Envelope, InboundRecord, Unreadable};
use shared_kernel::domain::{AccountId, Ispb, Money, Timestamp, Violation};

use crate::domain::{AccountEvent, AccountVersion, Funds};

/// Every change of every account, keyed by account.
pub const ACCOUNTS_TOPIC: &str = "codepix.banking.accounts";

/// Who publishes on that topic.
const SOURCE: &str = "/codepix/banking";
/// What every type of event there begins with.
const TYPES: &str = "codepix.banking.";
/// The one event that names the owner.
const OPENED: &str = "codepix.banking.AccountOpened.v1";

/// What every event of an account states, whatever happened; types that this context has never
/// heard of too.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountStated {
    /// Which account.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// What its owner may spend since.
    pub available: Money,
    /// What transfers under way have set aside since.
    pub held: Money,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its owner; only the opening says it.
    #[serde(default)]
    pub owner_name: Option<String>,
}

/// Reads a record as an event of an account.
///
/// # Errors
/// `event_misdirected` for an event of another context, `payload_json` and `envelope_header` for
/// what is no event, `event_subject` when the envelope and the body name different accounts, and
/// the codes of values that no account can have.
pub(super) fn read(record: &InboundRecord) -> Result<AccountEvent, Unreadable> {
    let envelope = Envelope::read(record)?;
    if envelope.source != SOURCE || !envelope.event_type.starts_with(TYPES) {
        let sentence =
            format!("{} of {} does not belong on this topic", envelope.event_type, envelope.source);
        return Err(Unreadable::new("event_misdirected", sentence));
    }
    let stated: AccountStated = read_payload(record)?;
    if envelope.subject != stated.account_id.to_string() {
        let sentence = format!(
            "the envelope is about {:?}, the body about account {}",
            envelope.subject, stated.account_id
        );
        return Err(Unreadable::new("event_subject", sentence));
    }
    let opened = envelope.event_type == OPENED;
    if opened && stated.owner_name.is_none() {
        return Err(Unreadable::new("payload_json", "the body lacks owner_name"));
    }
    Ok(AccountEvent {
        account_id: stated.account_id,
        ispb: stated.ispb,
        owner_name: stated.owner_name.filter(|_| opened),
        funds: Funds::new(stated.available, stated.held).map_err(|broken| unfit(&broken))?,
        version: AccountVersion::new(envelope.aggregate_version)
            .map_err(|broken| unfit(&broken))?,
        occurred_at: stated.occurred_at,
    })
}

fn unfit(broken: &Violation) -> Unreadable {
    Unreadable::new(broken.code(), broken.message())
}
