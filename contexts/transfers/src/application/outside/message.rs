//! What the programs of other banks say.

use shared_kernel::application::TraceParent;
use shared_kernel::domain::{AccountId, Digest, Money, Timestamp};

use super::key::canonical;
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
        let amount = Money::from_json_number(&self.amount)
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
