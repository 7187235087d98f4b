//! What a bank says to the hub, as it was understood.

use shared_kernel::application::TraceParent;
use shared_kernel::domain::{Digest, EndToEndId, Ispb, ReasonCode, Timestamp};

use crate::domain::{Order, OrderId, PayeeKey, Protocol, Side};

/// How a message came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Since when the log holds it, by the broker's clock.
    pub at: Timestamp,
    /// The partition on which the banks speak of its transfer in our own events.
    pub origin: i32,
    /// In which protocol it was said.
    pub voice: Protocol,
    /// The trace that it belongs to; what it causes belongs to it too.
    pub trace: TraceParent,
}

/// A message with its place in the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Index of its record in the batch.
    pub index: usize,
    /// How it came.
    pub heard: Heard,
    /// What it says.
    pub message: BankMessage,
}

/// The payer's bank orders a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRequested {
    /// Who says so.
    pub sender: Ispb,
    /// What is ordered.
    pub order: Order,
    /// The payee's key as it was registered, where that is known to be otherwise than ordered.
    pub registered_as: Option<PayeeKey>,
    /// Under which id the payer's bank knows it, where that is not the `EndToEndId`.
    pub reference: Option<Reference>,
}

/// What a bank calls an order of its own, and what it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The id that it chose.
    pub order_id: OrderId,
    /// Fingerprint of the order as it was written, before keys were resolved.
    pub content: Digest,
}

/// A bank orders what it has ordered before, known by its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferRequestedAgain {
    /// Who says so.
    pub sender: Ispb,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
}

/// The payee's bank accepts a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferAccepted {
    /// Who says so.
    pub sender: Ispb,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
}

/// The payee's bank refuses a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferRefused {
    /// Who says so.
    pub sender: Ispb,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// Why.
    pub reason: ReasonCode,
}

/// A bank has posted its end of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferSettled {
    /// Who says so.
    pub sender: Ispb,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
}

/// One of the things that banks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankMessage {
    /// An order.
    Requested(Box<TransferRequested>),
    /// An order that is known by its bank's own id.
    RequestedAgain(TransferRequestedAgain),
    /// An acceptance.
    Accepted(TransferAccepted),
    /// A refusal.
    Refused(TransferRefused),
    /// The payee's bank has credited.
    SettledByPayee(TransferSettled),
    /// The payer's bank has debited.
    SettledByPayer(TransferSettled),
}

impl BankMessage {
    /// The transfer that it is about.
    pub fn end_to_end_id(&self) -> EndToEndId {
        match self {
            Self::Requested(message) => message.order.end_to_end_id,
            Self::RequestedAgain(message) => message.end_to_end_id,
            Self::Accepted(message) => message.end_to_end_id,
            Self::Refused(message) => message.end_to_end_id,
            Self::SettledByPayee(message) | Self::SettledByPayer(message) => message.end_to_end_id,
        }
    }

    /// The bank that it says it comes from.
    pub fn sender(&self) -> Ispb {
        match self {
            Self::Requested(message) => message.sender,
            Self::RequestedAgain(message) => message.sender,
            Self::Accepted(message) => message.sender,
            Self::Refused(message) => message.sender,
            Self::SettledByPayee(message) | Self::SettledByPayer(message) => message.sender,
        }
    }

    /// The bank of the payee, where the message names it.
    pub fn ordered_payee(&self) -> Option<Ispb> {
        match self {
            Self::Requested(message) => Some(message.order.payee.ispb),
            Self::RequestedAgain(_)
            | Self::Accepted(_)
            | Self::Refused(_)
            | Self::SettledByPayee(_)
            | Self::SettledByPayer(_) => None,
        }
    }

    /// At which end of its transfer the bank must be to say this.
    pub const fn side(&self) -> Side {
        match self {
            Self::Requested(_) | Self::RequestedAgain(_) | Self::SettledByPayer(_) => Side::Payer,
            Self::Accepted(_) | Self::Refused(_) | Self::SettledByPayee(_) => Side::Payee,
        }
    }
}
