//! Migrations: once, in order, whoever comes first.

use futures::future::join_all;
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::{StoreError, Transaction};
use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};
use shared_kernel::infrastructure::postgres::{
    Database, DatabaseSettings, Migration, Tables, migrate,
};
use shared_kernel::infrastructure::{ContextPlan, ContextStart};
use shared_kernel::testing::wait::PATIENCE;
use shared_kernel::testing::{TestServers, eventually};

use crate::world::{MIGRATIONS, SCHEMA, SOURCE, TOPIC, World, execute, sorted};

const GOOD: Migration =
    Migration { name: "2026-11-21_good", up: "INSERT INTO probe.once (name) VALUES ('good')" };

fn database(servers: &TestServers) -> Database {
    let url = servers.database_url.clone();
    Database::new(&DatabaseSettings { url, connections_max: 2 }).unwrap()
}

#[tokio::test]
async fn four_processes_that_start_together_migrate_once() {
    let servers = TestServers::fresh().await;
    let migrations = [MIGRATIONS[0], GOOD];
    let starts = (0..4).map(async |_| {
        // As a process has it: a pool of its own, a session of its own.
        migrate(&database(&servers), &Tables::of(SCHEMA), &migrations).await
    });
    assert_eq!(join_all(starts).await, vec![Ok(()); 4]);
    let once = migrate(&database(&servers), &Tables::of(SCHEMA), &migrations).await;
    assert_eq!(once, Ok(()), "a start later finds nothing to do");
}

#[tokio::test]
async fn four_contexts_that_start_together_agree_on_schema_topics_and_shards() {
    let servers = TestServers::fresh().await;
    let plan = || ContextPlan {
        name: "probe",
        schema: SCHEMA,
        source: SOURCE,
        migrations: MIGRATIONS,
        topics: vec![TopicPlan::new(TOPIC, Retention::Forever).partitions(2)],
        readers: &[],
    };
    let contexts: Vec<_> = (0..4).map(|_| servers.context()).collect();
    let starts = contexts.iter().map(|context| ContextStart::begin(&context.settings, plan()));
    for start in join_all(starts).await {
        let names: Vec<String> =
            start.unwrap().finish().into_iter().map(|worker| worker.name).collect();
        assert_eq!(names, ["probe/relay-0", "probe/forget-answers"]);
    }
}

#[tokio::test]
async fn a_consumer_that_the_catalogue_does_not_know_is_not_started() {
    const KNOWN: Reader = Reader {
        context: "probe",
        consumer: "codepix.probe",
        channels: &[TOPIC],
        knows: &[],
        read: |_record| Ok(true),
    };
    const UNKNOWN: Reader = Reader { consumer: "codepix.secret", ..KNOWN };
    let servers = TestServers::fresh().await;
    let plan = ContextPlan {
        name: "probe",
        schema: SCHEMA,
        source: SOURCE,
        migrations: MIGRATIONS,
        topics: vec![TopicPlan::new(TOPIC, Retention::Forever).partitions(2)],
        readers: &[KNOWN],
    };
    let context = servers.context();
    let mut start = ContextStart::begin(&context.settings, plan).await.unwrap();
    start.tail(&KNOWN).unwrap();
    let refused = start.tail(&UNKNOWN).unwrap_err().to_string();
    assert!(refused.contains("codepix.secret") && refused.contains("READERS"), "{refused}");
    let names: Vec<String> = start.finish().into_iter().map(|worker| worker.name).collect();
    assert_eq!(names.iter().filter(|name| name.contains("tail")).count(), 1, "{names:?}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_is_done_when_it_is_right() {
    let world = World::fresh().await;
    let tables = Tables::of(SCHEMA);
    let bad = Migration {
        name: "2026-11-21_bad",
        up: "INSERT INTO probe.note (text) VALUES ('half'); SELECT nonsense",
    };
    let database = database(&world.servers);
    let failed = migrate(&database, &tables, &[MIGRATIONS[0], bad, GOOD]).await.unwrap_err();
    let StoreError::Rejected(reason) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("2026-11-21_bad") && reason.contains("nonsense"), "{reason}");
    assert_eq!(world.read_notes().await.len(), 0, "not even its first half");
    let right = Migration { up: "INSERT INTO probe.note (text) VALUES ('whole')", ..bad };
    for _ in 0..2 {
        migrate(&database, &tables, &[MIGRATIONS[0], right, GOOD]).await.unwrap();
    }
    assert_eq!(world.read_notes().await, ["whole"]);
}

#[tokio::test]
async fn a_start_beside_an_open_transaction_waits_for_nothing() {
    let world = World::fresh().await;
    let mut open = world.sessions.begin().await.unwrap();
    let row = "INSERT INTO probe.outbox (shard, records) VALUES (0, '[]')";
    execute(&mut open, row).await.unwrap();
    let answer = "INSERT INTO probe.command_answer (scope, key, digest, answer) \
                  VALUES ('scope', 'key', '', '')";
    execute(&mut open, answer).await.unwrap();
    let database = database(&world.servers);
    let tables = Tables::of(SCHEMA);
    let start = migrate(&database, &tables, MIGRATIONS);
    let started = tokio::time::timeout(PATIENCE, start).await;
    assert_eq!(started.expect("it does not wait for the transaction"), Ok(()));
    open.commit().await.unwrap();
}

#[tokio::test]
async fn a_migration_that_needs_a_table_in_use_lets_the_others_go_on_and_gets_its_turn() {
    let world = World::fresh().await;
    let mut open = world.sessions.begin().await.unwrap();
    let note = "INSERT INTO probe.note (text) VALUES ('open')";
    execute(&mut open, note).await.unwrap();
    let servers = world.servers.clone();
    let start = tokio::spawn(async move {
        let wider = Migration {
            name: "2026-11-21_wider",
            up: "ALTER TABLE probe.note ADD COLUMN more text",
        };
        migrate(&database(&servers), &Tables::of(SCHEMA), &[MIGRATIONS[0], wider]).await
    });
    let waiting = "SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted \
                   AND relation = 'probe.note'::regclass";
    eventually(async || {
        let mut looking = world.sessions.begin().await?;
        let found = execute(&mut looking, waiting).await?;
        looking.rollback().await;
        if found == 1 { Ok(()) } else { Err(StoreError::Unavailable("not yet".into())) }
    })
    .await;
    // It waits for the open transaction, and this one does not wait for both.
    world.sql("INSERT INTO probe.note (text) VALUES ('meanwhile')").await;
    assert!(!start.is_finished());
    open.commit().await.unwrap();
    assert_eq!(start.await.unwrap(), Ok(()));
    world.sql("UPDATE probe.note SET more = text").await;
    assert_eq!(sorted(world.read_notes().await), ["meanwhile", "open"]);
}
