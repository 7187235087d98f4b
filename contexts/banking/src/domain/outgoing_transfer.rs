//! The payer's side of a transfer between banks: a hold that waits for the hub's word.
//!
//! ```text
//! requested -> settled | rejected | expired
//! ```

use std::time::Duration;

use shared_kernel::domain::{ReasonCode, Timestamp, Violation};

use super::{HubMessage, Payment};

/// Where the payer's side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutgoingStatus {
    /// The amount is held.
    Requested,
    /// The hold became a debit.
    Settled,
    /// The hold was released: hub or payee's bank refused.
    Rejected,
    /// The hold was released: not settled in time.
    Expired,
}

impl OutgoingStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Requested, Self::Settled, Self::Rejected, Self::Expired];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Settled => "settled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// All that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingState {
    /// The order, with this bank's own times.
    pub payment: Payment,
    /// Where it stands.
    pub status: OutgoingStatus,
    /// Why it did not happen.
    pub reason: Option<ReasonCode>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When the order is told again unless the hub has answered.
    pub resend_at: Timestamp,
    /// How often it was told again.
    pub resends: u32,
}

/// Something that happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutgoingEvent {
    /// The hold became a debit.
    Settled {
        /// When.
        at: Timestamp,
    },
    /// The hold was released: hub or payee's bank refused.
    Rejected {
        /// Why.
        reason: ReasonCode,
        /// When.
        at: Timestamp,
    },
    /// The hold was released: not settled in time.
    Expired {
        /// Why.
        reason: ReasonCode,
        /// When.
        at: Timestamp,
    },
    /// The order was told again.
    Reminded {
        /// When it is due once more.
        next_at: Timestamp,
    },
}

/// The payer's side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingTransfer(OutgoingState);

/// How long after its deadline an open side asks the hub again.
pub(super) const GRACE: Duration = Duration::from_secs(20);
/// First interval between two repeats; it doubles.
const RESEND_FIRST: Duration = Duration::from_secs(20);
/// Longest interval between two repeats.
const RESEND_MOST: Duration = Duration::from_mins(10);

/// When something that was repeated `resends` times is repeated next.
pub(super) fn next_resend(resends: u32, now: Timestamp) -> Timestamp {
    let factor = 1_u32.checked_shl(resends.min(31)).unwrap_or(u32::MAX);
    now.saturating_add(RESEND_FIRST.saturating_mul(factor).min(RESEND_MOST))
}

/// The hub says something that cannot follow what it said before.
pub(super) fn contradicts(now: &'static str, before: &'static str) -> Violation {
    let message = format!("the hub says {now} of a transfer that is {before} here");
    Violation::failed_precondition("transfer_contradicts", "end_to_end_id", message)
}

impl OutgoingTransfer {
    /// One that exists already.
    pub const fn restore(state: OutgoingState) -> Self {
        Self(state)
    }

    /// All that is known of it.
    pub const fn state(&self) -> &OutgoingState {
        &self.0
    }

    /// Whether its amount is held.
    pub fn is_open(&self) -> bool {
        self.0.status == OutgoingStatus::Requested
    }

    /// Orders a payment whose amount is held.
    pub fn request(payment: Payment) -> Self {
        let resend_at = payment.deadline.saturating_add(GRACE);
        let status = OutgoingStatus::Requested;
        let (reason, finished_at) = (None, None);
        Self(OutgoingState { payment, status, reason, finished_at, resend_at, resends: 0 })
    }

    /// The order, in the words for the hub.
    pub fn order(&self) -> HubMessage {
        HubMessage::Requested(Box::new(self.0.payment.clone()))
    }

    /// The report that it is posted, once it is.
    pub fn report(&self) -> Option<HubMessage> {
        let settled_at = match self.0.status {
            OutgoingStatus::Settled => self.0.finished_at?,
            OutgoingStatus::Requested | OutgoingStatus::Rejected | OutgoingStatus::Expired => {
                return None;
            }
        };
        let Payment { end_to_end_id, payer, .. } = &self.0.payment;
        Some(HubMessage::SettledByPayer {
            end_to_end_id: *end_to_end_id,
            ispb: payer.ispb,
            account_id: payer.account_id,
            settled_at,
        })
    }

    /// The hub has settled it: the hold becomes a debit. Nothing happens if it did before.
    ///
    /// # Errors
    /// `transfer_contradicts` after a rejection or an expiry.
    pub fn settle(&self, now: Timestamp) -> Result<Option<OutgoingEvent>, Violation> {
        match self.0.status {
            OutgoingStatus::Requested => Ok(Some(OutgoingEvent::Settled { at: now })),
            OutgoingStatus::Settled => Ok(None),
            OutgoingStatus::Rejected => Err(contradicts("confirmed", "rejected")),
            OutgoingStatus::Expired => Err(contradicts("confirmed", "expired")),
        }
    }

    /// The hub has rejected it: the hold is released. Nothing happens if it is over.
    ///
    /// # Errors
    /// `transfer_contradicts` after settlement.
    pub fn reject(
        &self,
        reason: ReasonCode,
        now: Timestamp,
    ) -> Result<Option<OutgoingEvent>, Violation> {
        Ok(self.may_end()?.then_some(OutgoingEvent::Rejected { reason, at: now }))
    }

    /// It was not settled in time: the hold is released. Nothing happens if it is over.
    ///
    /// # Errors
    /// `transfer_contradicts` after settlement.
    pub fn expire(
        &self,
        reason: ReasonCode,
        now: Timestamp,
    ) -> Result<Option<OutgoingEvent>, Violation> {
        Ok(self.may_end()?.then_some(OutgoingEvent::Expired { reason, at: now }))
    }

    /// The hub is silent: the order is told again, and the next time is later. Nothing happens
    /// before that time or once it is over.
    pub fn remind(&self, now: Timestamp) -> Option<OutgoingEvent> {
        let due = self.0.status == OutgoingStatus::Requested && self.0.resend_at <= now;
        due.then(|| OutgoingEvent::Reminded { next_at: next_resend(self.0.resends, now) })
    }

    /// Becomes what the event says.
    pub fn apply(&mut self, event: &OutgoingEvent) {
        match *event {
            OutgoingEvent::Settled { at } => self.end(OutgoingStatus::Settled, None, at),
            OutgoingEvent::Rejected { reason, at } => {
                self.end(OutgoingStatus::Rejected, Some(reason), at);
            }
            OutgoingEvent::Expired { reason, at } => {
                self.end(OutgoingStatus::Expired, Some(reason), at);
            }
            OutgoingEvent::Reminded { next_at } => {
                self.0.resend_at = next_at;
                self.0.resends = self.0.resends.saturating_add(1);
            }
        }
    }

    fn may_end(&self) -> Result<bool, Violation> {
        match self.0.status {
            OutgoingStatus::Requested => Ok(true),
            OutgoingStatus::Rejected | OutgoingStatus::Expired => Ok(false),
            OutgoingStatus::Settled => Err(contradicts("rejected or expired", "settled")),
        }
    }

    fn end(&mut self, status: OutgoingStatus, reason: Option<ReasonCode>, at: Timestamp) {
        self.0.status = status;
        self.0.reason = reason;
        self.0.finished_at = Some(at);
    }
}
