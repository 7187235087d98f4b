//! Hints of a broker about new leaders are not taken: librdkafka dies of some of them.

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::support::eventually;
use crate::support::fake_broker::{FakeBroker, PARTITIONS, TOPIC};

/// Answers with hints that a reader gets.
const HINTS: usize = 20;

#[tokio::test]
async fn a_reader_asks_for_the_leader_and_believes_no_hint() {
    let broker = FakeBroker::start().await;
    let reader: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &broker.address)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .set("fetch.error.backoff.ms", "10")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions.add_partition_offset(TOPIC, partition, Offset::Offset(0)).unwrap();
    }
    reader.assign(&partitions).unwrap();
    let asks_the_leader = eventually(async || {
        let fetches = broker.fetches();
        if fetches >= HINTS { Ok(()) } else { Err(fetches) }
    });
    tokio::select! {
        biased;
        () = broker.is_believed() => panic!("the hinted node was called"),
        () = asks_the_leader => {}
    }
    // Leaving waits for the broker, which must answer meanwhile.
    tokio::task::spawn_blocking(move || drop(reader)).await.unwrap();
}
