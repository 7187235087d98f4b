//! The ends that the broker names, and what it takes to reach them.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use shared_kernel::application::log::Position;
use shared_kernel::application::{Clock, LogReader, Polled};
use shared_kernel::infrastructure::system::SystemClock;
use shared_kernel::testing::eventually;

use crate::world::{PARTITIONS, RunningConsumer, TOPIC, World, joined, nothing_special};

/// How long a transaction may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// Returns when every partition is known to be read until now.
async fn all_read(running: &RunningConsumer) {
    let now = SystemClock.now();
    eventually(async || {
        let read = running.progress.read_until();
        let count = read.iter().filter(|(_, until)| *until >= now).count();
        if count == usize::try_from(PARTITIONS).unwrap() { Ok(()) } else { Err(read) }
    })
    .await;
}

#[tokio::test]
async fn partitions_are_known_to_be_read_when_somebody_waits_for_it() {
    let world = World::fresh().await;
    let running = world.run(nothing_special());
    all_read(&running).await;
    world.write(["note".to_owned()]).await;
    all_read(&running).await;
    assert_eq!(world.read_notes().await, ["note"], "what was written before is read");
    running.stop().await;
}

/// Writes "whole" into the first partition, with the mark of its transaction behind it.
async fn write_in_a_transaction(world: &World) {
    let kafka = world.servers.kafka.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &kafka.brokers)
            .set("transactional.id", kafka.named("transaction"))
            .create()
            .unwrap();
        producer.init_transactions(ANSWER).unwrap();
        producer.begin_transaction().unwrap();
        let topic = kafka.named(TOPIC);
        let record = BaseRecord::to(&topic).key("key").payload("whole").partition(0);
        producer.send(record).unwrap();
        producer.commit_transaction(ANSWER).unwrap();
    });
    writing.await.unwrap();
}

/// The end behind that mark is reached.
async fn reaches_the_end_behind_a_mark(world: &World) {
    write_in_a_transaction(world).await;
    let running = world.run(nothing_special());
    all_read(&running).await;
    assert_eq!(world.read_notes().await, ["whole"]);
    running.stop().await;
}

#[tokio::test]
async fn an_end_behind_the_mark_of_a_transaction_is_reached_too() {
    reaches_the_end_behind_a_mark(&World::fresh().await).await;
}

#[tokio::test]
async fn an_end_behind_a_mark_is_reached_though_several_polls_pass_before_it_is_told() {
    let mut world = World::fresh().await;
    // An end is told by an answer without records, and the broker takes its time for that.
    let slow = ("fetch.wait.max.ms".into(), "600".into());
    world.servers.kafka.properties.push(slow);
    reaches_the_end_behind_a_mark(&world).await;
}

#[tokio::test]
async fn a_question_does_not_wait_with_a_reader_for_whom_nothing_comes() {
    let world = World::fresh().await;
    let mut kafka = world.servers.kafka.clone();
    // Three times as long as a question may take.
    kafka.properties.push(("fetch.wait.max.ms".into(), "30000".into()));
    world.write(["note".to_owned()]).await;
    let at = world.servers.read_all(TOPIC).await[0].from.clone();
    let (mut reader, _partitions) = joined(&kafka).await;
    reader.assign(&[Position { at: at.clone(), next_offset: 0 }]).await.unwrap();
    let polled = reader.poll(10, Duration::from_secs(10)).await.unwrap();
    assert!(matches!(polled, Polled::Batch { .. }), "{polled:?}");
    // Nothing follows: by now the broker waits for the next record to answer this reader.
    let ends = reader.ends(std::slice::from_ref(&at)).await.unwrap();
    assert_eq!(ends, [Position { at, next_offset: 1 }]);
    reader.close().await;
}
