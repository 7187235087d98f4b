//! The payee's side of a transfer between banks: an expected credit.
//!
//! ```text
//! expected -> credited | unapplied | cancelled
//! refused  (-> credited | unapplied, should the hub settle it all the same: settled is final)
//! ```
//! A bank that learns of a settled or ended transfer without having seen it pending begins in the
//! state that follows from it.

use shared_kernel::domain::{ReasonCode, Timestamp, Violation};

use super::outgoing_transfer::{GRACE, contradicts, next_resend};
use super::{HubMessage, Payment};

/// Where the payee's side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncomingStatus {
    /// Accepted: it will be credited when the hub has settled it.
    Expected,
    /// Credited to the account.
    Credited,
    /// Settled, but the account could not take it: in the bank's unapplied credits.
    Unapplied,
    /// Rejected or expired at the hub.
    Cancelled,
    /// This bank would not take it.
    Refused,
}

impl IncomingStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Expected, Self::Credited, Self::Unapplied, Self::Cancelled, Self::Refused];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Credited => "credited",
            Self::Unapplied => "unapplied",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }

    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// All that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingState {
    /// The transfer, with the hub's times.
    pub payment: Payment,
    /// Where it stands.
    pub status: IncomingStatus,
    /// Why it did not happen, or why it could not be applied.
    pub reason: Option<ReasonCode>,
    /// When this bank accepted or refused it.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When the acceptance is told again unless the hub has answered.
    pub resend_at: Timestamp,
    /// How often it was told again.
    pub resends: u32,
}

/// Something that happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncomingEvent {
    /// The money is posted.
    Posted {
        /// Why it is in unapplied credits, if it is.
        unapplied: Option<ReasonCode>,
        /// When.
        at: Timestamp,
    },
    /// The hub ended it without settlement.
    Cancelled {
        /// Why.
        reason: ReasonCode,
        /// When.
        at: Timestamp,
    },
    /// The acceptance was told again.
    Reminded {
        /// When it is due once more.
        next_at: Timestamp,
    },
}

/// The payee's side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingTransfer(IncomingState);

impl IncomingTransfer {
    /// One that exists already.
    pub const fn restore(state: IncomingState) -> Self {
        Self(state)
    }

    /// All that is known of it.
    pub const fn state(&self) -> &IncomingState {
        &self.0
    }

    /// Whether its money was posted, to the account or to unapplied credits.
    pub fn is_posted(&self) -> bool {
        [IncomingStatus::Credited, IncomingStatus::Unapplied].contains(&self.0.status)
    }

    fn new(payment: Payment, status: IncomingStatus) -> Self {
        let resend_at = payment.deadline.saturating_add(GRACE);
        Self(IncomingState {
            payment,
            status,
            reason: None,
            answered_at: None,
            finished_at: None,
            resend_at,
            resends: 0,
        })
    }

    /// Answers a pending transfer: accepted unless there is a reason against it.
    pub fn answer(payment: Payment, refusal: Option<ReasonCode>, now: Timestamp) -> Self {
        let status = match refusal {
            None => IncomingStatus::Expected,
            Some(_) => IncomingStatus::Refused,
        };
        let mut answered = Self::new(payment, status);
        answered.0.reason = refusal;
        answered.0.answered_at = Some(now);
        answered.0.finished_at = refusal.map(|_| now);
        answered
    }

    /// A transfer of which this bank first hears that it is settled or over; the effect follows.
    pub fn missed(payment: Payment) -> Self {
        Self::new(payment, IncomingStatus::Expected)
    }

    /// The answer to a pending transfer, told again as it was told first. Nothing once it is over.
    pub fn reply(&self) -> Option<HubMessage> {
        let Payment { end_to_end_id, payee, .. } = &self.0.payment;
        let (end_to_end_id, ispb) = (*end_to_end_id, payee.ispb);
        let answered_at = self.0.answered_at?;
        match self.0.status {
            IncomingStatus::Expected => {
                let account_id = payee.account_id;
                let accepted_at = answered_at;
                Some(HubMessage::Accepted { end_to_end_id, ispb, account_id, accepted_at })
            }
            IncomingStatus::Refused => {
                let (reason, refused_at) = (self.0.reason?, answered_at);
                Some(HubMessage::Refused { end_to_end_id, ispb, reason, refused_at })
            }
            IncomingStatus::Credited | IncomingStatus::Unapplied | IncomingStatus::Cancelled => {
                None
            }
        }
    }

    /// The report that it is posted, once it is.
    pub fn report(&self) -> Option<HubMessage> {
        let unapplied = match self.0.status {
            IncomingStatus::Credited => false,
            IncomingStatus::Unapplied => true,
            IncomingStatus::Expected | IncomingStatus::Cancelled | IncomingStatus::Refused => {
                return None;
            }
        };
        let Payment { end_to_end_id, payee, .. } = &self.0.payment;
        Some(HubMessage::SettledByPayee {
            end_to_end_id: *end_to_end_id,
            ispb: payee.ispb,
            account_id: payee.account_id,
            unapplied,
            settled_at: self.0.finished_at?,
        })
    }

    /// The hub has settled it: the money is posted, or kept as unapplied for that reason. Nothing
    /// happens if it was posted before.
    ///
    /// # Errors
    /// `transfer_contradicts` after the hub ended it.
    pub fn settle(
        &self,
        unapplied: Option<ReasonCode>,
        now: Timestamp,
    ) -> Result<Option<IncomingEvent>, Violation> {
        match self.0.status {
            IncomingStatus::Expected | IncomingStatus::Refused => {
                Ok(Some(IncomingEvent::Posted { unapplied, at: now }))
            }
            IncomingStatus::Credited | IncomingStatus::Unapplied => Ok(None),
            IncomingStatus::Cancelled => Err(contradicts("confirmed", "cancelled")),
        }
    }

    /// The hub has rejected or expired it. Nothing happens if it is over.
    ///
    /// # Errors
    /// `transfer_contradicts` after settlement.
    pub fn cancel(
        &self,
        reason: ReasonCode,
        now: Timestamp,
    ) -> Result<Option<IncomingEvent>, Violation> {
        match self.0.status {
            IncomingStatus::Expected => Ok(Some(IncomingEvent::Cancelled { reason, at: now })),
            IncomingStatus::Cancelled | IncomingStatus::Refused => Ok(None),
            IncomingStatus::Credited | IncomingStatus::Unapplied => {
                Err(contradicts("rejected or expired", "settled"))
            }
        }
    }

    /// The hub is silent: the acceptance is told again, and the next time is later. Nothing
    /// happens before that time or once it is over.
    pub fn remind(&self, now: Timestamp) -> Option<IncomingEvent> {
        let due = self.0.status == IncomingStatus::Expected && self.0.resend_at <= now;
        due.then(|| IncomingEvent::Reminded { next_at: next_resend(self.0.resends, now) })
    }

    /// Becomes what the event says.
    pub fn apply(&mut self, event: &IncomingEvent) {
        match *event {
            IncomingEvent::Posted { unapplied, at } => {
                self.0.status = match unapplied {
                    None => IncomingStatus::Credited,
                    Some(_) => IncomingStatus::Unapplied,
                };
                self.0.reason = unapplied;
                self.0.finished_at = Some(at);
            }
            IncomingEvent::Cancelled { reason, at } => {
                self.0.status = IncomingStatus::Cancelled;
                self.0.reason = Some(reason);
                self.0.finished_at = Some(at);
            }
            IncomingEvent::Reminded { next_at } => {
                self.0.resend_at = next_at;
                self.0.resends = self.0.resends.saturating_add(1);
            }
        }
    }
}
