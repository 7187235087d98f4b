//! Queries over real tables.

use banking::application::account_command::OnAccount;
use banking::application::command::Withdraw;
use banking::application::hub::HubWord;
use banking::application::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use banking::application::query::{
    GetBank, GetStatement, GetTransfer, ListAccounts, ListBanks, ListHolds, ListTransfers,
};
use banking::application::views::{Direction, ShownState};
use banking::domain::Account;
use shared_kernel::application::{Caller, PageSize};
use shared_kernel::domain::ReasonCode;
use std::time::Duration;

use crate::world::{BANK_A, BANK_B, World, amount, code, ispb};

fn part<K, P>(of: K, size: i64, after: Option<P>) -> Part<K, P> {
    Part { of, size: PageSize::asked(size).unwrap(), after }
}

#[tokio::test]
async fn banks_are_listed_with_their_colours_while_they_are_hosted() {
    let world = World::fresh().await;
    let list = ListBanks(world.ports.reads.clone());
    let banks = list.execute(Caller::Operator).await.unwrap();
    assert_eq!(banks.len(), 2);
    assert!(banks.iter().all(|bank| bank.primary_color.starts_with('#')));
    let get = GetBank(world.ports.reads.clone());
    let asked = [BANK_B, "00000009"].map(|bank| (Caller::Operator, ispb(bank)));
    let mut found = get.execute(&asked).await;
    assert_eq!(code(found.remove(1)), "bank_not_hosted");
    assert_eq!(found.remove(0), Ok(banks[1].clone()));
    world.enrol(&[(BANK_B, false)], 2).await;
    assert_eq!(list.execute(Caller::Operator).await.unwrap()[0].ispb, ispb(BANK_A));
    assert_eq!(code(get.execute(&asked).await.remove(0)), "bank_not_hosted");
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
        let asked = part(ana.account_id, 2, cursor);
        let page = statement.execute(Caller::Operator, asked).await.unwrap();
        cursor = page.next(|line| PostingPlace::from(line));
        lines.extend(page.rows);
        if cursor.is_none() {
            break;
        }
    }
    let seen: Vec<(&str, i64, i64, &str)> = lines
        .iter()
        .map(|line| {
            let (amount, after) = (line.amount.centavos(), line.balance_after.centavos());
            (
                line.leg.entry_kind(line.amount).as_str(),
                amount,
                after,
                line.counterparty_name.as_str(),
            )
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
    let all = list.execute(Caller::Operator, part(ana.account_id, 0, None)).await.unwrap().rows;
    let count = |direction| all.iter().filter(|it| it.direction == direction).count();
    assert_eq!(
        [count(Direction::Outgoing), count(Direction::Incoming), count(Direction::Book)],
        [2, 1, 2]
    );
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let asked = part(ana.account_id, 2, cursor);
        let page = list.execute(Caller::Operator, asked).await.unwrap();
        cursor = page.next(|transfer| TransferPlace::from(transfer));
        seen.extend(page.rows);
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
        let asked = part(ispb(BANK_A), 2, cursor);
        let page = list.execute(Caller::Operator, asked).await.unwrap();
        cursor = page.next(|account| AccountPlace::from(account));
        seen.extend(page.rows.into_iter().map(|account| account.id));
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, opened);
}

#[tokio::test]
async fn what_is_held_is_listed_newest_first_until_the_hub_has_spoken() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let mut held = Vec::new();
    for centavos in [10, 20, 30, 40] {
        held.push(world.pay(&ana, "bia@example.com", centavos).await.unwrap().end_to_end_id);
        // Equal times test the order by id; then time goes on.
        if centavos == 20 {
            world.clock.advance(Duration::from_secs(1));
        }
    }
    let settled = world.said(BANK_A, held[2], HubWord::Confirmed).await;
    world.hear(&[settled]).await;
    let list = ListHolds(world.ports.reads.clone());
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let asked = part(ana.account_id, 2, cursor);
        let page = list.execute(Caller::Operator, asked).await.unwrap();
        cursor = page.next(|hold| TransferPlace::from(hold));
        seen.extend(page.rows);
        if cursor.is_none() {
            break;
        }
    }
    let amounts: Vec<i64> = seen.iter().map(|hold| hold.amount.centavos()).collect();
    assert_eq!(amounts.iter().sum::<i64>(), world.funds(&ana).await.1);
    assert_eq!(seen[0].end_to_end_id, held[3]);
    assert!(seen[1].end_to_end_id > seen[2].end_to_end_id, "{seen:?}");
    assert_eq!(seen[0].deadline.since(seen[0].since), Duration::from_secs(40));
}

#[tokio::test]
async fn the_lists_of_many_accounts_are_read_together_and_stay_apart() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let bia = world.account(BANK_B, 222_333_444, 1_000, "bia@example.com").await;
    for centavos in [10, 20, 30] {
        world.pay(&ana, "bia@example.com", centavos).await.unwrap();
    }
    let back = world.pay(&bia, "ana@example.com", 5).await.unwrap();
    let at = |on: &OnAccount| AccountAt { ispb: on.ispb, id: on.account_id };
    // The account is not kept at this bank: nothing may be found by such a question.
    let pretended = AccountAt { ispb: ispb(BANK_B), id: ana.account_id };
    let of = |at| part(at, 1, None);
    let parts = [of(at(&bia)), of(pretended), part(at(&ana), 2, None)];
    let of_transfers = parts.map(|part| part.narrowed(TransfersOf::from));
    let transfers = world.ports.reads.transfers_of(&of_transfers).await.unwrap();
    let holds = world.ports.reads.holds_of(&parts).await.unwrap();
    assert_eq!(transfers[0], [back]);
    // One row more than wanted tells that there are more.
    assert_eq!(transfers.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 3]);
    assert_eq!(holds.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 3]);
    let parts = [part(pretended, 9, None), part(at(&ana), 9, Some(PostingPlace(3)))];
    let parts = parts.map(|part| part.narrowed(PostingsOf::from));
    let postings = world.ports.reads.statements(&parts).await.unwrap();
    assert_eq!(postings.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1]);
    let banks = [part(ispb(BANK_B), 9, None), part(ispb(BANK_A), 9, None)];
    let banks = banks.map(|part| part.narrowed(AccountsOf::from));
    let accounts = world.ports.reads.accounts_of(&banks).await.unwrap();
    let ids = |list: &[Account]| list.iter().map(|it| it.state().id).collect::<Vec<_>>();
    assert_eq!(ids(&accounts[0]), [bia.account_id]);
    assert_eq!(ids(&accounts[1]), [ana.account_id]);
}
