//! The relay on its way from the table to the topic: nothing lost, in order, one at a time.

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::sql_types::Integer;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use shared_kernel::application::log::LogError;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::outbox::Outbox;
use shared_kernel::application::relay::{Relay, RelayPorts, RelaySettings, Relayed};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{LogWriter, StoreError, Transaction};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement;
use shared_kernel::testing::eventually;

use crate::world::{TOPIC, World, copied, huge, plain, published, sorted, text_of};

fn relay(world: &World, sessions: &Sessions, shard: u16) -> Relay {
    let ports = RelayPorts {
        outbox: Arc::new(sessions.clone()),
        log: world.servers.writer(),
        clock: Arc::clone(&sessions.clock),
        observer: Arc::new(Silent),
    };
    Relay::new(shard, ports, RelaySettings { rows_max: 3, ..RelaySettings::default() })
}

async fn drain(relay: &mut Relay) {
    while relay.step().await != Relayed::Idle {}
}

async fn publish(sessions: &Sessions, key: &str, version: i64) {
    let mut transaction = sessions.begin().await.unwrap();
    transaction.publish([published(key, version)]);
    transaction.commit().await.unwrap();
}

async fn texts(world: &World) -> Vec<String> {
    world.servers.read_all(TOPIC).await.iter().map(text_of).collect()
}

#[derive(QueryableByName)]
struct Pid {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Ends the database session that holds the lock of the relay.
async fn kill_leader(connection: &mut AsyncPgConnection) {
    let leaders: Vec<Pid> = statement(
        "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database \
         WHERE locktype = 'advisory' AND granted AND datname = current_database()",
    )
    .load(connection)
    .await
    .unwrap();
    let [leader] = leaders.as_slice() else { panic!("one leader, not {}", leaders.len()) };
    let kill = format!("SELECT pg_terminate_backend({})", leader.pid);
    connection.batch_execute(&kill).await.unwrap();
}

#[tokio::test]
async fn what_is_committed_arrives_in_order_and_leaves_the_outbox() {
    let world = World::fresh().await;
    for version in 1..=20 {
        for key in ["one", "two", "three"] {
            publish(&world.sessions, key, version).await;
        }
    }
    drain(&mut relay(&world, &world.sessions, 0)).await;
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 0);
    let sent = texts(&world).await;
    for key in ["one", "two", "three"] {
        let of_key: Vec<&String> =
            sent.iter().filter(|text| text.starts_with(&format!("{key}/"))).collect();
        let expected: Vec<String> = (1..=20).map(|version| format!("{key}/{version}")).collect();
        assert_eq!(of_key, expected.iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn every_copy_arrives_with_the_same_envelope() {
    let world = World::fresh().await;
    world.servers.create_topics(&["codepix.bank.00000001"], 2).await;
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.publish([copied("key", 7, "00000001")]);
    transaction.commit().await.unwrap();
    drain(&mut relay(&world, &world.sessions, 0)).await;
    let own = world.servers.read_all(TOPIC).await;
    let copy = world.servers.read_all("codepix.bank.00000001").await;
    assert_eq!((own.len(), copy.len()), (1, 1));
    assert_eq!(own[0].headers, copy[0].headers);
    assert_eq!(own[0].header("ce_aggregateversion"), Some("7"));
    assert_eq!(own[0].header("ce_source"), Some("/codepix/probe"));
    assert_eq!((&own[0].key, &own[0].payload), (&copy[0].key, &copy[0].payload));
}

#[tokio::test]
async fn killed_between_writing_and_removing_it_sends_again_with_the_same_ids() {
    let world = World::fresh().await;
    publish(&world.sessions, "key", 1).await;
    publish(&world.sessions, "key", 2).await;
    let mut killed = world.sessions.try_lead(0).await.unwrap().expect("nobody else leads");
    for row in killed.pending(10).await.unwrap() {
        world.servers.writer().write(&row.records).await.unwrap();
    }
    drop(killed);
    let mut next = relay(&world, &world.sessions, 0);
    eventually(async || {
        let relayed = next.step().await;
        if relayed == Relayed::Idle { Ok(()) } else { Err(relayed) }
    })
    .await;
    assert_eq!(texts(&world).await, ["key/1", "key/2", "key/1", "key/2"]);
    let records = world.servers.read_all(TOPIC).await;
    let id = |at: usize| records[at].header("ce_id").unwrap().to_owned();
    assert_eq!([id(0), id(1)], [id(2), id(3)]);
    assert_ne!(id(0), id(1));
}

#[tokio::test]
async fn one_leads_a_shard_and_when_its_session_dies_the_next_takes_over() {
    let world = World::fresh().await;
    let (mut first, mut second) =
        (relay(&world, &world.sessions, 0), relay(&world, &world.sessions, 0));
    publish(&world.sessions, "key", 1).await;
    assert_eq!(first.step().await, Relayed::Sent(1));
    assert_eq!(second.step().await, Relayed::Following);
    publish(&world.sessions, "key", 2).await;
    assert_eq!(second.step().await, Relayed::Following, "whatever waits");
    let mut connection = world.sessions.database.session().await.unwrap();
    kill_leader(&mut connection).await;
    eventually(async || {
        let relayed = second.step().await;
        if relayed == Relayed::Sent(1) { Ok(()) } else { Err(relayed) }
    })
    .await;
    // The first notices at its next step, and follows.
    publish(&world.sessions, "key", 3).await;
    assert_eq!(first.step().await, Relayed::Sent(0), "its session is gone");
    assert_eq!(first.step().await, Relayed::Following);
    assert_eq!(second.step().await, Relayed::Sent(1));
    assert_eq!(texts(&world).await, ["key/1", "key/2", "key/3"]);
}

#[tokio::test]
async fn shards_are_led_one_by_one() {
    let world = World::fresh().await;
    let sessions = Sessions { shards: 4, ..world.sessions.clone() };
    let mut expected = Vec::new();
    for number in 0..20 {
        publish(&sessions, &format!("key-{number}"), 1).await;
        expected.push(format!("key-{number}/1"));
    }
    // All four are held at the same time.
    let mut relays: Vec<Relay> = (0..4).map(|shard| relay(&world, &sessions, shard)).collect();
    for relay in &mut relays {
        drain(relay).await;
    }
    assert_eq!(sorted(texts(&world).await), sorted(expected));
    assert_eq!(sessions.outbox_length().await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_that_commits_after_a_younger_one_is_not_forgotten() {
    let world = World::fresh().await;
    publish(&world.sessions, "early", 1).await;
    // Takes the next id now, and commits after the row with the id behind it.
    let mut slow = world.sessions.database.session().await.unwrap();
    let insert = "BEGIN; INSERT INTO probe.outbox (shard, records) \
         SELECT shard, replace(records, 'early', 'slow') FROM probe.outbox LIMIT 1";
    slow.batch_execute(insert).await.unwrap();
    publish(&world.sessions, "quick", 1).await;
    let mut relay = relay(&world, &world.sessions, 0);
    drain(&mut relay).await;
    assert_eq!(sorted(texts(&world).await), ["early/1", "quick/1"]);
    slow.batch_execute("COMMIT").await.unwrap();
    drain(&mut relay).await;
    assert_eq!(sorted(texts(&world).await), ["early/1", "quick/1", "slow/1"]);
}

#[tokio::test]
async fn a_relay_that_is_stopped_sends_what_is_committed_before_it_ends() {
    let world = World::fresh().await;
    for version in 1..=10 {
        publish(&world.sessions, "key", version).await;
    }
    let (handle, stop) = stop_pair();
    handle.stop();
    relay(&world, &world.sessions, 0).run(stop).await;
    assert_eq!(texts(&world).await.len(), 10);
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 0);
}

#[tokio::test]
async fn a_record_that_no_topic_takes_is_told_and_what_precedes_it_leaves() {
    let world = World::fresh().await;
    publish(&world.sessions, "key", 1).await;
    let mut transaction = world.sessions.begin().await.unwrap();
    transaction.publish([huge("key", 2)]);
    transaction.commit().await.unwrap();
    publish(&world.sessions, "key", 3).await;
    let mut relay = relay(&world, &world.sessions, 0);
    for _ in 0..3 {
        assert_eq!(relay.step().await, Relayed::Sent(0));
    }
    let sent = texts(&world).await;
    assert_eq!(sent.iter().filter(|text| *text == "key/1").count(), 2, "not again and again");
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 2);
    let larger = plain(&world.servers.kafka, "key", &"x".repeat(2_100_000));
    let refused = world.servers.writer().write(&[larger]).await.unwrap_err();
    assert!(matches!(refused, LogError::Fatal(_)), "{refused:?}");
}

#[tokio::test]
async fn a_row_that_nobody_can_read_stops_its_shard_and_loses_nothing() {
    let world = World::fresh().await;
    world.sql("INSERT INTO probe.outbox (shard, records) VALUES (0, '[{\"topics\":7}]')").await;
    publish(&world.sessions, "key", 1).await;
    let mut lead = world.sessions.try_lead(0).await.unwrap().expect("nobody else leads");
    let unreadable = lead.pending(10).await.unwrap_err();
    assert!(matches!(unreadable, StoreError::Rejected(_)), "{unreadable:?}");
    drop(lead);
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 2);
}
