//! Members of one group: partitions move, records do not get lost or doubled.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shared_kernel::application::LogReader;
use shared_kernel::application::consumer::{Consumer, ConsumerPorts, ConsumerSettings};
use shared_kernel::application::log::LogError;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{InboundRecord, Polled, Progress};
use shared_kernel::infrastructure::kafka::KafkaReader;
use shared_kernel::testing::eventually;
use std::time::Duration;
use tokio::sync::Notify;

use crate::world::{
    GROUP, Look, Notes, TOPIC, World, joined, looking, nothing_special, numbered, plain, sorted,
};

/// Counts the records that pass.
fn counting(count: &Arc<AtomicUsize>) -> Look {
    let count = Arc::clone(count);
    looking(move |texts| {
        count.fetch_add(texts.len(), Ordering::SeqCst);
        async { Ok(Vec::new()) }
    })
}

async fn noted(world: &World, expected: usize) -> Vec<String> {
    eventually(async || {
        let notes = world.read_notes().await;
        if notes.len() >= expected { Ok(notes) } else { Err(notes.len()) }
    })
    .await
}

#[tokio::test]
async fn a_batch_of_large_records_ends_by_its_bytes_and_none_is_left_out() {
    let world = World::fresh().await;
    let kafka = &world.servers.kafka;
    let large = |number: usize| plain(kafka, "one key", &number.to_string().repeat(900_000));
    world.servers.write(&(0..10).map(large).collect::<Vec<_>>()).await;
    let (mut reader, partitions) = joined(kafka).await;
    let beginnings = reader.beginnings(&partitions).await.unwrap();
    reader.assign(&beginnings).await.unwrap();
    let mut firsts: Vec<u8> = Vec::new();
    while firsts.len() < 10 {
        let polled = reader.poll(1_000, Duration::from_secs(10)).await.unwrap();
        let Polled::Batch { records, .. } = polled else { panic!("no batch: {polled:?}") };
        let bytes: usize = records.iter().map(InboundRecord::bytes).sum();
        assert!(bytes < 6_000_000, "{bytes}");
        firsts.extend(records.iter().map(|record| record.payload.as_ref().unwrap()[0]));
    }
    assert_eq!(firsts, b"0123456789");
    reader.close().await;
}

#[tokio::test]
async fn a_member_that_joins_and_one_that_leaves_lose_and_double_nothing() {
    let world = World::fresh().await;
    let (of_first, of_second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let first = world.run(counting(&of_first));
    world.write(numbered("alone", 100)).await;
    noted(&world, 100).await;
    let second = world.run(counting(&of_second));
    let mut written = 100;
    // Both write while the partitions are handed over.
    while of_second.load(Ordering::SeqCst) == 0 {
        world.write(numbered(&format!("together-{written}"), 20)).await;
        written += 20;
        noted(&world, written).await;
    }
    first.stop().await;
    world.write(numbered("without", 100)).await;
    let notes = noted(&world, written + 100).await;
    second.stop().await;
    let different: HashSet<&String> = notes.iter().collect();
    assert_eq!((notes.len(), different.len()), (written + 100, written + 100));
    assert_eq!(world.read_notes().await.len(), written + 100);
}

/// A consumer with the stored offsets of all others and a group of its own at the broker: it reads
/// their partitions and they read its, as when the broker takes a living member for dead.
fn rival(world: &World, group: &str, look: Look) -> (Consumer<Notes>, Arc<Progress>) {
    let kafka = &world.servers.kafka;
    let reader = KafkaReader::join(kafka, &kafka.named(group), &[kafka.named(TOPIC)]).unwrap();
    let progress = Arc::new(Progress::default());
    let ports = ConsumerPorts {
        reader: Box::new(reader),
        offsets: Arc::new(world.sessions.clone()),
        clock: Arc::clone(&world.sessions.clock),
        observer: Arc::new(Silent),
        progress: Arc::clone(&progress),
    };
    let settings = ConsumerSettings::new(kafka.named(GROUP));
    (Consumer::new(settings, ports, world.notes(look)), progress)
}

#[tokio::test]
async fn a_zombie_on_the_same_partitions_is_fenced_and_its_work_undone() {
    let world = World::fresh().await;
    let texts = numbered("note", 30);
    world.write(texts.clone()).await;
    let (entered, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gate = (Arc::clone(&entered), Arc::clone(&released));
    let held = looking(move |_texts| {
        let (entered, released) = gate.clone();
        async move {
            entered.notify_one();
            released.notified().await;
            released.notify_one();
            Ok(Vec::new())
        }
    });
    let (zombie, progress) = rival(&world, "zombies", held);
    let (handle, stop) = stop_pair();
    let task = tokio::spawn(zombie.run(stop));
    entered.notified().await;
    world.consume(nothing_special()).await;
    assert_eq!(sorted(world.read_notes().await), texts);
    released.notify_one();
    // The zombie reads the offsets anew and finds itself at the end, with nothing done.
    eventually(async || {
        let at_end = progress.at_end().len();
        if at_end == 4 { Ok(()) } else { Err(at_end) }
    })
    .await;
    assert_eq!(sorted(world.read_notes().await), texts);
    handle.stop();
    task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_that_all_believe_the_partitions_theirs_do_everything_once() {
    let world = World::fresh().await;
    let mut rivals = Vec::new();
    let counts: Vec<Arc<AtomicUsize>> = (0..3).map(|_| Arc::default()).collect();
    for (number, count) in counts.iter().enumerate() {
        let (consumer, _progress) = rival(&world, &format!("rivals-{number}"), counting(count));
        let (handle, stop) = stop_pair();
        rivals.push((handle, tokio::spawn(consumer.run(stop))));
    }
    let mut expected = Vec::new();
    let mut wave = 0;
    // Each has tried its hand, and so was fenced or has fenced the others.
    while wave < 15 || counts.iter().any(|count| count.load(Ordering::SeqCst) == 0) {
        let texts = numbered(&format!("wave-{wave:03}"), 20);
        expected.extend(texts.iter().cloned());
        world.write(texts).await;
        wave += 1;
    }
    noted(&world, expected.len()).await;
    for (handle, task) in rivals {
        handle.stop();
        task.await.unwrap().unwrap();
    }
    assert_eq!(sorted(world.read_notes().await), expected);
    let tried: usize = counts.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    assert!(tried > expected.len(), "they got into each other's way: {tried}");
}

#[tokio::test]
async fn a_pattern_takes_up_topics_that_are_created_later() {
    let world = World::fresh().await;
    let kafka = &world.servers.kafka;
    world.servers.create_topics(&["codepix.bank.00000001"], 2).await;
    let pattern =
        format!("^{}codepix\\.bank\\.[0-9A-Z]{{8}}$", kafka.named("").replace('.', "\\."));
    let reader = KafkaReader::join(kafka, &kafka.named(GROUP), &[pattern]).unwrap();
    let ports = ConsumerPorts {
        reader: Box::new(reader),
        offsets: Arc::new(world.sessions.clone()),
        clock: Arc::clone(&world.sessions.clock),
        observer: Arc::new(Silent),
        progress: Arc::new(Progress::default()),
    };
    let settings = ConsumerSettings::new(kafka.named(GROUP));
    let consumer = Consumer::new(settings, ports, world.notes(nothing_special()));
    let (handle, stop) = stop_pair();
    let task = tokio::spawn(consumer.run(stop));
    let to = |bank: &str, text: &str| {
        let mut record = plain(kafka, "key", text);
        record.topics = vec![kafka.named(&format!("codepix.bank.{bank}"))];
        record
    };
    world.servers.write(&[to("00000001", "old bank")]).await;
    noted(&world, 1).await;
    world.servers.create_topics(&["codepix.bank.00000002", "codepix.bank.00000002x"], 2).await;
    world.servers.write(&[to("00000002x", "no bank"), to("00000002", "new bank")]).await;
    assert_eq!(noted(&world, 2).await, ["old bank", "new bank"]);
    handle.stop();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_member_leaves_even_when_it_never_took_up_its_partitions() {
    let world = World::fresh().await;
    let kafka = &world.servers.kafka;
    let join = || KafkaReader::join(kafka, &kafka.named(GROUP), &[kafka.named(TOPIC)]).unwrap();
    let assigned = async |reader: &mut KafkaReader| {
        loop {
            match reader.poll(10, Duration::from_millis(250)).await {
                Ok(Polled::Assigned(partitions)) => return partitions.len(),
                Ok(Polled::Nothing | Polled::Revoked | Polled::Batch { .. })
                | Err(LogError::Unavailable(_)) => {}
                Err(fatal @ LogError::Fatal(_)) => panic!("{fatal}"),
            }
        }
    };
    let mut told = join();
    assert_eq!(assigned(&mut told).await, 4);
    told.close().await;
    assert!(told.poll(10, Duration::ZERO).await.is_err(), "it has left");
    // Not even polled: the assignment arrives while it leaves.
    let mut silent = join();
    silent.close().await;
    drop(join());
    let mut next = join();
    assert_eq!(assigned(&mut next).await, 4, "nobody else is left in the group");
    next.close().await;
}

#[tokio::test]
async fn a_topic_may_come_after_its_consumer() {
    let world = World::fresh().await;
    let (sessions, kafka) = (&world.sessions, &world.servers.kafka);
    let notes = world.notes(nothing_special());
    let (consumer, _progress) = world.servers.consumer(GROUP, "codepix.later", sessions, notes);
    let (handle, stop) = stop_pair();
    let task = tokio::spawn(consumer.run(stop));
    world.servers.create_topics(&["codepix.later"], 2).await;
    let mut record = plain(kafka, "key", "patience");
    record.topics = vec![kafka.named("codepix.later")];
    world.servers.write(&[record]).await;
    assert_eq!(noted(&world, 1).await, ["patience"]);
    handle.stop();
    task.await.unwrap().unwrap();
}
