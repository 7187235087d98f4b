//! What this context reads of other contexts' events: the fields that it needs, no more.

use serde::Deserialize;
use shared_kernel::application::Unreadable;
use shared_kernel::domain::{
    AccountId, Amount, BankCode, EndToEndId, Ispb, ReasonCode, TaxId, Timestamp,
};

use crate::application::hub::HubWord;
use crate::domain::{Party, Payment};

/// `TransferPending`, `TransferConfirmed`, `TransferCompleted`, `TransferRejected` and
/// `TransferExpired` of the hub: all carry the whole state.
#[derive(Clone, Debug, Deserialize)]
pub struct TransferState {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// The key that was paid to.
    pub payee_key: String,
    /// What the payer wrote.
    #[serde(default)]
    pub description: String,
    /// Why it did not happen.
    pub reason_code: Option<ReasonCode>,
    /// When the hub stored it.
    pub registered_at: Timestamp,
    /// When it expires.
    pub deadline: Timestamp,
}

/// The hub's words for a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferWord {
    /// `TransferPending`.
    Pending,
    /// `TransferConfirmed`.
    Confirmed,
    /// `TransferCompleted`.
    Completed,
    /// `TransferRejected`.
    Rejected,
    /// `TransferExpired`.
    Expired,
}

/// Before the name in the type of every event of the hub.
const HUB: &str = "codepix.transfers.";

impl TransferWord {
    /// Reads an event type. `None` for an event of the hub that says nothing to a bank (a later
    /// version, a mark).
    ///
    /// # Errors
    /// `event_type_unknown` for a type that is not the hub's.
    pub fn read(event_type: &str) -> Result<Option<Self>, Unreadable> {
        let Some(name) = event_type.strip_prefix(HUB) else {
            let sentence = format!("{event_type:?} is no event of the hub");
            return Err(Unreadable::new("event_type_unknown", sentence));
        };
        Ok(match name {
            "TransferPending.v1" => Some(Self::Pending),
            "TransferConfirmed.v1" => Some(Self::Confirmed),
            "TransferCompleted.v1" => Some(Self::Completed),
            "TransferRejected.v1" => Some(Self::Rejected),
            "TransferExpired.v1" => Some(Self::Expired),
            _ => None,
        })
    }

    /// What it says, with the reason that ended the transfer where it has one.
    pub fn said(self, reason: Option<ReasonCode>) -> HubWord {
        match self {
            Self::Pending => HubWord::Pending,
            Self::Confirmed => HubWord::Confirmed,
            Self::Completed => HubWord::Completed,
            Self::Rejected => HubWord::Rejected(reason.unwrap_or(ReasonCode::Ds04)),
            Self::Expired => HubWord::Expired(reason.unwrap_or(ReasonCode::Ab03)),
        }
    }
}

impl From<TransferState> for Payment {
    fn from(state: TransferState) -> Self {
        let TransferState { end_to_end_id, amount, payer, payee, payee_key, .. } = state;
        Self {
            end_to_end_id,
            payer,
            payee,
            payee_key,
            payee_key_registered_as: None,
            amount,
            description: state.description,
            ordered_at: state.registered_at,
            deadline: state.deadline,
        }
    }
}

/// How a participant speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Its books are kept by Banking.
    Native,
    /// Its books are kept elsewhere.
    Classic,
}

/// `ParticipantEnrolled` and `ParticipantChanged` of Transfers.
#[derive(Clone, Debug, Deserialize)]
pub struct ParticipantState {
    /// Its ISPB.
    pub ispb: Ispb,
    /// Its short code.
    pub code: BankCode,
    /// Its name.
    pub name: String,
    /// How it speaks.
    pub protocol: Protocol,
}

/// `PixKeyRegistered` of Pix Keys.
#[derive(Clone, Debug, Deserialize)]
pub struct PixKeyRegistered {
    /// Canonical text.
    pub key: String,
    /// The owner's account.
    pub account_id: AccountId,
    /// The owner's bank.
    pub ispb: Ispb,
    /// The owner.
    pub owner_name: String,
    /// The owner's tax id.
    pub owner_tax_id: TaxId,
}

/// `PixKeyRemoved` of Pix Keys.
#[derive(Clone, Debug, Deserialize)]
pub struct PixKeyRemoved {
    /// Canonical text.
    pub key: String,
}
