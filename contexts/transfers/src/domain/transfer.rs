//! The life of a transfer.
//!
//! Decisions are pure: each reads the transfer and says what happens, or `None` when the message
//! repeats what is known or comes too late to change anything; `apply` alone changes state. The
//! refusals (`Violation`) are messages that no honest bank sends: they become dead letters.

use shared_kernel::domain::{Digest, Ispb, ReasonCode, Timestamp, Violation};

use super::position::minus;
use super::{Admission, Order, PositionMove, Side, TransferEvent, TransferState};

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
    /// Counts the states that were published.
    pub version: i64,
}

/// A transfer between two banks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    order: Order,
    digest: Digest,
    terms: Terms,
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
            version: 0,
        };
        let mut transfer = Self { order, digest, terms, reserves, standing };
        transfer.apply(event);
        (transfer, event)
    }

    /// A transfer as it was stored. `reserves` says whether its amount is held against the
    /// payer's position limit while it is pending.
    pub fn restore(
        order: Order,
        digest: Digest,
        terms: Terms,
        (reserves, standing): (bool, Standing),
    ) -> Self {
        Self { order, digest, terms, reserves, standing }
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
    /// too late.
    ///
    /// # Errors
    /// `sender_is_not_payee`.
    pub fn accept(&self, sender: Ispb, heard_at: Timestamp, now: Timestamp) -> Decision {
        self.must_be(Side::Payee, sender)?;
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
    /// `sender_is_not_payee`.
    pub fn refuse(&self, sender: Ispb, reason: ReasonCode, now: Timestamp) -> Decision {
        self.must_be(Side::Payee, sender)?;
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

    /// The deadline has passed, if it has.
    pub fn expire(&self, now: Timestamp) -> Option<TransferEvent> {
        let due = self.is_pending() && now > self.terms.deadline;
        due.then_some(TransferEvent::Expired { at: now })
    }

    /// Takes over what happened.
    pub fn apply(&mut self, event: TransferEvent) {
        let standing = &mut self.standing;
        match event {
            TransferEvent::Registered => standing.payee_told = true,
            TransferEvent::Confirmed { at } => {
                standing.state = TransferState::Confirmed;
                standing.confirmed_at = Some(at);
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

    /// How an event of this transfer moves the banks' positions. The sum of the amounts is zero.
    pub fn moves(&self, event: TransferEvent) -> [PositionMove; 2] {
        let amount = self.order.amount;
        let mut payer = PositionMove::none(self.bank(Side::Payer));
        let mut payee = PositionMove::none(self.bank(Side::Payee));
        let held = self.reserves;
        match event {
            TransferEvent::Registered if held => payer.reserved = amount.money(),
            TransferEvent::Confirmed { .. } => {
                payer.amount = minus(amount);
                payee.amount = amount.money();
            }
            TransferEvent::Registered
            | TransferEvent::Reported { .. }
            | TransferEvent::Completed { .. }
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
            | Self::Confirmed { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Expired { .. } => true,
            Self::Reported { .. } => false,
        }
    }

    /// Whether the payee's bank is asked no longer.
    pub const fn ends_pending(self) -> bool {
        match self {
            Self::Confirmed { .. } | Self::Rejected { .. } | Self::Expired { .. } => true,
            Self::Registered | Self::Reported { .. } | Self::Completed { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Money;

    use super::super::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, order, pending, terms};
    use super::*;

    const CONFIRMED: TransferEvent = TransferEvent::Confirmed { at: Timestamp::EPOCH };

    fn given(events: &[TransferEvent]) -> Transfer {
        let mut transfer = pending(1);
        for event in events {
            transfer.apply(*event);
        }
        transfer
    }

    fn accepted(transfer: &Transfer, heard: u64) -> Decision {
        transfer.accept(ispb(PAYEE_BANK), at(heard), at(50))
    }

    fn refused(transfer: &Transfer) -> Decision {
        transfer.refuse(ispb(PAYEE_BANK), ReasonCode::Ac06, at(5))
    }

    fn reported(transfer: &Transfer, by: Side) -> Decision {
        transfer.report(transfer.bank(by), by, at(6))
    }

    fn code<T: std::fmt::Debug>(refused: Result<T, Violation>) -> &'static str {
        refused.unwrap_err().code()
    }

    fn rejected() -> TransferEvent {
        TransferEvent::Rejected { reason: ReasonCode::Ac03, at: at(3) }
    }

    fn expired() -> TransferEvent {
        TransferEvent::Expired { at: at(41) }
    }

    fn by(by: Side) -> TransferEvent {
        TransferEvent::Reported { by }
    }

    fn completed() -> TransferEvent {
        TransferEvent::Completed { by: Side::Payer, at: at(7) }
    }

    #[test]
    fn a_new_order_is_pending_or_rejected() {
        let (transfer, event) = Transfer::register(
            order(1),
            order(1).digest(),
            terms(),
            Admission::Pending { reserves: false },
        );
        assert_eq!(event, TransferEvent::Registered);
        let Standing { state, version, payee_told, .. } = *transfer.standing();
        assert_eq!((state, version, payee_told), (TransferState::Pending, 1, true));

        let admission = Admission::Rejected(ReasonCode::Ds27);
        let (transfer, event) = Transfer::register(order(1), order(1).digest(), terms(), admission);
        assert_eq!(event, TransferEvent::Rejected { reason: ReasonCode::Ds27, at: at(0) });
        let Standing { state, version, payee_told, reason, finished_at, .. } = *transfer.standing();
        assert_eq!((state, version, payee_told), (TransferState::Rejected, 1, false));
        assert_eq!((reason, finished_at), (Some(ReasonCode::Ds27), Some(at(0))));
    }

    #[test]
    fn a_repeat_is_known_by_its_content() {
        let transfer = given(&[]);
        assert_eq!(transfer.repeat(&order(1).digest()), Ok(()));
        assert_eq!(code(transfer.repeat(&order(2).digest())), "order_content_differs");
    }

    #[test]
    fn an_acceptance_in_time_confirms_however_late_it_is_read() {
        let event = accepted(&given(&[]), 40).unwrap();
        assert_eq!(event, Some(TransferEvent::Confirmed { at: at(50) }));
        let transfer = given(&[event.unwrap()]);
        let Standing { state, confirmed_at, version, finished_at, .. } = *transfer.standing();
        assert_eq!((state, version), (TransferState::Confirmed, 2));
        assert_eq!((confirmed_at, finished_at), (Some(at(50)), None));
    }

    #[test]
    fn an_acceptance_after_the_deadline_expires() {
        let event = accepted(&given(&[]), 41).unwrap();
        assert_eq!(event, Some(TransferEvent::Expired { at: at(50) }));
        let transfer = given(&[event.unwrap()]);
        let Standing { state, reason, .. } = *transfer.standing();
        assert_eq!((state, reason), (TransferState::Expired, Some(ReasonCode::Ab03)));
    }

    #[test]
    fn an_acceptance_changes_nothing_later() {
        for end in [CONFIRMED, rejected(), expired()] {
            assert_eq!(accepted(&given(&[end]), 5), Ok(None), "{end:?}");
        }
        assert_eq!(accepted(&given(&[CONFIRMED, by(Side::Payee), completed()]), 5), Ok(None));
    }

    #[test]
    fn a_refusal_rejects_with_the_banks_reason_and_only_while_pending() {
        let event = refused(&given(&[])).unwrap();
        assert_eq!(event, Some(TransferEvent::Rejected { reason: ReasonCode::Ac06, at: at(5) }));
        for end in [CONFIRMED, rejected(), expired()] {
            assert_eq!(refused(&given(&[end])), Ok(None), "{end:?}");
        }
    }

    #[test]
    fn only_the_payees_bank_answers() {
        let transfer = given(&[]);
        for stranger in [PAYER_BANK, "00000009"] {
            let accepted = transfer.accept(ispb(stranger), at(1), at(1));
            assert_eq!(code(accepted), "sender_is_not_payee");
            let refused = transfer.refuse(ispb(stranger), ReasonCode::Ac03, at(1));
            assert_eq!(code(refused), "sender_is_not_payee");
        }
    }

    #[test]
    fn both_reports_complete_in_either_order() {
        for (first, second) in [(Side::Payee, Side::Payer), (Side::Payer, Side::Payee)] {
            let confirmed = given(&[CONFIRMED]);
            assert_eq!(reported(&confirmed, first), Ok(Some(by(first))));
            let half = given(&[CONFIRMED, by(first)]);
            assert_eq!(reported(&half, first), Ok(None));
            assert_eq!(half.standing().version, 2);
            let end = TransferEvent::Completed { by: second, at: at(6) };
            assert_eq!(reported(&half, second), Ok(Some(end)));
            let whole = given(&[CONFIRMED, by(first), end]);
            let Standing { state, version, payer_reported, payee_reported, finished_at, .. } =
                *whole.standing();
            assert_eq!((state, version), (TransferState::Completed, 3));
            assert_eq!((payer_reported, payee_reported, finished_at), (true, true, Some(at(6))));
            for side in [first, second] {
                assert_eq!(reported(&whole, side), Ok(None));
            }
        }
    }

    #[test]
    fn an_unfounded_report_is_refused() {
        for side in [Side::Payer, Side::Payee] {
            assert_eq!(code(reported(&given(&[]), side)), "report_before_confirmation");
            for end in [rejected(), expired()] {
                assert_eq!(code(reported(&given(&[end]), side)), "report_without_confirmation");
            }
        }
        let confirmed = given(&[CONFIRMED]);
        let swapped = confirmed.report(ispb(PAYER_BANK), Side::Payee, at(6));
        assert_eq!(code(swapped), "sender_is_not_payee");
        let swapped = confirmed.report(ispb(PAYEE_BANK), Side::Payer, at(6));
        assert_eq!(code(swapped), "sender_is_not_payer");
    }

    #[test]
    fn only_what_is_pending_and_overdue_expires() {
        assert_eq!(given(&[]).expire(at(40)), None);
        assert_eq!(given(&[]).expire(at(41)), Some(TransferEvent::Expired { at: at(41) }));
        for end in [CONFIRMED, rejected(), expired()] {
            assert_eq!(given(&[end]).expire(at(41)), None);
        }
    }

    #[test]
    fn only_a_confirmation_moves_money() {
        let transfer = given(&[]);
        let [payer, payee] = transfer.moves(CONFIRMED);
        assert_eq!((payer.ispb, payer.amount), (ispb(PAYER_BANK), Money::from_centavos(-100)));
        assert_eq!((payee.ispb, payee.amount), (ispb(PAYEE_BANK), Money::from_centavos(100)));
        assert!(payer.reserved.is_zero() && payee.reserved.is_zero());
        let others =
            [TransferEvent::Registered, by(Side::Payer), completed(), rejected(), expired()];
        for event in others {
            assert!(transfer.moves(event).iter().all(PositionMove::is_none), "{event:?}");
        }
    }

    #[test]
    fn a_reservation_begins_with_pending_and_ends_with_it() {
        let admission = Admission::Pending { reserves: true };
        let (transfer, event) = Transfer::register(order(1), order(1).digest(), terms(), admission);
        assert_eq!(transfer.moves(event)[0].reserved, Money::from_centavos(100));
        for end in [CONFIRMED, rejected(), expired()] {
            assert_eq!(transfer.moves(end)[0].reserved, Money::from_centavos(-100), "{end:?}");
        }
        for event in [by(Side::Payee), completed()] {
            assert!(transfer.moves(event)[0].is_none());
        }
    }

    #[test]
    fn what_was_stored_is_restored() {
        let transfer = given(&[CONFIRMED]);
        let again = Transfer::restore(
            transfer.order().clone(),
            *transfer.digest(),
            *transfer.terms(),
            (transfer.reserves(), *transfer.standing()),
        );
        assert_eq!(again, transfer);
    }
}
