//! Commands over real tables, many at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use banking::application::account_command::AccountDesk;
use banking::application::books::Books;
use banking::application::command::{Deposit, OpenAccount, OpenAccountDesk, Withdraw};
use banking::application::ports::BankingPorts;
use banking::application::views::{AccountView, Direction, TransferView};
use banking::domain::AccountNumber;
use diesel_async::RunQueryDsl;
use futures::future::join_all;
use shared_kernel::application::{ApplicationError, BatchExecutor, Caller, Clock};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::postgres::{statement, store_error};
use shared_kernel::testing::{FixedClock, eventually};
use uuid::Uuid;

use crate::world::{BANK_A, BANK_B, World, amount, code, ispb, opening, payment};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_equal_orders_at_once_hold_once_and_are_answered_alike() {
    let world = Arc::new(World::fresh().await);
    let ana = world.account(BANK_A, 111_222_333, 100_000, "ana@example.com").await;
    world.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let order = payment(&ana, "bia@example.com", 2_500);
    let ask = |_| {
        let (world, order) = (Arc::clone(&world), order.clone());
        // Each as if it were a process of its own: nothing is folded in memory.
        tokio::spawn(async move {
            let runner = world.runner(world.transfers());
            BatchExecutor::execute(&runner, vec![order]).await.remove(0)
        })
    };
    let answers = join_all((0..50).map(ask)).await;
    let answers: Vec<TransferView> =
        answers.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.funds(&ana).await, (97_500, 2_500));
    let holds = "SELECT count(*) AS number FROM banking.outgoing_transfer";
    assert_eq!(world.number(holds).await, 1);
    assert_eq!(world.told(answers[0].end_to_end_id.as_str()).await, ["TransferRequested"]);
    world.books_are_right().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_transfers_at_once_never_overdraw() {
    let world = Arc::new(World::fresh().await);
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = world.account(BANK_A, 222_333_444, 0, "bia@example.com").await;
    world.account(BANK_B, 333_444_555, 0, "caio@example.com").await;
    let ask = |number: usize| {
        let key = if number.is_multiple_of(2) { "bia@example.com" } else { "caio@example.com" };
        let (world, order) = (Arc::clone(&world), payment(&ana, key, 100));
        tokio::spawn(async move {
            let runner = world.runner(world.transfers());
            BatchExecutor::execute(&runner, vec![order]).await.remove(0)
        })
    };
    let answers = join_all((0..200).map(ask)).await;
    let (paid, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((paid.len(), refused.len()), (100, 100));
    assert!(refused.into_iter().all(|refusal| code(refusal) == "insufficient_funds"));
    let booked = paid.iter().flatten().filter(|it| it.direction == Direction::Book).count();
    let booked = i64::try_from(booked).unwrap();
    assert_eq!(world.funds(&ana).await, (0, 10_000 - booked * 100));
    assert_eq!(world.funds(&bia).await, (booked * 100, 0));
    world.books_are_right().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transfers_to_and_fro_do_not_lock_each_other_out() {
    let world = Arc::new(World::fresh().await);
    let ana = world.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = world.account(BANK_A, 222_333_444, 10_000, "bia@example.com").await;
    let ask = |number: usize| {
        let (from, key) = if number.is_multiple_of(2) {
            (&ana, "bia@example.com")
        } else {
            (&bia, "ana@example.com")
        };
        let (world, order) = (Arc::clone(&world), payment(from, key, 10));
        tokio::spawn(async move {
            let runner = world.runner(world.transfers());
            BatchExecutor::execute(&runner, vec![order]).await.remove(0)
        })
    };
    let answers = join_all((0..100).map(ask)).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert_eq!((world.funds(&ana).await, world.funds(&bia).await), ((10_000, 0), (10_000, 0)));
    world.books_are_right().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_that_are_opened_at_once_get_numbers_of_their_own() {
    let world = Arc::new(World::fresh().await);
    let open = |owner: u32| {
        // Two accounts for each customer, so that customers race too.
        let (world, command) = (Arc::clone(&world), opening(BANK_A, 100 + owner / 2));
        tokio::spawn(async move {
            world.run(OpenAccountDesk(world.ports.clone()), vec![command]).await.remove(0)
        })
    };
    let opened = join_all((0..30).map(open)).await;
    let opened: Vec<AccountView> = opened.into_iter().map(|it| it.unwrap().unwrap()).collect();
    let numbers: BTreeSet<String> = opened.into_iter().map(|account| account.number).collect();
    assert_eq!(numbers.len(), 30);
    assert_eq!(world.number("SELECT count(*) AS number FROM banking.customer").await, 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_chosen_id_and_number_are_given_once() {
    let world = Arc::new(World::fresh().await);
    let id = AccountId::from_uuid(Uuid::from_u128(7));
    let chosen = OpenAccount {
        account_id: Some(id),
        idempotency_key: String::new(),
        number: Some(AccountNumber::parse("1111").unwrap()),
        ..opening(BANK_A, 111_222_333)
    };
    let open = |_| {
        let (world, command) = (Arc::clone(&world), chosen.clone());
        tokio::spawn(async move {
            world.run(OpenAccountDesk(world.ports.clone()), vec![command]).await.remove(0)
        })
    };
    let opened = join_all((0..10).map(open)).await;
    assert!(opened.into_iter().all(|account| account.unwrap().unwrap().id == id));
    let other = OpenAccount { account_id: None, ..opening(BANK_A, 222_333_444) };
    let other = OpenAccount { number: chosen.number.clone(), ..other };
    let refused = world.run(OpenAccountDesk(world.ports.clone()), vec![other]).await.remove(0);
    assert_eq!(code(refused), "account_number_taken");
}

#[tokio::test]
async fn a_refused_command_leaves_no_trace() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let records = world.outbox().await.len();
    let much = Withdraw { on: ana.clone(), idempotency_key: "w".into(), amount: amount(1_001) };
    assert_eq!(code(world.on(much).await), "insufficient_funds");
    assert_eq!(code(world.pay(&ana, "nobody@example.com", 1).await), "key_not_found");
    assert_eq!(code(world.pay(&ana, "ana@example.com", 1).await), "payer_is_payee");
    assert_eq!(world.outbox().await.len(), records);
    let remembered = "SELECT count(*) AS number FROM banking.command_answer WHERE key = 'w'";
    assert_eq!(world.number(remembered).await, 0);
    let less = Withdraw { on: ana.clone(), idempotency_key: "w".into(), amount: amount(1_000) };
    world.on(less).await.unwrap();
    assert_eq!(world.funds(&ana).await, (0, 0));
}

#[tokio::test]
async fn a_bank_that_becomes_classic_rests_and_its_callers_are_told() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    world.enrol(&[(BANK_A, false)], 2).await;
    assert_eq!(code(world.deposit(&ana, 1).await), "bank_not_hosted");
    world.enrol(&[(BANK_A, true)], 1).await;
    assert_eq!(code(world.deposit(&ana, 1).await), "bank_not_hosted", "an older event");
    world.enrol(&[(BANK_A, true)], 3).await;
    world.deposit(&ana, 1).await.unwrap();
    let thief = banking::application::account_command::OnAccount {
        caller: Caller::Bank(ispb(BANK_B)),
        ..ana.clone()
    };
    assert_eq!(code(world.deposit(&thief, 1).await), "account_not_found");
}

#[tokio::test]
async fn the_tables_themselves_refuse_to_overdraw_or_to_post_twice() {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let mut connection = world.sessions.database.connection().await.unwrap();
    for broken in [
        "UPDATE banking.account SET balance = balance - 1001",
        "UPDATE banking.account SET held = 1001",
        "UPDATE banking.account SET held = -1",
    ] {
        let outcome = statement(broken).execute(&mut connection).await.map_err(store_error);
        let sentence = outcome.unwrap_err().to_string();
        assert!(sentence.contains("not_negative"), "{broken}: {sentence}");
    }
    let twice = "INSERT INTO banking.entry SELECT * FROM banking.entry";
    assert!(statement(twice).execute(&mut connection).await.is_err());
    assert_eq!(world.funds(&ana).await, (1_000, 0));
}

#[tokio::test]
async fn a_store_that_is_down_is_no_refusal() {
    let mut world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let settings = shared_kernel::infrastructure::postgres::DatabaseSettings {
        url: "postgres://nobody@127.0.0.1:1/none".into(),
        connections_max: 2,
    };
    let gone = shared_kernel::infrastructure::postgres::Database::new(&settings).unwrap();
    world.sessions.database = gone;
    world.ports.reads = Arc::new(world.sessions.clone());
    world.ports.store = Arc::new(world.sessions.clone());
    let outcome = world.deposit(&ana, 1).await;
    assert!(matches!(outcome, Err(ApplicationError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waited_for_an_account_is_dated_after_whom_it_waited_for() {
    let world = Arc::new(World::fresh().await);
    let ana = world.account(BANK_A, 111_222_333, 100, "ana@example.com").await;
    let mut first = world.ports.store.begin().await.unwrap();
    let held = first.accounts(&[ana.account_id]).await.unwrap().remove(0);
    let waiting = {
        let (world, ana) = (Arc::clone(&world), ana.clone());
        tokio::spawn(async move { world.deposit(&ana, 1).await })
    };
    let waits = "SELECT count(*) AS number FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(async || match world.number(waits).await {
        0 => Err("the deposit has not come so far"),
        _ => Ok(()),
    })
    .await;
    // The first is decided only now, at a time that the second has not seen yet.
    world.clock.advance(Duration::from_secs(5));
    let now = world.clock.now();
    let mut books = Books::by(world.ports.clock.clone(), world.ports.ids.clone());
    books.load_accounts(&mut *first, BTreeSet::from([ana.account_id])).await.unwrap();
    books.record(held.block(now).unwrap().unwrap(), &ana.trace);
    books.record(books.account(ana.account_id).unwrap().unblock(now).unwrap().unwrap(), &ana.trace);
    first.save(books.finish()).await.unwrap();
    first.commit().await.unwrap();
    waiting.await.unwrap().unwrap();
    let state = world.state(ana.account_id).await;
    assert_eq!((state.state().version, state.state().changed_at), (5, now));
    // A process whose clock stands back an hour, as the row has it.
    let hour = Duration::from_hours(1);
    world.clock.advance(hour);
    world.deposit(&ana, 1).await.unwrap();
    let (latest, behind) = (world.clock.now(), FixedClock::at(now));
    let ports = BankingPorts { clock: Arc::new(behind), ..world.ports.clone() };
    let deposit = Deposit { on: ana.clone(), idempotency_key: "back".into(), amount: amount(1) };
    world.run(AccountDesk::<Deposit>::new(&ports), vec![deposit]).await.remove(0).unwrap();
    assert_eq!(world.state(ana.account_id).await.state().changed_at, latest);
}
