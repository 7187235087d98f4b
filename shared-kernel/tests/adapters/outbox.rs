//! What a transaction leaves behind for its relay, and what becomes of one that ends badly.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, SmallInt};
use diesel_async::RunQueryDsl;
use shared_kernel::application::outbox::{Outbox, shard_of};
use shared_kernel::application::{StoreError, Transaction};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::shards::settle_shards;
use shared_kernel::infrastructure::postgres::statement;
use shared_kernel::testing::eventually;

use crate::world::{World, execute, published};

#[derive(QueryableByName)]
struct Shard {
    #[diesel(sql_type = SmallInt)]
    shard: i16,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

async fn shards(world: &World) -> Vec<(i16, i64)> {
    let mut connection = world.sessions.database.connection().await.unwrap();
    let rows: Vec<Shard> =
        statement("SELECT shard, count(*) AS rows FROM probe.outbox GROUP BY shard ORDER BY shard")
            .load(&mut connection)
            .await
            .unwrap();
    rows.into_iter().map(|row| (row.shard, row.rows)).collect()
}

async fn publish(sessions: &Sessions, key: &str, versions: std::ops::RangeInclusive<i64>) {
    let mut transaction = sessions.begin().await.unwrap();
    transaction.publish(versions.map(|version| published(key, version)));
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_commit_writes_one_row_for_each_shard_that_it_concerns() {
    let world = World::fresh().await;
    let sessions = Sessions { shards: 4, ..world.sessions.clone() };
    let keys: Vec<String> = (0..20).map(|number| format!("key-{number}")).collect();
    let mut transaction = sessions.begin().await.unwrap();
    transaction.publish(keys.iter().map(|key| published(key, 1)));
    assert_eq!(sessions.outbox_length().await.unwrap(), 0, "nothing before the commit");
    transaction.commit().await.unwrap();
    let mut expected: Vec<i16> =
        keys.iter().map(|key| i16::try_from(shard_of(key.as_bytes(), 4)).unwrap()).collect();
    expected.sort_unstable();
    expected.dedup();
    let expected: Vec<(i16, i64)> = expected.into_iter().map(|shard| (shard, 1)).collect();
    assert_eq!(shards(&world).await, expected);
    assert_eq!(sessions.outbox_length().await.unwrap(), i64::try_from(expected.len()).unwrap());
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_leaves_nothing() {
    let world = World::fresh().await;
    let mut transaction = world.sessions.begin().await.unwrap();
    execute(&mut transaction, "INSERT INTO probe.note (text) VALUES ('gone')").await.unwrap();
    transaction.publish([published("key", 1)]);
    transaction.rollback().await;
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 0);
    assert_eq!(world.read_notes().await.len(), 0);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_gives_its_locks_back_at_once() {
    let world = World::fresh().await;
    world.sql("INSERT INTO probe.once (name) VALUES ('row')").await;
    let lock = "SELECT FROM probe.once WHERE name = 'row' FOR UPDATE NOWAIT";
    let mut dropped = world.sessions.begin().await.unwrap();
    execute(&mut dropped, lock).await.unwrap();
    execute(&mut dropped, "INSERT INTO probe.note (text) VALUES ('gone')").await.unwrap();
    // Another pool: nothing but the drop itself ends the transaction.
    let other = world.servers.sessions("probe", "/codepix/probe", &[]).await;
    let mut waiting = other.begin().await.unwrap();
    assert!(execute(&mut waiting, lock).await.is_err(), "it is locked while it is open");
    waiting.rollback().await;
    drop(dropped);
    eventually(async || {
        let mut waiting = other.begin().await?;
        let locked = execute(&mut waiting, lock).await;
        waiting.rollback().await;
        locked
    })
    .await;
    assert_eq!(world.read_notes().await.len(), 0);
}

#[tokio::test]
async fn a_transaction_that_stands_still_loses_its_locks_and_cannot_commit() {
    let world = World::fresh().await;
    world.sql("INSERT INTO probe.once (name) VALUES ('row')").await;
    let lock = "SELECT FROM probe.once WHERE name = 'row' FOR UPDATE";
    let mut still = world.sessions.begin().await.unwrap();
    execute(&mut still, lock).await.unwrap();
    still.publish([published("gone", 1)]);
    let other = world.servers.sessions("probe", "/codepix/probe", &[]).await;
    eventually(async || {
        let mut waiting = other.begin().await?;
        let locked = execute(&mut waiting, lock).await;
        if let Err(late) = &locked {
            assert!(matches!(late, StoreError::Unavailable(_)), "it is tried again: {late:?}");
        }
        waiting.rollback().await;
        locked
    })
    .await;
    let late = still.commit().await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 0);
    publish(&world.sessions, "key", 1..=1).await;
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_and_holds_nothing() {
    let world = World::fresh().await;
    world.sql("INSERT INTO probe.once (name) VALUES ('row')").await;
    world.sql("ALTER TABLE probe.outbox ADD CHECK (records NOT LIKE '%forbidden%')").await;
    let lock = "SELECT FROM probe.once WHERE name = 'row' FOR UPDATE NOWAIT";
    let mut failing = world.sessions.begin().await.unwrap();
    execute(&mut failing, lock).await.unwrap();
    execute(&mut failing, "INSERT INTO probe.note (text) VALUES ('gone')").await.unwrap();
    failing.publish([published("forbidden", 1)]);
    let failed = failing.commit().await;
    assert!(matches!(failed, Err(StoreError::Rejected(_))), "{failed:?}");
    let other = world.servers.sessions("probe", "/codepix/probe", &[]).await;
    eventually(async || {
        let mut waiting = other.begin().await?;
        let locked = execute(&mut waiting, lock).await;
        waiting.rollback().await;
        locked
    })
    .await;
    assert_eq!(world.read_notes().await.len(), 0);
    assert_eq!(world.sessions.outbox_length().await.unwrap(), 0);
}

#[tokio::test]
async fn the_number_of_shards_changes_only_while_the_outbox_is_empty() {
    let world = World::fresh().await;
    let settle = async |wanted| {
        let mut connection = world.sessions.database.connection().await.unwrap();
        settle_shards(&mut connection, &world.sessions.tables, wanted).await.unwrap()
    };
    assert_eq!(settle(4).await, 4);
    assert_eq!(settle(2).await, 2);
    publish(&world.sessions, "key", 1..=1).await;
    assert_eq!(settle(8).await, 2, "a row waits");
    // A process that still has four wrote this one: no shard may be left without a relay.
    world.sql("UPDATE probe.outbox SET shard = 3").await;
    assert_eq!(settle(1).await, 4);
    world.sql("DELETE FROM probe.outbox").await;
    assert_eq!(settle(1).await, 1);
}

#[tokio::test]
async fn the_number_of_shards_does_not_change_under_a_process_that_relays() {
    let world = World::fresh().await;
    let settle = async |wanted| {
        let mut connection = world.sessions.database.connection().await.unwrap();
        settle_shards(&mut connection, &world.sessions.tables, wanted).await
    };
    assert_eq!(settle(4).await, Ok(4));
    let lead = world.sessions.try_lead(3).await.unwrap().expect("nobody else leads");
    assert_eq!(settle(4).await, Ok(4), "what everyone has is no change");
    let Err(StoreError::Rejected(reason)) = settle(2).await else { panic!("it changed") };
    assert!(reason.contains("CODEPIX_OUTBOX_SHARDS to 4"), "{reason}");
    drop(lead);
    eventually(async || settle(2).await).await;
}
