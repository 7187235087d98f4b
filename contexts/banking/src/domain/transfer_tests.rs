//! State machines of the two sides of a transfer, each step kept and each broken.

use std::time::Duration;

use proptest::prelude::*;
use shared_kernel::domain::ReasonCode;

use super::samples::{BANK_A, BANK_B, account, noon, payment};
use super::{
    HubMessage, IncomingEvent, IncomingStatus, IncomingTransfer, OutgoingEvent, OutgoingStatus,
    OutgoingTransfer, Payment,
};

fn paid() -> Payment {
    payment(&account(BANK_A, 1, 1_000), &account(BANK_B, 2, 0), 300)
}

fn outgoing(events: &[OutgoingEvent]) -> OutgoingTransfer {
    let mut transfer = OutgoingTransfer::request(paid());
    for event in events {
        transfer.apply(event);
    }
    transfer
}

fn expected() -> IncomingTransfer {
    IncomingTransfer::answer(paid(), None, noon())
}

fn incoming(mut transfer: IncomingTransfer, events: &[IncomingEvent]) -> IncomingTransfer {
    for event in events {
        transfer.apply(event);
    }
    transfer
}

const SETTLED: OutgoingEvent =
    OutgoingEvent::Settled { at: shared_kernel::domain::Timestamp::EPOCH };

#[test]
fn an_order_settles_once_and_reports_every_time() {
    let settled = outgoing(&[outgoing(&[]).settle(noon()).unwrap().unwrap()]);
    assert_eq!(settled.state().status, OutgoingStatus::Settled);
    assert_eq!(settled.settle(noon()).unwrap(), None);
    assert!(matches!(settled.report(), Some(HubMessage::SettledByPayer { settled_at, .. })
        if settled_at == noon()));
    assert_eq!(outgoing(&[]).report(), None);
}

#[test]
fn an_order_ends_once_for_its_reason() {
    let reason = ReasonCode::Ac03;
    let rejected = outgoing(&[outgoing(&[]).reject(reason, noon()).unwrap().unwrap()]);
    assert_eq!(rejected.state().status, OutgoingStatus::Rejected);
    assert_eq!(rejected.state().reason, Some(reason));
    assert_eq!(rejected.expire(ReasonCode::Ab03, noon()).unwrap(), None);
    assert_eq!(rejected.reject(reason, noon()).unwrap(), None);
    let expired = outgoing(&[outgoing(&[]).expire(ReasonCode::Ab03, noon()).unwrap().unwrap()]);
    assert_eq!(expired.state().status, OutgoingStatus::Expired);
    assert_eq!(expired.report(), None);
}

#[test]
fn the_hub_cannot_take_back_its_word_to_the_payer() {
    let contradiction = "transfer_contradicts";
    let settled = outgoing(&[SETTLED]);
    assert_eq!(settled.reject(ReasonCode::Ds04, noon()).unwrap_err().code(), contradiction);
    assert_eq!(settled.expire(ReasonCode::Ab03, noon()).unwrap_err().code(), contradiction);
    for ended in [
        OutgoingEvent::Rejected { reason: ReasonCode::Ds04, at: noon() },
        OutgoingEvent::Expired { reason: ReasonCode::Ab03, at: noon() },
    ] {
        assert_eq!(outgoing(&[ended]).settle(noon()).unwrap_err().code(), contradiction);
    }
}

#[test]
fn an_unanswered_order_is_told_again_at_doubling_intervals() {
    let mut transfer = outgoing(&[]);
    let mut now = transfer.state().payment.deadline;
    assert_eq!(transfer.remind(now), None);
    now = now.saturating_add(Duration::from_secs(20));
    let mut waits = Vec::new();
    for _ in 0..7 {
        let reminded = transfer.remind(now).unwrap();
        transfer.apply(&reminded);
        waits.push(transfer.state().resend_at.since(now).as_secs());
        assert_eq!(transfer.remind(now), None);
        now = transfer.state().resend_at;
    }
    assert_eq!(waits, [20, 40, 80, 160, 320, 600, 600]);
    transfer.apply(&SETTLED);
    assert_eq!(transfer.remind(now), None);
}

#[test]
fn a_repeated_order_says_the_same() {
    let first = outgoing(&[]);
    let reminded = first.remind(first.state().resend_at).unwrap();
    assert_eq!(outgoing(&[reminded]).order(), first.order());
}

#[test]
fn a_question_is_answered_and_answered_again_alike() {
    assert!(matches!(expected().reply(), Some(HubMessage::Accepted { accepted_at, .. })
        if accepted_at == noon()));
    let refused = IncomingTransfer::answer(paid(), Some(ReasonCode::Ac06), noon());
    assert!(matches!(refused.reply(), Some(HubMessage::Refused { reason: ReasonCode::Ac06, .. })));
    assert_eq!(refused.state().finished_at, Some(noon()));
}

#[test]
fn a_settled_credit_is_posted_once_and_reported_every_time() {
    for (unapplied, status) in
        [(None, IncomingStatus::Credited), (Some(ReasonCode::Ac07), IncomingStatus::Unapplied)]
    {
        let posted =
            incoming(expected(), &[expected().settle(unapplied, noon()).unwrap().unwrap()]);
        assert_eq!(posted.state().status, status);
        assert_eq!(posted.settle(unapplied, noon()).unwrap(), None);
        assert_eq!(posted.reply(), None);
        let kept = unapplied.is_some();
        assert!(matches!(posted.report(), Some(HubMessage::SettledByPayee { unapplied, .. })
            if unapplied == kept));
    }
    assert_eq!(expected().report(), None);
}

#[test]
fn a_refused_credit_is_posted_all_the_same_once_the_hub_settles_it() {
    let refused = IncomingTransfer::answer(paid(), Some(ReasonCode::Ac06), noon());
    assert!(refused.settle(None, noon()).unwrap().is_some());
    assert_eq!(refused.cancel(ReasonCode::Ac06, noon()).unwrap(), None);
}

#[test]
fn the_hub_cannot_take_back_its_word_to_the_payee() {
    let contradiction = "transfer_contradicts";
    let posted = incoming(expected(), &[IncomingEvent::Posted { unapplied: None, at: noon() }]);
    assert_eq!(posted.cancel(ReasonCode::Ab03, noon()).unwrap_err().code(), contradiction);
    let ended = IncomingEvent::Cancelled { reason: ReasonCode::Ab03, at: noon() };
    let cancelled = incoming(expected(), &[ended]);
    assert_eq!(cancelled.settle(None, noon()).unwrap_err().code(), contradiction);
    assert_eq!(cancelled.cancel(ReasonCode::Ab03, noon()).unwrap(), None);
    assert_eq!(cancelled.reply(), None);
    assert_eq!(cancelled.report(), None);
}

#[test]
fn an_unanswered_acceptance_is_told_again_after_the_hub_s_deadline() {
    let transfer = expected();
    let due = transfer.state().payment.deadline.saturating_add(Duration::from_secs(20));
    assert_eq!(transfer.state().resend_at, due);
    let reminded = transfer.remind(due).unwrap();
    assert_eq!(incoming(expected(), &[reminded]).reply(), expected().reply());
    let posted = incoming(expected(), &[IncomingEvent::Posted { unapplied: None, at: noon() }]);
    assert_eq!(posted.remind(due), None);
}

#[test]
fn words_are_read_as_they_were_written() {
    assert!(OutgoingStatus::ALL.iter().all(|it| OutgoingStatus::parse(it.as_str()) == Some(*it)));
    assert!(IncomingStatus::ALL.iter().all(|it| IncomingStatus::parse(it.as_str()) == Some(*it)));
    assert_eq!(OutgoingStatus::parse("credited"), None);
    assert_eq!(IncomingStatus::parse("settled"), None);
}

proptest! {
    #[test]
    fn money_moves_at_most_once_on_the_payer_s_side(
        words in proptest::collection::vec(0_u8..4, 0..20),
    ) {
        let mut transfer = outgoing(&[]);
        let mut moved = 0;
        for word in words {
            let before = transfer.state().status;
            let event = match word {
                0 => transfer.settle(noon()).ok().flatten(),
                1 => transfer.reject(ReasonCode::Ds04, noon()).ok().flatten(),
                2 => transfer.expire(ReasonCode::Ab03, noon()).ok().flatten(),
                _ => transfer.remind(transfer.state().resend_at),
            };
            if let Some(event) = event {
                prop_assert_eq!(before, OutgoingStatus::Requested);
                transfer.apply(&event);
                moved += i32::from(transfer.state().status != OutgoingStatus::Requested);
            }
        }
        prop_assert!(moved <= 1);
    }

    #[test]
    fn money_moves_at_most_once_on_the_payee_s_side(
        words in proptest::collection::vec(0_u8..4, 0..20),
    ) {
        let mut transfer = expected();
        let mut posted = 0;
        for word in words {
            let event = match word {
                0 => transfer.settle(None, noon()).ok().flatten(),
                1 => transfer.settle(Some(ReasonCode::Ac07), noon()).ok().flatten(),
                2 => transfer.cancel(ReasonCode::Ab03, noon()).ok().flatten(),
                _ => transfer.remind(transfer.state().resend_at),
            };
            if let Some(event) = event {
                posted += i32::from(matches!(event, IncomingEvent::Posted { .. }));
                transfer.apply(&event);
            }
        }
        prop_assert!(posted <= 1);
    }
}
