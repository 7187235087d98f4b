//! The life of a transfer.
//!
//! Decisions are pure: each reads the transfer and says what happens, or `None` when the message
//! repeats what is known or comes too late to change anything; `apply` alone changes state. The
//! refusals (`Violation`) are messages that no honest bank sends: they become dead letters.
//!
//! When the payee's bank credits on delivery, storing the order hands it over: from then on the
//! transfer cannot expire, and only the bank's word or an operator's ends its being pending.

use shared_kernel::domain::{Digest, Ispb, ReasonCode, Timestamp, Violation};

use super::position::minus;
use super::{
    Admission, CreditTiming, Ends, Order, PositionMove, Resolution, Side, TransferEvent,
    TransferState,
};

/// What the hub fixed when it took the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When it took it, by its own clock.
    pub registered_at: Timestamp,
    /// Until when the payee's bank may accept.
    pub deadline: Timestamp,
}

/// The changing part of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: TransferState,
    /// Why it was rejected or expired.
    pub reason: Option<ReasonCode>,
    /// When it was settled.
    pub confirmed_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// The payer's bank has posted it.
    pub payer_reported: bool,
    /// The payee's bank has posted it.
    pub payee_reported: bool,
    /// The payee's bank was asked, so it hears what follows.
    pub payee_told: bool,
    /// Since when it was found pending past its deadline, though it was handed over.
    pub overdue_at: Option<Timestamp>,
    /// When the payee's bank said that it had credited what an operator had resolved as refused.
    pub contradicted_at: Option<Timestamp>,
    /// Counts the states that were published.
    pub version: i64,
}

/// A transfer between two banks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    order: Order,
    digest: Digest,
    terms: Terms,
    ends: Ends,
    reserves: bool,
    standing: Standing,
}

/// A decision: what happens, if anything; refused when nobody may say so.
pub type Decision = Result<Option<TransferEvent>, Violation>;

impl Transfer {
    /// A new order, as the hub admitted or refused it. Refused orders are kept too: a repeat
    /// learns of the refusal.
    pub fn register(
        order: Order,
        digest: Digest,
        terms: Terms,
        ends: Ends,
        admission: Admission,
    ) -> (Self, TransferEvent) {
        let (reserves, event) = match admission {
            Admission::Pending { reserves } => (reserves, TransferEvent::Registered),
            Admission::Rejected(reason) => {
                (false, TransferEvent::Rejected { reason, at: terms.registered_at })
            }
        };
        let standing = Standing {
            state: TransferState::Pending,
            reason: None,
            confirmed_at: None,
            finished_at: None,
            payer_reported: false,
            payee_reported: false,
            payee_told: false,
            overdue_at: None,
            contradicted_at: None,
            version: 0,
        };
        let mut transfer = Self { order, digest, terms, ends, reserves, standing };
        transfer.apply(event);
        (transfer, event)
    }

    /// A transfer as it was stored. `reserves` says whether its amount is held against the
    /// payer's position limit while it is pending.
    pub fn restore(
        order: Order,
        digest: Digest,
        terms: Terms,
        ends: Ends,
        (reserves, standing): (bool, Standing),
    ) -> Self {
        Self { order, digest, terms, ends, reserves, standing }
    }

    /// What was ordered.
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// Fingerprint of what was ordered.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What was fixed at registration.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How the banks at its ends take part in it.
    pub const fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Whether the payee's bank has it and may have credited: it cannot expire.
    pub fn is_handed_over(&self) -> bool {
        self.standing.payee_told && self.ends.timing(Side::Payee) == CreditTiming::OnDelivery
    }

    /// Whether the amount is held against the payer's position limit while it is pending.
    pub const fn reserves(&self) -> bool {
        self.reserves
    }

    /// Where it stands.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The bank at one end.
    pub const fn bank(&self, side: Side) -> Ispb {
        self.order.party(side).ispb
    }

    /// Whether the bank at one end has posted it.
    pub const fn has_report(&self, side: Side) -> bool {
        match side {
            Side::Payer => self.standing.payer_reported,
            Side::Payee => self.standing.payee_reported,
        }
    }

    /// The order came again. Nothing changes.
    ///
    /// # Errors
    /// `order_content_differs` when it is another order under the same id.
    pub fn repeat(&self, digest: &Digest) -> Result<(), Violation> {
        if self.digest == *digest {
            return Ok(());
        }
        Err(Violation::already_exists(
            "order_content_differs",
            "end_to_end_id",
            format!("{} was ordered before with other content", self.order.end_to_end_id),
        ))
    }

    /// The payee's bank accepts; the log has its word since `heard_at`. Past the deadline it is
    /// too late, unless the transfer was handed over: then the bank says that it has credited,
    /// and that is true whenever it is heard, even if an operator has decided otherwise.
    ///
    /// # Errors
    /// `sender_is_not_payee`.
    pub fn accept(&self, sender: Ispb, heard_at: Timestamp, now: Timestamp) -> Decision {
        self.must_be(Side::Payee, sender)?;
        if self.is_handed_over() {
            let standing = &self.standing;
            return Ok(match standing.state {
                TransferState::Pending => Some(TransferEvent::Confirmed { at: now }),
                TransferState::Rejected if standing.contradicted_at.is_none() => {
                    Some(TransferEvent::Contradicted { at: now })
                }
                TransferState::Rejected
                | TransferState::Confirmed
                | TransferState::Completed
                | TransferState::Expired => None,
            });
        }
        Ok(self.is_pending().then(|| {
            if heard_at > self.terms.deadline {
                TransferEvent::Expired { at: now }
            } else {
                TransferEvent::Confirmed { at: now }
            }
        }))
    }

    /// The payee's bank refuses.
    ///
    /// # Errors
    /// `sender_is_not_payee`; `handed_over` when it may have credited: only an operator, who knows,
    /// may end it so.
    pub fn refuse(&self, sender: Ispb, reason: ReasonCode, now: Timestamp) -> Decision {
        self.must_be(Side::Payee, sender)?;
        if self.is_handed_over() {
            let message = "the payee's bank credits on delivery and cannot refuse what it has";
            return Err(Violation::failed_precondition("handed_over", "end_to_end_id", message));
        }
        Ok(self.is_pending().then_some(TransferEvent::Rejected { reason, at: now }))
    }

    /// The bank at the end `by` has posted it.
    ///
    /// # Errors
    /// `sender_is_not_payer`, `sender_is_not_payee`; `report_before_confirmation` while pending,
    /// `report_without_confirmation` when it was rejected or has expired.
    pub fn report(&self, sender: Ispb, by: Side, now: Timestamp) -> Decision {
        self.must_be(by, sender)?;
        let unfounded = |code, state| {
            let message = format!("bank {sender} posted a transfer that is {state}");
            Err(Violation::failed_precondition(code, "end_to_end_id", message))
        };
        let other = match by {
            Side::Payer => Side::Payee,
            Side::Payee => Side::Payer,
        };
        match self.standing.state {
            TransferState::Pending => unfounded("report_before_confirmation", "pending"),
            TransferState::Rejected => unfounded("report_without_confirmation", "rejected"),
            TransferState::Expired => unfounded("report_without_confirmation", "expired"),
            TransferState::Completed => Ok(None),
            TransferState::Confirmed if self.has_report(by) => Ok(None),
            TransferState::Confirmed if self.has_report(other) => {
                Ok(Some(TransferEvent::Completed { by, at: now }))
            }
            TransferState::Confirmed => Ok(Some(TransferEvent::Reported { by })),
        }
    }

    /// The deadline has passed, if it has. What was handed over is overdue then, once.
    pub fn expire(&self, now: Timestamp) -> Option<TransferEvent> {
        if !self.is_pending() || now <= self.terms.deadline {
            return None;
        }
        if self.is_handed_over() {
            let is_news = self.standing.overdue_at.is_none();
            return is_news.then_some(TransferEvent::Overdue { at: now });
        }
        Some(TransferEvent::Expired { at: now })
    }

    /// An operator, who has asked the payee's bank, ends an overdue transfer.
    ///
    /// # Errors
    /// `transfer_not_overdue`.
    pub fn resolve(
        &self,
        resolution: Resolution,
        now: Timestamp,
    ) -> Result<TransferEvent, Violation> {
        if !self.is_pending() || self.standing.overdue_at.is_none() {
            let state = if self.is_pending() {
                "pending and not overdue"
            } else {
                self.standing.state.as_str()
            };
            return Err(Violation::failed_precondition(
                "transfer_not_overdue",
                "end_to_end_id",
                format!("only an overdue transfer can be resolved, and this one is {state}"),
            ));
        }
        Ok(match resolution {
            Resolution::Credited => TransferEvent::Confirmed { at: now },
            Resolution::Refused => TransferEvent::Rejected { reason: ReasonCode::Ed05, at: now },
        })
    }

    /// The payee's bank has credited what an operator had resolved as refused: that, and nothing
    /// else, the banks settle between them.
    ///
    /// # Errors
    /// `transfer_not_contradicted`.
    pub fn must_be_contradicted(&self) -> Result<(), Violation> {
        if self.standing.contradicted_at.is_some() {
            return Ok(());
        }
        Err(Violation::failed_precondition(
            "transfer_not_contradicted",
            "end_to_end_id",
            "only what was credited after it was resolved as refused can be acknowledged",
        ))
    }

    /// The hub waits no longer for the report of a payer's bank that had debited before it
    /// ordered: its word is information only. `None` while anything else is missing.
    pub fn complete_without_payer(&self, now: Timestamp) -> Option<TransferEvent> {
        let standing = &self.standing;
        let is_due = standing.state == TransferState::Confirmed
            && standing.payee_reported
            && !standing.payer_reported
            && self.ends.timing(Side::Payer) == CreditTiming::OnDelivery;
        is_due.then_some(TransferEvent::CompletedAlone { at: now })
    }

    /// Takes over what happened.
    pub fn apply(&mut self, event: TransferEvent) {
        let standing = &mut self.standing;
        match event {
            TransferEvent::Registered => standing.payee_told = true,
            TransferEvent::Confirmed { at } => {
                standing.state = TransferState::Confirmed;
                standing.confirmed_at = Some(at);
                // It says that it has credited, which is its report.
                let reports = self.ends.timing(Side::Payee) == CreditTiming::OnDelivery;
                standing.payee_reported |= reports;
            }
            TransferEvent::Overdue { at } => standing.overdue_at = Some(at),
            TransferEvent::Contradicted { at } => standing.contradicted_at = Some(at),
            TransferEvent::CompletedAlone { at } => {
                standing.state = TransferState::Completed;
                standing.finished_at = Some(at);
            }
            TransferEvent::Reported { by } => standing.note_report(by),
            TransferEvent::Completed { by, at } => {
                standing.note_report(by);
                standing.state = TransferState::Completed;
                standing.finished_at = Some(at);
            }
            TransferEvent::Rejected { reason, at } => {
                standing.state = TransferState::Rejected;
                standing.reason = Some(reason);
                standing.finished_at = Some(at);
            }
            TransferEvent::Expired { at } => {
                standing.state = TransferState::Expired;
                standing.reason = Some(ReasonCode::Ab03);
                standing.finished_at = Some(at);
            }
        }
        if event.is_published() {
            standing.version = standing.version.saturating_add(1);
        }
    }

    /// How an event of this transfer moves the banks' positions. The sum of the amounts is zero. A
    /// bank that pays itself through the hub owes nobody anything.
    pub fn moves(&self, event: TransferEvent) -> [PositionMove; 2] {
        let amount = self.order.amount;
        let mut payer = PositionMove::none(self.bank(Side::Payer));
        let mut payee = PositionMove::none(self.bank(Side::Payee));
        if payer.ispb == payee.ispb {
            return [payer, payee];
        }
        let held = self.reserves;
        match event {
            TransferEvent::Registered if held => payer.reserved = amount.money(),
            TransferEvent::Confirmed { .. } => {
                payer.amount = minus(amount);
                payee.amount = amount.money();
            }
            TransferEvent::Registered
            | TransferEvent::Overdue { .. }
            | TransferEvent::Contradicted { .. }
            | TransferEvent::Reported { .. }
            | TransferEvent::Completed { .. }
            | TransferEvent::CompletedAlone { .. }
            | TransferEvent::Rejected { .. }
            | TransferEvent::Expired { .. } => {}
        }
        if held && event.ends_pending() {
            payer.reserved = minus(amount);
        }
        [payer, payee]
    }

    fn is_pending(&self) -> bool {
        self.standing.state == TransferState::Pending
    }

    fn must_be(&self, side: Side, sender: Ispb) -> Result<(), Violation> {
        if self.bank(side) == sender {
            return Ok(());
        }
        let (code, whose) = match side {
            Side::Payer => ("sender_is_not_payer", "payer"),
            Side::Payee => ("sender_is_not_payee", "payee"),
        };
        let message = format!(
            "bank {sender} speaks for the {whose}'s bank of {}, which is {}",
            self.order.end_to_end_id,
            self.bank(side)
        );
        Err(Violation::permission_denied(code, "ispb", message))
    }
}

impl Standing {
    const fn note_report(&mut self, by: Side) {
        match by {
            Side::Payer => self.payer_reported = true,
            Side::Payee => self.payee_reported = true,
        }
    }
}

impl TransferEvent {
    /// Whether others hear of it.
    pub const fn is_published(self) -> bool {
        match self {
            Self::Registered
            | Self::Overdue { .. }
            | Self::Confirmed { .. }
            | Self::Completed { .. }
            | Self::CompletedAlone { .. }
            | Self::Rejected { .. }
            | Self::Expired { .. } => true,
            Self::Reported { .. } | Self::Contradicted { .. } => false,
        }
    }

    /// Whether the payee's bank is asked no longer.
    pub const fn ends_pending(self) -> bool {
        match self {
            Self::Confirmed { .. } | Self::Rejected { .. } | Self::Expired { .. } => true,
            Self::Registered
            | Self::Overdue { .. }
            | Self::Contradicted { .. }
            | Self::Reported { .. }
            | Self::Completed { .. }
            | Self::CompletedAlone { .. } => false,
        }
    }
}
