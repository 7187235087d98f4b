//! Orders that are known, and what became of them.

use shared_kernel::application::TraceParent;
use shared_kernel::domain::{AccountId, Digest, EndToEndId, Ispb};

use super::message::OutsideOrder;
use crate::domain::OrderId;

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
