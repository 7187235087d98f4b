//! Queries over real tables.

use banking::application::command::Withdraw;
use banking::application::hub::HubWord;
use banking::application::query::{
    GetStatement, GetTransfer, ListAccounts, ListBanks, ListTransfers,
};
use banking::application::views::{Direction, ShownState};
use shared_kernel::application::Caller;
use shared_kernel::domain::ReasonCode;
use std::time::Duration;

use crate::world::{BANK_A, BANK_B, World, amount, code, ispb};

#[tokio::test]
async fn banks_are_listed_with_their_colours_while_they_are_hosted() {
    let world = World::fresh().await;
    let list = ListBanks(world.ports.reads.clone());
    let banks = list.execute(Caller::Operator).await.unwrap();
    assert_eq!(banks.len(), 2);
    assert!(banks.iter().all(|bank| bank.primary_color.starts_with('#')));
    world.enrol(&[(BANK_B, false)], 2).await;
    assert_eq!(list.execute(Caller::Operator).await.unwrap()[0].ispb, ispb(BANK_A));
}

#[tokio::test]
async fn a_statement_runs_backwards_with_its_balance() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let bia = world.account(BANK_A, 222_333_444, 0, "bia@example.com").await;
    world.account(BANK_B, 333_444_555, 0, "caio@example.com").await;
    world.pay(&ana, "bia@example.com", 100).await.unwrap();
    let out = world.pay(&ana, "caio@example.com", 200).await.unwrap().end_to_end_id;
    let settled = world.said(BANK_A, out, HubWord::Confirmed).await;
    world.hear(&[settled]).await;
    world.pay(&bia, "ana@example.com", 50).await.unwrap();
    let cash = Withdraw { on: ana.clone(), idempotency_key: "w".into(), amount: amount(30) };
    world.on(cash).await.unwrap();
    let statement = GetStatement(world.ports.reads.clone());
    let (mut lines, mut cursor) = (Vec::new(), None);
    loop {
        let read = statement.execute(Caller::Operator, ana.account_id, cursor, 2).await;
        let page = read.unwrap();
        lines.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let seen: Vec<(&str, i64, i64, &str)> = lines
        .iter()
        .map(|line| {
            let (amount, after) = (line.amount.centavos(), line.balance_after.centavos());
            (line.leg.entry_kind(line.amount), amount, after, line.counterparty_name.as_str())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("withdrawal", -30, 720, ""),
            ("book_credit", 50, 750, "Owner 222333444"),
            ("transfer_debit", -200, 700, "Owner 333444555"),
            ("book_debit", -100, 900, "Owner 222333444"),
            ("deposit", 1_000, 1_000, ""),
        ]
    );
    assert_eq!(lines[2].end_to_end_id, Some(out));
    assert_eq!(lines[2].description, "rent");
    assert_eq!(lines[0].end_to_end_id, None);
}

#[tokio::test]
async fn transfers_are_listed_in_all_directions_page_by_page() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let bia = world.account(BANK_A, 222_333_444, 1_000, "bia@example.com").await;
    let caio = world.account(BANK_B, 333_444_555, 1_000, "caio@example.com").await;
    for (from, key) in [
        (&ana, "bia@example.com"),
        (&ana, "caio@example.com"),
        (&bia, "ana@example.com"),
        (&ana, "caio@example.com"),
    ] {
        world.pay(from, key, 10).await.unwrap();
        // Equal times test the order by id; then time goes on.
        if key == "caio@example.com" {
            world.clock.advance(Duration::from_secs(1));
        }
    }
    let back = world.pay(&caio, "ana@example.com", 10).await.unwrap().end_to_end_id;
    let pending = world.said(BANK_A, back, HubWord::Pending).await;
    world.hear(&[pending]).await;
    let list = ListTransfers(world.ports.reads.clone());
    let all = list.execute(Caller::Operator, ana.account_id, None, 0).await.unwrap().rows;
    let count = |direction| all.iter().filter(|it| it.direction == direction).count();
    assert_eq!(
        [count(Direction::Outgoing), count(Direction::Incoming), count(Direction::Book)],
        [2, 1, 2]
    );
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = list.execute(Caller::Operator, ana.account_id, cursor, 2).await.unwrap();
        seen.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn each_account_sees_its_own_side_of_a_transfer() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let bia = world.account(BANK_A, 222_333_444, 0, "bia@example.com").await;
    let caio = world.account(BANK_B, 333_444_555, 0, "caio@example.com").await;
    let get = GetTransfer(world.ports.reads.clone());
    let booked = world.pay(&ana, "bia@example.com", 10).await.unwrap();
    let by_payer = get.execute(Caller::Operator, booked.end_to_end_id, ana.account_id).await;
    assert_eq!(by_payer, Ok(booked.clone()), "the answer of the command, read again");
    let other_side =
        get.execute(Caller::Operator, booked.end_to_end_id, bia.account_id).await.unwrap();
    assert_eq!(other_side.counterparty_account_id, Some(bia.account_id));
    assert_eq!(other_side.counterparty_name, "Owner 111222333");

    let out = world.pay(&ana, "caio@example.com", 10).await.unwrap();
    let id = out.end_to_end_id;
    assert_eq!(get.execute(Caller::Operator, id, ana.account_id).await, Ok(out));
    assert_eq!(
        code(get.execute(Caller::Operator, id, caio.account_id).await),
        "transfer_not_found"
    );
    let pending = world.said(BANK_B, id, HubWord::Pending).await;
    world.hear(&[pending]).await;
    let expected = get.execute(Caller::Operator, id, caio.account_id).await.unwrap();
    assert_eq!((expected.direction, expected.state), (Direction::Incoming, ShownState::Requested));
    let expired = HubWord::Expired(ReasonCode::Ab03);
    let (debit, credit) =
        (world.said(BANK_A, id, expired).await, world.said(BANK_B, id, expired).await);
    world.hear(&[debit, credit]).await;
    for account in [ana.account_id, caio.account_id] {
        let seen = get.execute(Caller::Operator, id, account).await.unwrap();
        assert_eq!((seen.state, seen.reason), (ShownState::Expired, Some(ReasonCode::Ab03)));
    }
}

#[tokio::test]
async fn accounts_are_listed_oldest_first_page_by_page() {
    let world = World::fresh().await;
    let mut opened = Vec::new();
    for owner in 1..6 {
        opened.push(world.account(BANK_A, owner, 0, "none").await.account_id);
        if owner % 2 == 0 {
            world.clock.advance(Duration::from_secs(1));
        }
    }
    let list = ListAccounts(world.ports.reads.clone());
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = list.execute(Caller::Operator, ispb(BANK_A), cursor, 2).await.unwrap();
        seen.extend(page.rows.into_iter().map(|account| account.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, opened);
}
