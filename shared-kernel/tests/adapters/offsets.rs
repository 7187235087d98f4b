//! Offsets live in the database; what they mean is checked before anything is read.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel_async::RunQueryDsl;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use shared_kernel::application::log::{LogError, Position};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::transaction::{OffsetMove, OffsetStore};
use shared_kernel::application::{LogReader, StoreError, TopicPartition, Transaction};
use shared_kernel::infrastructure::kafka::KafkaReader;
use shared_kernel::infrastructure::postgres::statement;
use shared_kernel::infrastructure::postgres::statement::Bind;

use crate::world::{GROUP, TOPIC, World, nothing_special, numbered, plain};

#[derive(QueryableByName, Debug, PartialEq, Eq)]
struct Stored {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
    #[diesel(sql_type = BigInt)]
    next_offset: i64,
}

async fn stored(world: &World) -> Vec<Stored> {
    let mut connection = world.sessions.database.connection().await.unwrap();
    let text = "SELECT topic, partition, next_offset FROM probe.consumer_offset ORDER BY partition";
    statement(text).load(&mut connection).await.unwrap()
}

/// Puts `next_offset` for every partition there, before any consumer comes.
async fn store(world: &World, cluster_id: &str, next_offset: i64) {
    let text = "INSERT INTO probe.consumer_offset \
        (consumer, topic, partition, next_offset, cluster_id) \
        SELECT $1, $2, partition, $3, $4 FROM generate_series(0, 3) AS partition";
    let mut connection = world.sessions.database.connection().await.unwrap();
    statement(text)
        .bind::<Text, _>(world.servers.kafka.named(GROUP))
        .bind::<Text, _>(world.servers.kafka.named(TOPIC))
        .bind::<BigInt, _>(next_offset)
        .bind::<Text, _>(cluster_id)
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn cluster_id(world: &World) -> String {
    let kafka = &world.servers.kafka;
    let mut reader = KafkaReader::join(kafka, &kafka.named("asks"), &[kafka.named(TOPIC)]).unwrap();
    let cluster_id = reader.cluster_id().await.unwrap();
    reader.close().await;
    cluster_id
}

/// Runs a consumer until it gives up, and says why.
async fn refusal(world: &World) -> String {
    let (mut consumer, progress) = world.consumer(nothing_special());
    let (_handle, stop) = stop_pair();
    loop {
        match consumer.step(&stop).await {
            Err(LogError::Fatal(reason)) => return reason,
            other => assert!(other.is_ok() && progress.at_end().len() < 4, "it must give up"),
        }
    }
}

/// Deletes what is before `offset` in the partition of that key, as retention does.
async fn delete_before(world: &World, partition: i32, offset: i64) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &world.servers.kafka.brokers)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    let topic = world.servers.kafka.named(TOPIC);
    list.add_partition_offset(&topic, partition, Offset::Offset(offset)).unwrap();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    admin.delete_records(&list, &options).await.unwrap();
}

/// Ten records of one key, and the partition that they went to.
async fn write_ten(world: &World) -> i32 {
    let kafka = &world.servers.kafka;
    let texts = numbered("note", 10);
    let records: Vec<_> = texts.iter().map(|text| plain(kafka, "one key", text)).collect();
    world.servers.write(&records).await;
    world.servers.read_all(TOPIC).await[0].from.partition
}

#[tokio::test]
async fn offsets_are_stored_with_the_effect_for_every_partition() {
    let world = World::fresh().await;
    let partition = write_ten(&world).await;
    world.consume(nothing_special()).await;
    let topic = world.servers.kafka.named(TOPIC);
    let expected: Vec<Stored> = (0..4)
        .map(|number| {
            let next_offset = if number == partition { 10 } else { 0 };
            Stored { topic: topic.clone(), partition: number, next_offset }
        })
        .collect();
    assert_eq!(stored(&world).await, expected);
}

#[tokio::test]
async fn the_offsets_of_another_cluster_are_refused_and_left_alone() {
    let world = World::fresh().await;
    store(&world, "another-cluster", 0).await;
    world.sql("DELETE FROM probe.consumer_offset WHERE partition > 0").await;
    let before = stored(&world).await;
    world.write(numbered("note", 4)).await;
    let reason = refusal(&world).await;
    assert!(reason.contains("another-cluster"), "{reason}");
    assert!(reason.contains(&cluster_id(&world).await), "{reason}");
    assert_eq!(stored(&world).await, before, "no offset of this cluster stands beside them");
    assert_eq!(world.read_notes().await.len(), 0);
}

#[tokio::test]
async fn a_member_that_holds_none_of_the_stored_partitions_is_refused_too() {
    let world = World::fresh().await;
    store(&world, "another-cluster", 0).await;
    let (topic, consumer) = (world.servers.kafka.named("elsewhere"), GROUP);
    let consumer = world.servers.kafka.named(consumer);
    let beginning = Position { at: TopicPartition { topic, partition: 0 }, next_offset: 0 };
    let refused = world.sessions.positions(&consumer, "this-cluster", &[beginning]).await;
    assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    assert_eq!(stored(&world).await.len(), 4);
}

#[tokio::test]
async fn an_offset_behind_the_end_of_the_log_is_fatal() {
    let world = World::fresh().await;
    store(&world, &cluster_id(&world).await, 100).await;
    world.write(numbered("note", 8)).await;
    let reason = refusal(&world).await;
    assert!(reason.contains("lies beyond the end"), "{reason}");
    assert_eq!(world.read_notes().await.len(), 0);
}

#[tokio::test]
async fn an_offset_that_was_deleted_is_fatal_and_nothing_is_skipped() {
    let world = World::fresh().await;
    world.consume(nothing_special()).await;
    let partition = write_ten(&world).await;
    delete_before(&world, partition, 5).await;
    let reason = refusal(&world).await;
    assert!(reason.contains("does not exist in the log"), "{reason}");
    assert_eq!(world.read_notes().await.len(), 0);
}

#[tokio::test]
async fn a_new_consumer_begins_where_the_log_begins() {
    let world = World::fresh().await;
    let partition = write_ten(&world).await;
    delete_before(&world, partition, 5).await;
    world.consume(nothing_special()).await;
    assert_eq!(world.read_notes().await, numbered("note", 10)[5..]);
}

#[tokio::test]
async fn offsets_move_together_or_not_at_all() {
    let world = World::fresh().await;
    let consumer = world.servers.kafka.named(GROUP);
    let at = |partition| TopicPartition { topic: "notes".into(), partition };
    let beginnings = [0, 1].map(|number| Position { at: at(number), next_offset: 7 });
    let read = async || {
        let mut read = world.sessions.positions(&consumer, "here", &beginnings).await.unwrap();
        read.sort_by_key(|position| position.at.partition);
        read.iter().map(|position| position.next_offset).collect::<Vec<_>>()
    };
    assert_eq!(read().await, [7, 7]);
    let step = |partition, from, to| OffsetMove { at: at(partition), from, to };
    for (moves, outcome) in [
        (vec![step(0, 7, 9), step(1, 8, 9)], Err(StoreError::Fenced)),
        (vec![step(0, 7, 9), step(2, 7, 9)], Err(StoreError::Fenced)),
        (vec![step(0, 7, 9), step(1, 7, 8)], Ok(())),
        (vec![step(0, 7, 9)], Err(StoreError::Fenced)),
    ] {
        let mut transaction = world.sessions.begin().await.unwrap();
        let moved = transaction.advance(&consumer, &moves).await;
        if moved.is_ok() {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await;
        }
        assert_eq!(moved, outcome);
    }
    assert_eq!(read().await, [9, 8], "stored offsets count, not beginnings");
    let mut connection = world.sessions.database.connection().await.unwrap();
    let untouched: Vec<Stored> = statement(
        "SELECT topic, partition, next_offset FROM probe.consumer_offset \
         WHERE NOT partition = ANY($1)",
    )
    .bind::<Array<Integer>, _>(vec![0, 1])
    .load(&mut connection)
    .await
    .unwrap();
    assert_eq!(untouched, []);
}
