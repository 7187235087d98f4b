//! The projection in its tables.

use std::time::Duration;

use balances::application::ports::{BalanceRun, BalancesReads, BalancesTransaction, Commits};
use balances::domain::{
    AccountBalance, AccountEvent, AccountState, AccountVersion, Funds, KnownBalance,
};
use balances::infrastructure::AuditedBalance;
use balances::infrastructure::postgres::CommitFeed;
use shared_kernel::application::log::Position;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::transaction::{OffsetMove, OffsetStore};
use shared_kernel::application::{StoreError, TopicPartition, Transaction};
use shared_kernel::domain::{AccountId, Ispb, Money, Timestamp};

use shared_kernel::testing::eventually;

use crate::bank::{ISPB, World, account};

fn event(number: u128, version: i64) -> AccountEvent {
    AccountEvent {
        account_id: account(number),
        ispb: Ispb::parse(if number < 100 { ISPB } else { "0000000B" }).unwrap(),
        owner_name: (version == 1).then(|| "Açaí \"do\" Zé\\{},".to_owned()),
        state: AccountState {
            version: AccountVersion::new(version).unwrap(),
            funds: Funds::new(Money::from_centavos(version), Money::ZERO).unwrap(),
            occurred_at: Timestamp::parse("2026-11-20T12:00:00.123456Z").unwrap(),
        },
        movement: None,
    }
}

fn balance(number: u128, versions: &[i64]) -> AccountBalance {
    let mut events = versions.iter().map(|version| event(number, *version));
    let mut balance = AccountBalance::begin(&events.next().unwrap());
    for event in events {
        balance.apply(&event).unwrap();
    }
    balance
}

async fn save(world: &World, balances: &[AccountBalance]) {
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.save_balances(balances).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn read(world: &World, numbers: &[u128]) -> Vec<AccountBalance> {
    let accounts: Vec<AccountId> = numbers.iter().map(|number| account(*number)).collect();
    let known = world.reads.balances(&accounts).await.unwrap();
    let mut balances: Vec<_> = known.iter().filter_map(|it| it.bank().cloned()).collect();
    balances.sort_by_key(AccountBalance::account_id);
    balances
}

#[tokio::test]
async fn what_is_saved_is_read_again_new_or_changed() {
    let world = World::fresh().await;
    let saved = [balance(1, &[1]), balance(2, &[9, 3, 4]), balance(3, &[i64::MAX, 1])];
    save(&world, &saved).await;
    assert_eq!(read(&world, &[1, 2, 3, 4]).await, saved);
    let changed = [balance(1, &[1, 2]), balance(2, &[9, 3, 4, 1]), balance(4, &[1])];
    save(&world, &changed).await;
    let [one, two, four] = changed;
    let [_, _, three] = saved;
    assert_eq!(read(&world, &[1, 2, 3, 4]).await, [one.clone(), two.clone(), three.clone(), four]);
    let mut transaction = world.sessions.begin().await.unwrap();
    let accounts = [account(1), account(2), account(3), account(9)];
    let loaded = transaction.load_balances(&accounts).await.unwrap();
    assert_eq!(loaded, [one, two, three]);
    transaction.rollback().await;
}

#[tokio::test]
async fn what_is_rolled_back_was_never_there() {
    let world = World::fresh().await;
    save(&world, &[balance(1, &[1])]).await;
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.save_balances(&[balance(1, &[1, 2]), balance(2, &[1])]).await.unwrap();
    transaction.rollback().await;
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.save_balances(&[balance(3, &[1])]).await.unwrap();
    drop(transaction);
    assert_eq!(read(&world, &[1, 2, 3]).await, [balance(1, &[1])]);
}

#[tokio::test]
async fn a_second_transaction_waits_and_sees_what_the_first_left() {
    let world = World::fresh().await;
    save(&world, &[balance(1, &[1]), balance(2, &[1])]).await;
    let mut first = world.sessions.begin().await.unwrap();
    first.load_balances(&[account(1), account(2)]).await.unwrap();
    let sessions = world.sessions.clone();
    let second = tokio::spawn(async move {
        let mut second = sessions.begin().await.unwrap();
        let loaded = second.load_balances(&[account(2), account(1)]).await.unwrap();
        second.commit().await.unwrap();
        loaded
    });
    eventually(async || {
        let waits = blocked(&world).await > 0 || second.is_finished();
        if waits { Ok(()) } else { Err("the second has not come so far") }
    })
    .await;
    first.save_balances(&[balance(1, &[1, 2])]).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), [balance(1, &[1, 2]), balance(2, &[1])]);
}

#[tokio::test]
async fn two_that_meet_at_a_new_account_leave_the_work_of_the_one_with_the_offsets() {
    let world = World::fresh().await;
    let at = TopicPartition { topic: "accounts".into(), partition: 0 };
    let beginning = Position { at: at.clone(), next_offset: 0 };
    world.sessions.positions("probe", "here", &[beginning]).await.unwrap();
    let step = OffsetMove { at, from: 0, to: 1 };
    let (mut owner, mut zombie) =
        (world.sessions.begin().await.unwrap(), world.sessions.begin().await.unwrap());
    for transaction in [&mut owner, &mut zombie] {
        assert_eq!(transaction.load_balances(&[account(1)]).await.unwrap(), []);
    }
    owner.save_balances(&[balance(1, &[1, 2])]).await.unwrap();
    let moves = [step.clone()];
    let zombie = tokio::spawn(async move {
        zombie.save_balances(&[balance(1, &[1])]).await.unwrap();
        let fenced = zombie.advance("probe", &[step]).await;
        zombie.rollback().await;
        fenced
    });
    owner.advance("probe", &moves).await.unwrap();
    owner.commit().await.unwrap();
    assert_eq!(zombie.await.unwrap(), Err(StoreError::Fenced));
    assert_eq!(read(&world, &[1]).await, [balance(1, &[1, 2])]);
}

#[tokio::test]
async fn the_database_itself_refuses_what_no_account_can_have() {
    let world = World::fresh().await;
    for sql in [
        "UPDATE balances.account_balance SET available = -1",
        "UPDATE balances.account_balance SET held = -1",
        "UPDATE balances.account_balance SET version = 0",
        "UPDATE balances.account_balance SET ispb = ''",
    ] {
        save(&world, &[balance(1, &[1])]).await;
        let mut connection = world.sessions.database.connection().await.unwrap();
        let refused = execute(&mut connection, sql).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{sql}: {refused:?}");
    }
}

/// How many transactions of this database wait for another.
async fn blocked(world: &World) -> usize {
    let mut connection = world.sessions.database.connection().await.unwrap();
    let waiting = "SELECT FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    execute(&mut connection, waiting).await.unwrap()
}

async fn execute(
    connection: &mut diesel_async::AsyncPgConnection,
    sql: &'static str,
) -> Result<usize, StoreError> {
    use shared_kernel::infrastructure::postgres::{statement, store_error};
    diesel_async::RunQueryDsl::execute(statement(sql), connection).await.map_err(store_error)
}

#[tokio::test]
async fn banks_are_read_page_by_page_and_none_with_another() {
    let world = World::fresh().await;
    let own: Vec<AccountBalance> = (1..=5).map(|number| balance(number, &[1])).collect();
    let others: Vec<AccountBalance> = (100..=102).map(|number| balance(number, &[1])).collect();
    save(&world, &[&own[..], &others[..]].concat()).await;
    let run = |ispb: &str, after: Option<u128>, rows| {
        let (ispb, after) = (Ispb::parse(ispb).unwrap(), after.map(account));
        BalanceRun { ispb, after, rows }
    };
    let pages = async |runs: &[BalanceRun]| {
        let pages = world.reads.balances_of_banks(runs).await.unwrap();
        let bank = |page: &Vec<KnownBalance>| {
            page.iter().filter_map(|it| it.bank().cloned()).collect::<Vec<_>>()
        };
        pages.iter().map(bank).collect::<Vec<_>>()
    };
    // Runs of one read may be of different lengths.
    let expected = [
        (run(ISPB, Some(3), 3), &own[3..]),
        (run("0000000B", None, 4), &others[..]),
        (run(ISPB, None, 3), &own[..3]),
        (run("99999999", None, 3), &[]),
        (run(ISPB, Some(5), 3), &[]),
        (run(ISPB, Some(1), 1), &own[1..2]),
        (run(ISPB, None, 200), &own[..]),
        (run("0000000B", Some(100), 0), &[]),
        (run(ISPB, None, 3), &own[..3]),
    ];
    let (runs, all): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(pages(&runs).await, all);
    for (run, page) in expected {
        assert_eq!(pages(&[run]).await, [page], "{run:?}");
    }
    assert!(pages(&[]).await.is_empty());
}

#[tokio::test]
async fn an_audit_reads_every_account_once_and_counts_the_gaps() {
    let world = World::fresh().await;
    assert_eq!(world.gaps().await, []);
    let balances = [
        balance(1, &[1]),
        balance(2, &[9, 3, 4]),
        balance(3, &[1, 2, 3]),
        balance(100, &[2]),
        balance(101, &[1, i64::MAX]),
    ];
    save(&world, &balances).await;
    let mut audited = Vec::new();
    loop {
        let after = audited.last().map(|last: &AuditedBalance| last.account_id);
        let page = world.audit().balances(after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        audited.extend(page);
    }
    let expected = balances.map(|balance| AuditedBalance {
        account_id: balance.account_id(),
        version: balance.version().number(),
        available: balance.funds().available(),
        held: balance.funds().held(),
    });
    assert_eq!(audited, expected);
    let gaps = world.gaps().await;
    let last = i64::MAX - 1;
    assert_eq!(gaps, [(2, 1..=2), (2, 5..=8), (100, 1..=1), (101, 2..=last)]);
    assert_eq!(world.audit().gaps(2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_waits_hears_of_a_commit_and_of_one_after_the_session_was_lost() {
    let world = World::fresh().await;
    let feed = CommitFeed::default();
    let (stop, stopping) = stop_pair();
    let running = feed.clone().run(world.sessions.database.clone(), stopping);
    let running = tokio::spawn(running);
    let listening = async || {
        let sql = "SELECT FROM pg_stat_activity \
            WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        let mut connection = world.sessions.database.connection().await.unwrap();
        execute(&mut connection, sql).await.unwrap()
    };
    let heard = async |version: i64| {
        let mut watch = feed.listen(account(1));
        eventually(async || if listening().await == 1 { Ok(()) } else { Err("nobody listens") })
            .await;
        let versions: Vec<i64> = (1..=version).collect();
        save(&world, &[balance(2, &[1]), balance(1, &versions)]).await;
        let reached = watch.reached(AccountVersion::new(version).unwrap());
        assert_eq!(tokio::time::timeout(Duration::from_secs(30), reached).await, Ok(true));
    };
    heard(1).await;
    let lose = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let mut connection = world.sessions.database.connection().await.unwrap();
    assert_eq!(execute(&mut connection, lose).await, Ok(1));
    heard(2).await;
    stop.stop();
    running.await.unwrap();
}
