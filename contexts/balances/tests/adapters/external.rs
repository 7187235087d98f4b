//! What Wallet Core says, in the tables: as it comes, as of an instant, and rebuilt.

use std::sync::Arc;

use balances::application::ports::{BalanceRun, BalancesReads, BalancesTransaction};
use balances::domain::{ExternalAccount, ExternalBalance, ExternalState, RecordPlace, Standing};
use balances::infrastructure::WalletCoreTopics;
use balances::infrastructure::kafka::ACCOUNTS_TOPIC;
use balances::infrastructure::replay::{Gauge, Mode, Outcome, Replay, ReplayError, Report};
use proptest::prelude::*;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{OutboundRecord, Transaction};
use shared_kernel::domain::{AccountId, Money, Timestamp};
use shared_kernel::infrastructure::kafka::ensure_topics;
use shared_kernel::infrastructure::postgres::DatabaseSettings;

use crate::bank::{ISPB, World, account};

fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

/// A message of the original program.
fn message(world: &World, topic: &str, time: i64, body: String) -> OutboundRecord {
    OutboundRecord {
        topics: vec![world.servers.kafka.named(topic)],
        key: None,
        headers: Vec::new(),
        payload: Some(body.into_bytes()),
        time: Some(millis(time)),
    }
}

fn updated(world: &World, time: i64, (from, to): (u128, u128), said: [&str; 2]) -> OutboundRecord {
    let ([from, to], [one, other]) = ([account(from), account(to)], said);
    let body = format!(
        "{{\"Name\":\"BalanceUpdated\",\"Payload\":{{\"account_id_from\":\"{from}\",\
         \"account_id_to\":\"{to}\",\"balance_account_id_from\":{one},\
         \"balance_account_id_to\":{other}}}}}"
    );
    message(world, "balances", time, body)
}

async fn total(world: &World, number: u128) -> Option<i64> {
    let known = world.known(account(number)).await?;
    Some(known.standing().funds().total().centavos())
}

async fn then(world: &World, number: u128, at: i64) -> Option<Option<i64>> {
    let past = world.reads.past_states(&[(account(number), millis(at))]).await.unwrap().remove(0);
    Some(past?.standing.map(|it| it.funds().total().centavos()))
}

#[tokio::test]
async fn the_newest_time_wins_and_malformed_messages_are_set_aside() {
    let world = World::fresh().await;
    world
        .servers
        .write(&[
            updated(&world, 2_000, (1, 2), ["90", "110"]),
            message(&world, "balances", 2_500, "{".into()),
            updated(&world, 1_000, (1, 3), ["1006.5699999999999", "7"]),
            updated(&world, 2_000, (1, 2), ["90.01", "110"]),
            message(&world, "balances", 9_000, r#"{"Name":"Other","Payload":1}"#.into()),
            message(
                &world,
                "accounts",
                500,
                format!(r#"{{"Name":"AccountCreated","Payload":"{}"}}"#, account(4)),
            ),
        ])
        .await;
    world.listen().await;
    assert_eq!(total(&world, 1).await, Some(9_001), "the later offset of one time");
    assert_eq!((total(&world, 2).await, total(&world, 3).await), (Some(11_000), Some(700)));
    let created = world.known(account(4)).await.unwrap();
    let nothing = ExternalState { balance: Money::ZERO, said_at: millis(500), place: None };
    assert_eq!(*created.standing(), Standing::External(nothing));
    assert!(created.is_external());
    assert_eq!(then(&world, 1, 1_999).await, Some(Some(100_657)));
    assert_eq!(then(&world, 1, 2_000).await, Some(Some(9_001)));
    assert_eq!(then(&world, 1, 999).await, Some(None), "known, and not yet then");
    assert_eq!(then(&world, 4, 499).await, Some(None));
    assert_eq!(then(&world, 9, 2_000).await, None);
    let letters = world.letters_of("balances").await;
    let codes: Vec<_> = letters.iter().map(|letter| letter.header("dlq_code").unwrap()).collect();
    assert_eq!(codes, ["payload_json", "wallet_event_unknown"]);
}

#[tokio::test]
async fn an_account_of_a_bank_follows_until_its_bank_moves_its_money() {
    let world = World::fresh().await;
    world.servers.write(&[world.stated(account(1), 1)]).await;
    world.servers.write(&[updated(&world, 9_000, (1, 2), ["90", "110"])]).await;
    world.consume().await;
    world.listen().await;
    let known = world.known(account(1)).await.unwrap();
    assert_eq!((known.is_external(), total(&world, 1).await), (false, Some(9_000)));
    let ispb = known.ispb().unwrap();
    let run = BalanceRun { ispb, after: None, rows: 9 };
    let listed = world.reads.balances_of_banks(&[run]).await.unwrap().remove(0);
    assert_eq!((ispb.as_str(), listed.len()), (ISPB, 1));
    assert_eq!(listed[0], known);
    // The second event of these banks is a deposit, as an opening balance is.
    world.servers.write(&[world.stated(account(1), 2)]).await;
    world.consume().await;
    assert_eq!(total(&world, 1).await, Some(9_000));
    world.servers.write(&[world.stated(account(1), 3)]).await;
    world.consume().await;
    let known = world.known(account(1)).await.unwrap();
    assert!(matches!(known.standing(), Standing::Banked(state) if state.version.number() == 3));
    assert_eq!(total(&world, 2).await, Some(11_000));
    assert!(world.audit().torn_histories(10).await.unwrap().is_empty());
}

/// An account was opened there.
fn opened(world: &World, time: i64, number: u128) -> OutboundRecord {
    let body = format!(r#"{{"Name":"AccountCreated","Payload":"{}"}}"#, account(number));
    message(world, "accounts", time, body)
}

#[tokio::test]
async fn an_opening_takes_nothing_from_what_a_bank_says_now_or_then() {
    let world = World::fresh().await;
    let bank = Timestamp::parse("2026-11-20T12:00:01Z").unwrap().millis();
    world.servers.write(&[world.stated(account(1), 1), world.stated(account(1), 2)]).await;
    // Before the bank knew it, and after.
    world.servers.write(&[opened(&world, bank - 5_000, 1), opened(&world, bank - 5_000, 2)]).await;
    world.consume().await;
    world.listen().await;
    let fixture = RecordPlace { recorded_at: Timestamp::EPOCH, partition: -1, offset: -1 };
    let fixture = ExternalBalance::new(account(1), Money::from_centavos(77), fixture).unwrap();
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.append_external_balances(&[fixture]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(total(&world, 1).await, Some(202));
    assert_eq!(then(&world, 1, bank).await, Some(Some(101)));
    assert_eq!(then(&world, 1, bank - 1_000).await, Some(None), "its bank had not opened it");
    assert_eq!(then(&world, 2, bank - 1_000).await, Some(Some(0)), "no bank knows this one");
    world.servers.write(&[updated(&world, bank - 2_000, (1, 2), ["5", "7"])]).await;
    world.listen().await;
    assert_eq!(then(&world, 1, bank - 1_000).await, Some(Some(500)), "a message does count");
    assert_eq!(total(&world, 1).await, Some(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_under_a_former_name_is_read_again_under_it() {
    let world = World::fresh().await;
    let former = WalletCoreTopics { balances: "saldos".into(), accounts: "contas".into() };
    ensure_topics(&world.servers.kafka, &former.plans()).await.unwrap();
    let renamed = |record: OutboundRecord, topic: &str| OutboundRecord {
        topics: vec![world.servers.kafka.named(topic)],
        ..record
    };
    world
        .servers
        .write(&[
            renamed(updated(&world, 1_000, (1, 2), ["90", "110"]), "saldos"),
            renamed(opened(&world, 1_000, 4), "contas"),
            updated(&world, 2_000, (1, 3), ["80", "10"]),
        ])
        .await;
    world.listen_to(&former).await;
    world.listen().await;
    let report = replayed(&world, Mode::Swap { force: false }).await;
    assert_eq!(report.outcome, Outcome::Swapped);
    assert_eq!(report.comparison.unwrap().rebuilt.external, 5);
    assert_eq!((total(&world, 1).await, total(&world, 2).await), (Some(8_000), Some(11_000)));
    assert_eq!(total(&world, 4).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_programs_topics_have_lost_is_taken_over_and_of_ours_it_is_refused() {
    let world = World::fresh().await;
    world.servers.write(&[world.stated(account(9), 1), world.stated(account(9), 2)]).await;
    let said = |turn: i64| updated(&world, turn * 1_000, (1, 2), [&turn.to_string(), "7"]);
    let words: Vec<OutboundRecord> = (1..=6).map(said).collect();
    world.servers.write(&words).await;
    world.servers.write(&[opened(&world, 500, 3), opened(&world, 9_000, 4)]).await;
    world.consume().await;
    world.listen().await;
    let whole = replayed(&world, Mode::Compare).await.comparison.unwrap();
    world.servers.delete_before("balances", 0, 4).await;
    world.servers.delete_before("accounts", 0, 1).await;
    let report = replayed(&world, Mode::Swap { force: false }).await;
    assert_eq!(report.outcome, Outcome::Swapped);
    assert_eq!(report.comparison.unwrap().rebuilt, whole.live);
    let past = replayed(&world, Mode::Until(millis(3_000))).await.past.unwrap();
    assert_eq!(past.external, 5, "two messages of two accounts, and one opening");
    let first = world.servers.read_all(ACCOUNTS_TOPIC).await.remove(0);
    world.servers.delete_before(ACCOUNTS_TOPIC, first.from.partition, 1).await;
    for mode in [Mode::Compare, Mode::Until(Timestamp::MAX)] {
        let refused = replay(&world, mode).await;
        assert!(matches!(refused, Err(ReplayError::Truncated(_))), "{refused:?}");
    }
}

async fn replayed(world: &World, mode: Mode) -> Report {
    replay(world, mode).await.unwrap()
}

async fn replay(world: &World, mode: Mode) -> Result<Report, ReplayError> {
    let database = DatabaseSettings { url: world.servers.database_url.clone(), connections_max: 8 };
    let (_handle, stop) = stop_pair();
    let kafka = world.servers.kafka.clone();
    let replay = Replay::new(&database, kafka, Arc::new(Gauge::default()), stop).unwrap();
    replay.run(mode, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_reads_it_again_with_an_equal_digest() {
    let world = World::fresh().await;
    let mut records: Vec<OutboundRecord> = (0..200_i64)
        .map(|turn| updated(&world, turn % 17 + 1, (1, 2), [&turn.to_string(), "7.5"]))
        .collect();
    records.push(message(&world, "balances", 1, "no json".into()));
    records.push(message(
        &world,
        "accounts",
        3,
        format!(r#"{{"name":"AccountCreated","payload":"{}"}}"#, account(4)),
    ));
    world.servers.write(&[world.stated(account(1), 1)]).await;
    world.servers.write(&records).await;
    world.consume().await;
    world.listen().await;
    let before = total(&world, 1).await;
    let report = replayed(&world, Mode::Swap { force: false }).await;
    assert_eq!(report.outcome, Outcome::Swapped);
    let compared = report.comparison.unwrap();
    assert_eq!(compared.live.digest, compared.rebuilt.digest);
    assert_eq!(compared.rebuilt.external, 401);
    assert_eq!((total(&world, 1).await, total(&world, 4).await), (before, Some(0)));
    world.servers.write(&[updated(&world, 99, (1, 2), ["1", "2"])]).await;
    world.listen().await;
    let compared = replayed(&world, Mode::Compare).await;
    assert_eq!(
        (total(&world, 2).await, compared.outcome),
        (Some(200), Outcome::Equal),
        "{compared:?}"
    );
    let past = replayed(&world, Mode::Until(Timestamp::MAX)).await.past.unwrap();
    assert_eq!(past.external, 403);
    // What is there and was never said makes a difference.
    let place = RecordPlace { recorded_at: millis(1), partition: 0, offset: 10_000 };
    let lie = ExternalBalance::new(account(9), Money::ZERO, place).unwrap();
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.append_external_balances(&[lie]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(replayed(&world, Mode::Compare).await.outcome, Outcome::Differs);
}

/// Words of one account, as the tables and as the model keep them.
type Words = Vec<(i64, i32, i64)>;

fn said(account_id: AccountId, (time, partition, offset): (i64, i32, i64)) -> ExternalBalance {
    let place = RecordPlace { recorded_at: millis(time), partition, offset };
    let last = i64::from(partition).saturating_mul(100).saturating_add(offset);
    let centavos = time.saturating_mul(1_000).saturating_add(last);
    ExternalBalance::new(account_id, Money::from_centavos(centavos), place).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_and_any_repetition_are_answered_as_the_model_says() {
    let world = World::fresh().await;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        ..ProptestConfig::default()
    });
    let words = prop::collection::vec((0_i64..4, 0_i32..3, 0_i64..9), 1..9);
    let handle = tokio::runtime::Handle::current();
    let numbers = std::sync::atomic::AtomicU64::new(1_000);
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&(words, 1_usize..4), |(words, cut)| {
            let number = numbers.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let id = account(u128::from(number));
            handle.block_on(keep(&world, id, &words, cut));
            for at in -1..5 {
                let newest = words.iter().filter(|(time, _, _)| *time <= at).max();
                let expected = newest.map(|word| said(id, *word).balance().centavos());
                let found = handle.block_on(then(&world, u128::from(number), at));
                prop_assert_eq!(found, Some(expected));
            }
            let newest = words.iter().max().map(|word| said(id, *word).balance().centavos());
            prop_assert_eq!(handle.block_on(total(&world, u128::from(number))), newest);
            Ok(())
        })
    });
    outcome.unwrap();
}

async fn keep(world: &World, id: AccountId, words: &Words, cut: usize) {
    for batch in words.chunks(cut) {
        let mut transaction = world.sessions.begin().await.unwrap();
        let words: Vec<ExternalBalance> = batch.iter().map(|word| said(id, *word)).collect();
        transaction.append_external_balances(&words).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_rolled_back_was_never_said_and_the_earlier_opening_stays() {
    let world = World::fresh().await;
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.append_external_balances(&[said(account(1), (1, 0, 0))]).await.unwrap();
    transaction.rollback().await;
    assert_eq!(world.known(account(1)).await, None);
    for since in [7, 5, 6] {
        let mut transaction = world.sessions.begin().await.unwrap();
        let opened = ExternalAccount { account_id: account(1), since: millis(since) };
        transaction.open_external_accounts(&[opened]).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let known = world.known(account(1)).await.unwrap();
    assert_eq!(known.standing().since(), millis(5));
}
