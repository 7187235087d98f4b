//! The life of a transfer whose banks credit when they are told: given, when, then.

use proptest::prelude::*;
use shared_kernel::domain::{ReasonCode, Timestamp};

use super::testing::{PAYEE_BANK, at, ispb, order, pending_between, terms};
use super::*;

const LATER: CreditTiming = CreditTiming::OnConfirmation;
const AT_ONCE: CreditTiming = CreditTiming::OnDelivery;

fn given(events: &[TransferEvent]) -> Transfer {
    let mut transfer = pending_between(1, LATER, AT_ONCE);
    for event in events {
        transfer.apply(*event);
    }
    transfer
}

fn credited(transfer: &Transfer, second: u64) -> Option<TransferEvent> {
    transfer.accept(ispb(PAYEE_BANK), at(second), at(second)).unwrap()
}

const fn overdue(at: Timestamp) -> TransferEvent {
    TransferEvent::Overdue { at }
}

#[test]
fn what_is_handed_over_never_expires_and_is_overdue_once() {
    let transfer = given(&[]);
    assert!(transfer.is_handed_over());
    assert_eq!(transfer.expire(at(40)), None);
    let event = transfer.expire(at(41)).unwrap();
    assert_eq!(event, overdue(at(41)));
    let transfer = given(&[event]);
    let Standing { state, overdue_at, version, .. } = *transfer.standing();
    assert_eq!((state, overdue_at, version), (TransferState::Pending, Some(at(41)), 2));
    assert_eq!(transfer.expire(at(999)), None);
}

#[test]
fn the_banks_word_settles_whenever_it_comes_and_is_its_report() {
    for events in [vec![], vec![overdue(at(41))]] {
        let transfer = given(&events);
        for second in [1, 40, 41, 90_000] {
            let event = credited(&transfer, second).unwrap();
            assert_eq!(event, TransferEvent::Confirmed { at: at(second) });
            let [payer, payee] = transfer.moves(event).map(|step| step.amount.centavos());
            assert_eq!((payer, payee), (-100, 100));
            let mut after = transfer.clone();
            after.apply(event);
            let Standing { state, payee_reported, payer_reported, .. } = *after.standing();
            assert_eq!((state, payee_reported), (TransferState::Confirmed, true));
            assert!(!payer_reported);
            let completed = after.report(after.bank(Side::Payer), Side::Payer, at(second)).unwrap();
            let by = Side::Payer;
            assert_eq!(completed, Some(TransferEvent::Completed { by, at: at(second) }));
        }
    }
}

#[test]
fn a_bank_that_may_have_credited_cannot_refuse() {
    let refused = given(&[]).refuse(ispb(PAYEE_BANK), ReasonCode::Ac03, at(1)).unwrap_err();
    assert_eq!(refused.code(), "handed_over");
}

#[test]
fn an_operator_ends_only_what_is_overdue() {
    let both = [Resolution::Credited, Resolution::Refused];
    let confirmed = TransferEvent::Confirmed { at: at(1) };
    for events in [vec![], vec![confirmed], vec![overdue(at(41)), confirmed]] {
        for resolution in both {
            let refused = given(&events).resolve(resolution, at(50)).unwrap_err();
            assert_eq!(refused.code(), "transfer_not_overdue");
        }
    }
    let transfer = given(&[overdue(at(41))]);
    let resolved = both.map(|resolution| transfer.resolve(resolution, at(50)).unwrap());
    let rejected = TransferEvent::Rejected { reason: ReasonCode::Ed05, at: at(50) };
    assert_eq!(resolved, [TransferEvent::Confirmed { at: at(50) }, rejected]);
}

#[test]
fn a_word_that_contradicts_the_operator_is_noted_once_and_changes_nothing_else() {
    let rejected = TransferEvent::Rejected { reason: ReasonCode::Ed05, at: at(50) };
    let before = given(&[overdue(at(41)), rejected]);
    let event = credited(&before, 60).unwrap();
    assert_eq!(event, TransferEvent::Contradicted { at: at(60) });
    assert!(!event.is_published() && before.moves(event).iter().all(PositionMove::is_none));
    let mut after = before.clone();
    after.apply(event);
    let noted = Standing { contradicted_at: Some(at(60)), ..*before.standing() };
    assert_eq!(*after.standing(), noted);
    assert_eq!(credited(&after, 61), None);
}

#[test]
fn an_order_that_the_hub_refused_was_never_handed_over() {
    let ends = Ends { payer: LATER, payee: AT_ONCE, order_id: None };
    let admission = Admission::Rejected(ReasonCode::Am04);
    let order = order(1);
    let digest = order.digest();
    let (transfer, _) = Transfer::register(order, digest, terms(), ends, admission);
    assert!(!transfer.is_handed_over());
    assert_eq!(credited(&transfer, 1), None);
}

#[test]
fn the_hub_completes_alone_only_what_a_payer_that_debits_first_leaves_open() {
    let settled = |payer, payee| {
        let mut transfer = pending_between(1, payer, payee);
        transfer.apply(TransferEvent::Confirmed { at: at(1) });
        transfer
    };
    let alone = TransferEvent::CompletedAlone { at: at(81) };
    let mut transfer = settled(AT_ONCE, AT_ONCE);
    assert_eq!(transfer.complete_without_payer(at(81)), Some(alone));
    transfer.apply(alone);
    let Standing { state, payer_reported, .. } = *transfer.standing();
    assert_eq!((state, payer_reported), (TransferState::Completed, false));
    let late = transfer.report(transfer.bank(Side::Payer), Side::Payer, at(90));
    assert_eq!(late, Ok(None), "a later report changes nothing");

    assert_eq!(settled(LATER, AT_ONCE).complete_without_payer(at(81)), None);
    let unposted = settled(AT_ONCE, LATER);
    assert_eq!(unposted.complete_without_payer(at(81)), None, "the payee has not credited");
    assert_eq!(pending_between(1, AT_ONCE, AT_ONCE).complete_without_payer(at(81)), None);
}

#[test]
fn a_bank_that_pays_itself_owes_nobody() {
    let mut order = order(1);
    order.payee.ispb = order.payer.ispb;
    let ends = Ends { payer: AT_ONCE, payee: AT_ONCE, order_id: None };
    let (digest, admission) = (order.digest(), Admission::Pending { reserves: false });
    let (transfer, event) = Transfer::register(order, digest, terms(), ends, admission);
    for event in [event, TransferEvent::Confirmed { at: at(1) }] {
        assert!(transfer.moves(event).iter().all(PositionMove::is_none));
    }
}

/// Whatever may be heard of one transfer, by anyone and at any time.
#[derive(Clone, Copy, Debug)]
enum Heard {
    Credited,
    Refused,
    Reported(Side),
    Passed,
    Resolved(Resolution),
    Waited,
}

fn heard() -> impl Strategy<Value = Heard> {
    prop_oneof![
        Just(Heard::Credited),
        Just(Heard::Refused),
        Just(Heard::Reported(Side::Payer)),
        Just(Heard::Reported(Side::Payee)),
        Just(Heard::Passed),
        Just(Heard::Resolved(Resolution::Credited)),
        Just(Heard::Resolved(Resolution::Refused)),
        Just(Heard::Waited),
    ]
}

fn decide(transfer: &Transfer, heard: Heard, now: Timestamp) -> Option<TransferEvent> {
    match heard {
        Heard::Credited => transfer.accept(transfer.bank(Side::Payee), now, now).ok().flatten(),
        Heard::Refused => {
            transfer.refuse(transfer.bank(Side::Payee), ReasonCode::Ac03, now).ok().flatten()
        }
        Heard::Reported(by) => transfer.report(transfer.bank(by), by, now).ok().flatten(),
        Heard::Passed => transfer.expire(now),
        Heard::Resolved(resolution) => transfer.resolve(resolution, now).ok(),
        Heard::Waited => transfer.complete_without_payer(now),
    }
}

proptest! {
    /// The payee's bank has the money in its books from the beginning. So the hub must never say
    /// that the transfer failed unless an operator did, and must move the positions at most once.
    #[test]
    fn no_interleaving_loses_or_doubles_money_or_tells_the_payer_a_lie(
        story in proptest::collection::vec((heard(), 0_u64..30), 1..25),
        payer in prop_oneof![Just(LATER), Just(AT_ONCE)],
    ) {
        let mut transfer = pending_between(1, payer, AT_ONCE);
        let (mut second, mut moved, mut operator_refused) = (0_u64, 0_i64, false);
        let mut told = Vec::new();
        for (heard, passed) in story {
            second = second.saturating_add(passed);
            let before = *transfer.standing();
            let Some(event) = decide(&transfer, heard, at(second)) else { continue };
            let steps = transfer.moves(event).map(|step| step.amount.centavos());
            prop_assert_eq!(steps[0].saturating_add(steps[1]), 0);
            moved = moved.saturating_add(steps[1]);
            transfer.apply(event);
            if event.is_published() {
                told.push(transfer.standing().state);
                prop_assert_eq!(transfer.standing().version, before.version.saturating_add(1));
            }
            operator_refused |= matches!(heard, Heard::Resolved(Resolution::Refused));
            if before.state.is_final() {
                let noted = transfer.standing().contradicted_at;
                let expected = Standing { contradicted_at: noted, ..before };
                prop_assert_eq!(*transfer.standing(), expected);
            }
            prop_assert_ne!(transfer.standing().state, TransferState::Expired);
        }
        let settled = transfer.standing().confirmed_at.is_some();
        prop_assert_eq!(moved, if settled { 100 } else { 0 });
        prop_assert_eq!(told.contains(&TransferState::Rejected), operator_refused);
        prop_assert_eq!(told.contains(&TransferState::Confirmed), settled);
        prop_assert!(!(settled && operator_refused));
    }
}
