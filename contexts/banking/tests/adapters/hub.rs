//! The hub's words over real tables.

use std::sync::Arc;

use banking::application::command::{BlockAccount, CloseAccount};
use banking::application::hub::{HubReactions, HubWord};
use banking::application::reminder::Reminder;
use banking::application::views::ShownState;
use shared_kernel::application::Sweep;
use shared_kernel::domain::ReasonCode;
use shared_kernel::infrastructure::system::SystemIds;
use std::time::Duration;

use crate::world::{BANK_A, BANK_B, World, ispb};

const AB03: HubWord = HubWord::Expired(ReasonCode::Ab03);

#[tokio::test]
async fn a_transfer_is_held_expected_and_posted_on_both_sides() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let transfer = world.pay(&ana, "bia@example.com", 2_500).await.unwrap();
    assert_eq!(transfer.state, ShownState::Requested);
    assert_eq!(world.funds(&ana).await, (7_500, 2_500));
    let id = transfer.end_to_end_id;
    let pending = world.said(BANK_B, id, HubWord::Pending).await;
    assert_eq!(world.hear(&[pending]).await, [Ok(())]);
    assert_eq!(world.funds(&bia).await, (0, 0));
    let credit = world.said(BANK_B, id, HubWord::Confirmed).await;
    let debit = world.said(BANK_A, id, HubWord::Confirmed).await;
    assert_eq!(world.hear(&[credit, debit]).await, [Ok(()), Ok(())]);
    assert_eq!(world.funds(&ana).await, (7_500, 0));
    assert_eq!(world.funds(&bia).await, (2_500, 0));
    assert_eq!(
        world.told(id.as_str()).await,
        [
            "TransferRequested",
            "TransferAccepted",
            "TransferSettledByPayee",
            "TransferSettledByPayer"
        ]
    );
    assert_eq!(
        world.told(&ana.account_id.to_string()).await,
        ["AccountOpened", "AmountDeposited", "AmountHeld", "AccountDebited"]
    );
    assert_eq!(world.told(&bia.account_id.to_string()).await, ["AccountOpened", "AccountCredited"]);
    world.books_are_right().await;
}

#[tokio::test]
async fn a_repeat_is_reported_again_and_posted_never() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = world.pay(&ana, "bia@example.com", 2_500).await.unwrap().end_to_end_id;
    let credit = world.said(BANK_B, id, HubWord::Confirmed).await;
    let debit = world.said(BANK_A, id, HubWord::Confirmed).await;
    for _ in 0..3 {
        let batch = [credit.clone(), debit.clone(), credit.clone(), debit.clone()];
        assert!(world.hear(&batch).await.iter().all(Result::is_ok));
    }
    assert_eq!((world.funds(&ana).await, world.funds(&bia).await), ((7_500, 0), (2_500, 0)));
    assert_eq!(world.told(id.as_str()).await.len(), 13);
    let entries = "SELECT count(*) AS number FROM banking.entry WHERE leg IN ('payer', 'payee')";
    assert_eq!(world.number(entries).await, 4);
    world.books_are_right().await;
}

#[tokio::test]
async fn an_expired_transfer_releases_its_hold_and_ends_the_expected_credit() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = world.pay(&ana, "bia@example.com", 2_500).await.unwrap().end_to_end_id;
    let pending = world.said(BANK_B, id, HubWord::Pending).await;
    world.hear(&[pending]).await;
    let (to_payee, released) =
        (world.said(BANK_B, id, AB03).await, world.said(BANK_A, id, AB03).await);
    assert!(world.hear(&[to_payee, released]).await.iter().all(Result::is_ok));
    assert_eq!(world.funds(&ana).await, (10_000, 0));
    let events = world.told(&ana.account_id.to_string()).await;
    assert_eq!(events, ["AccountOpened", "AmountDeposited", "AmountHeld", "HoldReleased"]);
    let cancelled = "SELECT count(*) AS number FROM banking.incoming_transfer \
                     WHERE state = 'cancelled' AND reason_code = 'AB03'";
    assert_eq!(world.number(cancelled).await, 1);
    world.books_are_right().await;
}

#[tokio::test]
async fn a_settled_transfer_to_a_closed_account_is_kept_unapplied() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = world.pay(&ana, "bia@example.com", 2_500).await.unwrap().end_to_end_id;
    world.on(CloseAccount { on: bia }).await.unwrap();
    let credit = world.said(BANK_B, id, HubWord::Confirmed).await;
    world.hear(&[credit]).await;
    let kept = "SELECT balance AS number FROM banking.ledger_account \
                WHERE ispb = '00000002' AND kind = 'unapplied-credits'";
    assert_eq!(world.number(kept).await, 2_500);
    world.books_are_right().await;
}

#[tokio::test]
async fn what_is_rolled_back_has_not_happened_and_can_happen_later() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = world.pay(&ana, "bia@example.com", 2_500).await.unwrap().end_to_end_id;
    let records = world.outbox().await.len();
    let debit = world.said(BANK_A, id, HubWord::Confirmed).await;
    let reactions = HubReactions::new(world.clock.clone(), Arc::new(SystemIds));
    let events = std::slice::from_ref(&debit);
    let mut rolled_back = world.ports.store.begin().await.unwrap();
    reactions.react(&mut *rolled_back, events).await.unwrap();
    rolled_back.rollback().await;
    let mut dropped = world.ports.store.begin().await.unwrap();
    reactions.react(&mut *dropped, events).await.unwrap();
    drop(dropped);
    assert_eq!(world.funds(&ana).await, (7_500, 2_500));
    assert_eq!(world.outbox().await.len(), records);
    assert_eq!(world.hear(events).await, [Ok(())]);
    assert_eq!(world.funds(&ana).await, (7_500, 0));
}

#[tokio::test]
async fn two_processes_that_hear_the_same_post_it_once() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 100_000, "ana@example.com").await;
    let bia = world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let mut events = Vec::new();
    for _ in 0..10 {
        let id = world.pay(&ana, "bia@example.com", 100).await.unwrap().end_to_end_id;
        events.push(world.said(BANK_A, id, HubWord::Confirmed).await);
        let pending = world.said(BANK_B, id, HubWord::Pending).await;
        world.hear(&[pending]).await;
        events.push(world.said(BANK_B, id, HubWord::Confirmed).await);
    }
    let backwards: Vec<_> = events.iter().rev().cloned().collect();
    let (first, second) = tokio::join!(world.hear(&events), world.hear(&backwards));
    assert!(first.iter().chain(&second).all(Result::is_ok));
    assert_eq!((world.funds(&ana).await, world.funds(&bia).await), ((99_000, 0), (1_000, 0)));
    world.books_are_right().await;
}

#[tokio::test]
async fn the_hub_is_reminded_once_by_whoever_looks_first() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = world.pay(&ana, "bia@example.com", 2_500).await.unwrap().end_to_end_id;
    let pending = world.said(BANK_B, id, HubWord::Pending).await;
    world.hear(&[pending]).await;
    let reminder = Reminder(world.ports.clone());
    assert_eq!(reminder.sweep().await.unwrap(), 0);
    world.clock.advance(Duration::from_mins(1));
    let (first, second) = tokio::join!(reminder.sweep(), reminder.sweep());
    assert_eq!([first.unwrap(), second.unwrap()].iter().sum::<usize>(), 2);
    assert_eq!(
        world.told(id.as_str()).await,
        ["TransferRequested", "TransferAccepted", "TransferRequested", "TransferAccepted"]
    );
    let records = world.outbox().await;
    let about: Vec<_> = records
        .iter()
        .filter(|record| record.key.as_deref() == Some(id.as_str().as_bytes()))
        .collect();
    assert_eq!(about[0].payload, about[2].payload, "the same order");
    assert_eq!(about[1].payload, about[3].payload, "the same acceptance");
    let trace = |at: usize| about[at].headers.iter().find(|(name, _)| name == "traceparent");
    assert_eq!(trace(0), trace(2), "in the trace that caused it");
    assert_eq!(reminder.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn a_payee_that_is_blocked_or_elsewhere_is_refused() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = world.pay(&ana, "bia@example.com", 2_500).await.unwrap().end_to_end_id;
    world.on(BlockAccount { on: bia }).await.unwrap();
    let pending = world.said(BANK_B, id, HubWord::Pending).await;
    let mut stray = pending.clone();
    stray.bank = ispb("00000009");
    let outcomes = world.hear(&[stray, pending]).await;
    assert_eq!(outcomes[0].as_ref().unwrap_err().code(), "bank_not_concerned");
    assert_eq!(world.told(id.as_str()).await, ["TransferRequested", "TransferRefused"]);
    let refused = "SELECT count(*) AS number FROM banking.incoming_transfer \
                   WHERE state = 'refused' AND reason_code = 'AC06'";
    assert_eq!(world.number(refused).await, 1);
}
