//! The life of a transfer between two banks that credit on confirmation.

use shared_kernel::domain::{Money, ReasonCode, Timestamp, Violation};

use super::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, order, pending, terms};
use super::*;

const CONFIRMED: TransferEvent = TransferEvent::Confirmed { at: Timestamp::EPOCH };

fn given(events: &[TransferEvent]) -> Transfer {
    let mut transfer = pending(1);
    for event in events {
        transfer.apply(*event);
    }
    transfer
}

fn registered(admission: Admission) -> (Transfer, TransferEvent) {
    Transfer::register(order(1), order(1).digest(), terms(), Ends::CONFIRMING, admission)
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
        Ends::CONFIRMING,
        Admission::Pending { reserves: false },
    );
    assert_eq!(event, TransferEvent::Registered);
    let Standing { state, version, payee_told, .. } = *transfer.standing();
    assert_eq!((state, version, payee_told), (TransferState::Pending, 1, true));

    let admission = Admission::Rejected(ReasonCode::Ds27);
    let (transfer, event) = registered(admission);
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
    let others = [TransferEvent::Registered, by(Side::Payer), completed(), rejected(), expired()];
    for event in others {
        assert!(transfer.moves(event).iter().all(PositionMove::is_none), "{event:?}");
    }
}

#[test]
fn a_reservation_begins_with_pending_and_ends_with_it() {
    let admission = Admission::Pending { reserves: true };
    let (transfer, event) = registered(admission);
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
        *transfer.ends(),
        (transfer.reserves(), *transfer.standing()),
    );
    assert_eq!(again, transfer);
}
