//! Rebuilds of the read side, beside a live one that goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use balances::application::ports::BalancesReads;
use balances::infrastructure::kafka::ACCOUNTS_TOPIC;
use balances::infrastructure::replay::{
    Gauge, Mode, Outcome, Reading, Replay, ReplayError, Report,
};
use diesel_async::SimpleAsyncConnection as _;
use shared_kernel::application::OutboundRecord;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::domain::{AccountId, Timestamp};
use shared_kernel::infrastructure::postgres::DatabaseSettings;
use shared_kernel::testing::{ForeignEvent, eventually};

use crate::bank::{World, account, statement};
use crate::process::{OPERATOR, Process};

const SWAP: Mode = Mode::Swap { force: false };

/// Runs a replay; the reading is what its gauge showed at the end.
async fn replay(world: &World, mode: Mode) -> (Result<Report, ReplayError>, Reading) {
    let gauge = Arc::new(Gauge::default());
    let (_handle, stop) = stop_pair();
    let url = world.servers.database_url.clone();
    let database = DatabaseSettings { url, connections_max: 8 };
    let kafka = world.servers.kafka.clone();
    let replay = Replay::new(&database, kafka, Arc::clone(&gauge), stop).unwrap();
    let report = replay.run(mode, false).await;
    (report, gauge.reading())
}

/// Versions `first..=last` of accounts 1 to `accounts`.
fn lives(world: &World, accounts: u128, first: i64, last: i64) -> Vec<OutboundRecord> {
    let versions = (first..=last).flat_map(|version| (1..=accounts).map(move |it| (it, version)));
    versions.map(|(number, version)| world.stated(account(number), version)).collect()
}

/// What stands in every table of the live side, and which schemas there are.
async fn is_clean(world: &World) {
    assert_eq!(world.audit().torn_histories(10).await.unwrap(), []);
    assert_eq!(world.gaps().await, []);
    is_clean_of_rebuilds(world).await;
}

async fn is_clean_of_rebuilds(world: &World) {
    let gone = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_namespace WHERE nspname LIKE 'balances\\_%') \
        THEN RAISE 'a schema of a rebuild is left'; END IF; END $$";
    world.execute(gone).await;
}

async fn version(world: &World, account: AccountId) -> i64 {
    world.balance(account).await.unwrap().version().number()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_equal_and_takes_the_place_of_the_live_side() {
    let world = World::fresh().await;
    let mut records = lives(&world, 40, 1, 5);
    // Repeats, late ones, and what no read side takes.
    records.extend(lives(&world, 40, 2, 4));
    let nonsense = ForeignEvent { payload: "{}".into(), ..statement(account(1), 9) };
    records.push(world.servers.foreign(ACCOUNTS_TOPIC, nonsense));
    world.servers.write(&records).await;
    world.consume().await;
    assert_eq!(world.dead_letters().await.len(), 1);
    let (report, gauge) = replay(&world, SWAP).await;
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Swapped);
    let comparison = report.comparison.unwrap();
    assert_eq!(comparison.live, comparison.rebuilt);
    assert_eq!((comparison.differing, comparison.live.accounts), (0, 40));
    assert_eq!(comparison.live.entries, 200);
    assert_eq!((gauge.done, gauge.total, gauge.set_aside), (321, 321, 1));
    // The live side goes on where it was, with nothing twice.
    world.servers.write(&lives(&world, 40, 6, 6)).await;
    world.consume().await;
    assert_eq!(version(&world, account(7)).await, 6);
    assert_eq!(world.dead_letters().await.len(), 1, "a rebuild sends no letters");
    is_clean(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_differs_is_named_kept_and_healed_only_by_force() {
    let world = World::fresh().await;
    world.servers.write(&lives(&world, 10, 1, 3)).await;
    world.consume().await;
    world
        .execute(
            "UPDATE balances.account_history SET description = 'forged' WHERE version = 2 \
         AND account_id = '00000000-0000-0000-0000-000000000004'; \
         UPDATE balances.account_history SET raised_at = occurred_at + '1 second' \
         WHERE version = 2 AND account_id = '00000000-0000-0000-0000-000000000005'; \
         DELETE FROM balances.account_balance \
         WHERE account_id = '00000000-0000-0000-0000-000000000007'",
        )
        .await;
    assert_eq!(world.audit().torn_histories(10).await.unwrap(), [account(5)]);
    let (report, _) = replay(&world, Mode::Compare).await;
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Differs);
    let comparison = report.comparison.unwrap();
    let named = vec![account(4), account(5), account(7)];
    assert_eq!((comparison.differing, comparison.named), (3, named));
    assert_eq!(replay(&world, SWAP).await.0.unwrap().outcome, Outcome::Differs);
    assert!(world.balance(account(7)).await.is_none(), "nothing was swapped");
    is_clean_of_rebuilds(&world).await;
    // What differed is never gone on with.
    world.servers.write(&lives(&world, 1, 4, 5)).await;
    world.consume().await;
    let (report, gauge) = replay(&world, Mode::Swap { force: true }).await;
    assert_eq!(report.unwrap().outcome, Outcome::Swapped);
    assert_eq!((gauge.resumed, gauge.total), (0, 32));
    assert_eq!(version(&world, account(7)).await, 3);
    assert_eq!(replay(&world, Mode::Compare).await.0.unwrap().outcome, Outcome::Equal);
    is_clean(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_cut_off_goes_on_where_it_was() {
    let world = World::fresh().await;
    world.servers.write(&lives(&world, 500, 1, 30)).await;
    world.consume().await;
    let url = world.servers.database_url.clone();
    let database = DatabaseSettings { url, connections_max: 8 };
    let mut resumed = Vec::new();
    // Cut off at every commit, until one is through.
    for _ in 0..200 {
        let gauge = Arc::new(Gauge::default());
        let (handle, stop) = stop_pair();
        let kafka = world.servers.kafka.clone();
        let run = Replay::new(&database, kafka, Arc::clone(&gauge), stop).unwrap();
        let running = tokio::spawn(async move { run.run(SWAP, false).await });
        while !running.is_finished() {
            let Reading { done, resumed, .. } = gauge.reading();
            if done > resumed {
                handle.stop();
            }
            tokio::task::yield_now().await;
        }
        let report = running.await.unwrap().unwrap();
        resumed.push(gauge.reading().resumed);
        if report.outcome == Outcome::Swapped {
            break;
        }
        assert_eq!(report.outcome, Outcome::Stopped);
    }
    assert!(resumed.len() > 1 && resumed.is_sorted(), "{resumed:?}");
    assert!(resumed.last() > resumed.first(), "{resumed:?}");
    assert_eq!(replay(&world, Mode::Compare).await.0.unwrap().outcome, Outcome::Equal);
    is_clean(&world).await;
}

/// A replay that is cut off at its first commit.
async fn cut_off(world: &World, mode: Mode) {
    let gauge = Arc::new(Gauge::default());
    let (handle, stop) = stop_pair();
    let url = world.servers.database_url.clone();
    let database = DatabaseSettings { url, connections_max: 8 };
    let kafka = world.servers.kafka.clone();
    let run = Replay::new(&database, kafka, Arc::clone(&gauge), stop).unwrap();
    let running = tokio::spawn(async move { run.run(mode, false).await });
    while gauge.reading().done == 0 {
        tokio::task::yield_now().await;
    }
    handle.stop();
    assert_eq!(running.await.unwrap().unwrap().outcome, Outcome::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_compares_takes_nothing_from_a_run_that_was_cut_off() {
    let world = World::fresh().await;
    world.servers.write(&lives(&world, 500, 1, 30)).await;
    world.consume().await;
    cut_off(&world, SWAP).await;
    let (report, gauge) = replay(&world, Mode::Compare).await;
    assert_eq!((report.unwrap().outcome, gauge.resumed), (Outcome::Equal, 0));
    let (report, gauge) = replay(&world, SWAP).await;
    assert_eq!(report.unwrap().outcome, Outcome::Swapped);
    assert!(gauge.resumed > 0, "{gauge:?}");
    is_clean(&world).await;
}

/// Questions that are answered while one reader does not end: far more than before the swap.
const ANSWERED: u32 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_does_not_end_holds_the_exchange_up_and_no_other_reader() {
    let world = World::fresh().await;
    world.servers.write(&lives(&world, 20, 1, 3)).await;
    world.consume().await;
    let mut slow = world.sessions.database.session().await.unwrap();
    slow.batch_execute("BEGIN; SELECT FROM balances.account_history LIMIT 1").await.unwrap();
    let done = AtomicBool::new(false);
    let swap = async {
        let outcome = replay(&world, SWAP).await.0.unwrap().outcome;
        done.store(true, Ordering::SeqCst);
        outcome
    };
    let read = async {
        let mut answered = 0_u32;
        while !done.load(Ordering::SeqCst) {
            let past = world.reads.past_states(&[(account(3), Timestamp::MAX)]).await;
            assert!(past.unwrap()[0].unwrap().standing.is_some());
            answered = answered.saturating_add(1);
            if answered == ANSWERED {
                slow.batch_execute("COMMIT").await.unwrap();
            }
        }
        answered
    };
    let (outcome, answered) = tokio::join!(swap, read);
    assert_eq!(outcome, Outcome::Swapped);
    assert!(answered >= ANSWERED, "swapped once the reader had ended, and the others did not wait");
    is_clean(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_side_is_read_and_written_all_the_while() {
    const ACCOUNTS: u128 = 20;
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    world.servers.write(&lives(&world, ACCOUNTS, 1, 1)).await;
    for number in 1..=ACCOUNTS {
        process.arrived(account(number), 1).await;
    }
    let (done, newest) = (AtomicBool::new(false), AtomicI64::new(1));
    let write = async {
        while !done.load(Ordering::SeqCst) {
            let version = newest.fetch_add(1, Ordering::SeqCst) + 1;
            world.servers.write(&lives(&world, ACCOUNTS, version, version)).await;
        }
    };
    let read = async {
        let (mut reads, mut seen) = (0_u64, 0);
        while !done.load(Ordering::SeqCst) {
            let balance = process.get(OPERATOR, account(3)).await.expect("reads never fail");
            assert!(balance.version >= seen, "the side went back to {}", balance.version);
            seen = balance.version;
            let past = world.reads.past_states(&[(account(3), Timestamp::MAX)]).await;
            assert!(past.unwrap()[0].unwrap().standing.is_some());
            reads += 1;
        }
        reads
    };
    let replays = async {
        for _ in 0..3 {
            assert_eq!(replay(&world, SWAP).await.0.unwrap().outcome, Outcome::Swapped);
        }
        done.store(true, Ordering::SeqCst);
    };
    let ((), reads, ()) = tokio::join!(write, read, replays);
    assert!(reads > 10, "{reads}");
    let newest = newest.load(Ordering::SeqCst);
    for number in 1..=ACCOUNTS {
        process.arrived(account(number), newest).await;
    }
    process.stop().await;
    is_clean(&world).await;
    assert_eq!(world.dead_letters().await, []);
    assert_eq!(replay(&world, Mode::Compare).await.0.unwrap().outcome, Outcome::Equal);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_side_as_of_a_time_of_the_broker_is_looked_at_and_left() {
    let world = World::fresh().await;
    world.servers.write(&lives(&world, 5, 1, 2)).await;
    let times = async || {
        let records = world.servers.read_all(ACCOUNTS_TOPIC).await;
        records.into_iter().map(|record| record.broker_time).max().unwrap()
    };
    let first = times().await;
    // Until the broker's clock, which counts milliseconds, has gone on.
    let second = eventually(async || {
        world.servers.write(&[world.stated(account(9), 1)]).await;
        let now = times().await;
        if now > first { Ok(now) } else { Err(now) }
    })
    .await;
    world.consume().await;
    let (report, gauge) = replay(&world, Mode::Until(second)).await;
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Past);
    let past = report.past.unwrap();
    assert!(gauge.done >= 10 && past.entries < 12, "{past:?}");
    assert_eq!((past.entries, past.accounts), (10, 5));
    assert_eq!(past.available.centavos(), 5 * 200);
    let all = replay(&world, Mode::Until(Timestamp::MAX)).await.0.unwrap().past.unwrap();
    assert_eq!(all.accounts, 6);
    assert_ne!(all.digest, past.digest);
    is_clean(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replays_do_not_meet_and_a_side_that_was_never_there_is_not_replaced() {
    let world = World::fresh().await;
    let mut session = world.sessions.database.session().await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('codepix replay balances', 0))";
    session.batch_execute(lock).await.unwrap();
    assert!(matches!(replay(&world, SWAP).await.0, Err(ReplayError::Running)));
    drop(session);
    world.execute("DELETE FROM balances.migration WHERE name LIKE '%history'").await;
    let refused = eventually(async || match replay(&world, SWAP).await.0 {
        Err(ReplayError::Running) => Err("the other session still ends"),
        other => Ok(other),
    })
    .await;
    assert!(matches!(refused, Err(ReplayError::OtherVersion)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_leads_no_longer_ends() {
    let world = World::fresh().await;
    world.servers.write(&lives(&world, 2, 1, 2)).await;
    world.consume().await;
    let mut holder = world.sessions.database.session().await.unwrap();
    let hold = "SET idle_in_transaction_session_timeout = 0; BEGIN; \
        LOCK TABLE balances.consumer_offset IN ACCESS EXCLUSIVE MODE";
    holder.batch_execute(hold).await.unwrap();
    let lose = "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_locks \
        WHERE locktype = 'advisory' AND granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()); \
        IF NOT FOUND THEN RAISE 'nobody leads'; END IF; END $$";
    let mut other = world.sessions.database.session().await.unwrap();
    let losing = eventually(async || other.batch_execute(lose).await);
    let (ended, ()) = tokio::join!(replay(&world, SWAP), losing);
    assert!(matches!(ended.0, Err(ReplayError::Store(_))), "{:?}", ended.0);
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(replay(&world, SWAP).await.0.unwrap().outcome, Outcome::Swapped);
    is_clean(&world).await;
}
