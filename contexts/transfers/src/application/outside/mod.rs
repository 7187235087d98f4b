//! Orders and confirmations of bank programs that are not ours: they have ids of their own, name a
//! key but not whose it is, and an account but not at which bank.

mod desk;
mod key;
#[cfg(test)]
mod tests;

use shared_kernel::application::TraceParent;
use shared_kernel::domain::{AccountId, Digest, EndToEndId, Ispb, Timestamp};

pub use desk::{OrderDesk, OrderPorts};
pub use key::{canonical, kind_of};

use crate::domain::OrderId;

/// An order as a bank's program wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideOrder {
    /// The id that the payer's bank chose.
    pub order_id: OrderId,
    /// The payer's account.
    pub account_id: AccountId,
    /// The JSON number, digit for digit; empty when it was none.
    pub amount: String,
    /// The key that is paid to.
    pub key: String,
    /// What kind of key that is, in the program's words; may be empty.
    pub kind: String,
    /// What the payer wrote; may be empty.
    pub description: String,
}

impl OutsideOrder {
    /// Fingerprint of what was ordered: a repeat has the same.
    pub fn content(&self) -> Digest {
        // `10` and `10.00` are one amount.
        let amount = shared_kernel::domain::Money::from_json_number(&self.amount)
            .map_or_else(|_| self.amount.clone(), |money| money.centavos().to_string());
        Digest::of(&[
            self.account_id.uuid().as_bytes(),
            amount.as_bytes(),
            canonical(&self.kind, &self.key).as_bytes(),
            self.description.as_bytes(),
        ])
    }
}

/// What a program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsideMessage {
    /// The payer's bank has debited and orders.
    Order(Box<OutsideOrder>),
    /// The payee's bank has credited.
    Credited(OrderId),
    /// The payer's bank knows that it is settled.
    Completed(OrderId),
}

impl OutsideMessage {
    /// The order that it is about.
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::Order(order) => order.order_id,
            Self::Credited(id) | Self::Completed(id) => *id,
        }
    }
}

/// A message with its place in the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardOutside {
    /// Index of its record in the batch.
    pub index: usize,
    /// The record's time.
    pub at: Timestamp,
    /// The trace that it belongs to.
    pub trace: TraceParent,
    /// What it says.
    pub message: OutsideMessage,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderOutcome {
    /// A transfer, which may have been rejected since.
    Transfer {
        /// Which.
        end_to_end_id: EndToEndId,
        /// The payee's bank.
        payee: Ispb,
    },
    /// Refused before it was one.
    Refused {
        /// Why, in a sentence.
        sentence: String,
    },
}

/// An order that is known by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOrder {
    /// Its id.
    pub order_id: OrderId,
    /// The payer's bank.
    pub bank: Ispb,
    /// The payer's account.
    pub account_id: AccountId,
    /// Fingerprint of what the bank wrote; none when the hub made the id.
    pub content: Option<Digest>,
    /// What became of it.
    pub outcome: OrderOutcome,
}

/// An order that its bank hears is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRefusal {
    /// What was ordered.
    pub order: OutsideOrder,
    /// By whom.
    pub bank: Ispb,
    /// Its topic.
    pub topic: String,
    /// Why, in a sentence.
    pub sentence: String,
    /// Whether the refusal is the order's first and only answer, and so is kept.
    pub remember: bool,
    /// In which trace.
    pub trace: TraceParent,
}
