//! What becomes of a batch: it takes effect once, or it is a dead letter, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use shared_kernel::application::consumer::BatchHandler;
use shared_kernel::application::dead_letter::{REASON_BYTES_MAX, header};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::relay::{Relay, RelayPorts, RelaySettings, Relayed};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{Envelope, InboundRecord, Refusal, StoreError};
use shared_kernel::infrastructure::postgres::PgSession;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::testing::eventually;
use tokio::sync::Notify;

use crate::raw;
use crate::world::{
    GROUP, Notes, TOPIC, UNFIT, World, execute, looking, nothing_special, numbered, plain, sorted,
    text_of,
};

/// Sends what the outbox holds and reads the dead-letter topic.
async fn dead_letters(world: &World) -> Vec<InboundRecord> {
    let ports = RelayPorts {
        outbox: Arc::new(world.sessions.clone()),
        log: world.servers.writer(),
        clock: Arc::clone(&world.sessions.clock),
        observer: Arc::new(Silent),
    };
    let mut relay = Relay::new(0, ports, RelaySettings::default());
    while relay.step().await != Relayed::Idle {}
    world.servers.read_all(&format!("{TOPIC}.dlq")).await
}

#[tokio::test]
async fn every_record_takes_effect_once_and_a_restart_goes_on_behind_them() {
    let world = World::fresh().await;
    let (first, second) = (numbered("first", 50), numbered("second", 50));
    world.write(first.clone()).await;
    world.consume(nothing_special()).await;
    assert_eq!(sorted(world.read_notes().await), first);
    world.write(second.clone()).await;
    world.consume(nothing_special()).await;
    assert_eq!(sorted(world.read_notes().await), [first, second].concat());
}

#[tokio::test]
async fn one_key_is_one_order() {
    let world = World::fresh().await;
    let texts = numbered("step", 200);
    let kafka = &world.servers.kafka;
    let records: Vec<_> = texts.iter().map(|text| plain(kafka, "one key", text)).collect();
    world.servers.write(&records).await;
    world.consume(nothing_special()).await;
    assert_eq!(world.read_notes().await, texts);
}

#[tokio::test]
async fn what_the_database_refuses_is_found_and_set_aside_while_the_rest_takes_effect() {
    let world = World::fresh().await;
    let good = numbered("good", 40);
    let kafka = &world.servers.kafka;
    let mut records: Vec<_> = good.iter().map(|text| plain(kafka, "one key", text)).collect();
    records.insert(13, plain(kafka, "one key", UNFIT));
    records.insert(31, plain(kafka, "one key", UNFIT));
    world.servers.write(&records).await;
    world.consume(nothing_special()).await;
    assert_eq!(world.read_notes().await, good, "the order of the key is kept");
    let letters = dead_letters(&world).await;
    assert_eq!(letters.len(), 2);
    for (letter, offset) in letters.iter().zip(["13", "31"]) {
        assert_eq!(letter.header(header::CODE), Some("handling_failed"));
        assert_eq!(letter.header(header::CONSUMER), Some(kafka.named(GROUP).as_str()));
        assert_eq!(letter.header(header::TOPIC), Some(kafka.named(TOPIC).as_str()));
        assert_eq!(letter.header(header::OFFSET), Some(offset));
        assert!(letter.header(header::REASON).unwrap().contains("note_text_check"));
        assert_eq!(letter.header("written-by"), Some("a test"));
        assert_eq!(
            (letter.key.as_deref(), text_of(letter).as_str()),
            (Some(&b"one key"[..]), UNFIT)
        );
    }
}

#[tokio::test]
async fn a_handler_that_panics_loses_nothing_but_the_record_it_panics_at() {
    let world = World::fresh().await;
    let mut texts = numbered("good", 20);
    texts.push("frightful".into());
    world.write(texts.clone()).await;
    let look = looking(|texts| async move {
        assert!(!texts.iter().any(|text| text == "frightful"), "boo");
        Ok(Vec::new())
    });
    world.consume(look).await;
    texts.pop();
    assert_eq!(sorted(world.read_notes().await), texts);
    let letters = dead_letters(&world).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header(header::CODE), Some("handling_panicked"));
    assert!(letters[0].header(header::REASON).unwrap().contains("boo"));
}

#[tokio::test]
async fn a_record_that_the_handler_names_is_set_aside_with_its_reason() {
    let world = World::fresh().await;
    world.write(["good".to_owned(), "odd".to_owned()]).await;
    let look = looking(|texts| async move {
        let odd = texts.iter().position(|text| text == "odd");
        let refusal = |index| Refusal { index, code: "odd".into(), reason: "not even".into() };
        Ok(odd.map(refusal).into_iter().collect())
    });
    world.consume(look).await;
    assert_eq!(world.read_notes().await, ["good"]);
    let letters = dead_letters(&world).await;
    let [letter] = letters.as_slice() else { panic!("one letter, not {}", letters.len()) };
    assert_eq!(letter.header(header::CODE), Some("odd"));
    assert_eq!(letter.header(header::REASON), Some("not even"));
}

#[tokio::test]
async fn bytes_and_tombstones_are_set_aside_as_they_are() {
    let world = World::fresh().await;
    let mut odd = plain(&world.servers.kafka, "odd", "");
    odd.payload = Some(vec![0, 159, 146, 150]);
    odd.headers.push(("binary".into(), vec![0, 255]));
    let mut tombstone = plain(&world.servers.kafka, "odd", "");
    tombstone.payload = None;
    world.servers.write(&[odd.clone(), tombstone]).await;
    let look = looking(|texts| async move {
        let refusal = |index| Refusal { index, code: "odd".into(), reason: "no text".into() };
        Ok((0..texts.len()).map(refusal).collect())
    });
    world.consume(look).await;
    let letters = dead_letters(&world).await;
    assert_eq!(letters[0].payload, odd.payload);
    assert_eq!(letters[0].headers[1], ("binary".to_owned(), vec![0, 255]));
    assert_eq!((letters.len(), letters[1].payload.clone()), (2, None));
}

#[tokio::test]
async fn the_letter_of_any_record_that_a_topic_takes_is_sent() {
    let world = World::fresh().await;
    let kafka = &world.servers.kafka;
    let large = plain(kafka, "large", &"x".repeat(1_040_000));
    let mut framed = plain(kafka, "framed", &"y".repeat(200_000));
    framed.headers = vec![("ce_specversion".into(), vec![1; 200_000])];
    let mut named = plain(kafka, "named", "z");
    named.key = Some(vec![b'k'; 1_000_000]);
    world.servers.write(&[large.clone(), framed.clone(), named]).await;
    let handler = Arc::new(Enveloped(world.sessions.clone()));
    let (mut consumer, progress) =
        world.servers.consumer(GROUP, TOPIC, &world.sessions, Arc::clone(&handler));
    let (_handle, stop) = stop_pair();
    while progress.at_end().len() < 4 {
        consumer.step(&stop).await.unwrap();
    }
    let letters = dead_letters(&world).await;
    assert_eq!(letters.len(), 3);
    let of = |key: &[u8]| {
        let is_of =
            |letter: &&InboundRecord| letter.key.as_ref().is_some_and(|it| it.starts_with(key));
        letters.iter().find(is_of).unwrap()
    };
    assert_eq!(of(b"large").header("dlq_payload_bytes"), Some("1040000"));
    assert_eq!(of(b"framed").payload, framed.payload, "it is kept whole");
    assert_eq!(of(b"framed").headers[0], framed.headers[0]);
    assert!(of(b"framed").header(header::REASON).unwrap().len() <= REASON_BYTES_MAX);
    assert_eq!(of(b"kkk").header("dlq_key_bytes"), Some("1000000"));
}

#[tokio::test]
async fn a_header_whose_name_is_no_text_makes_a_dead_letter_and_halts_nobody() {
    let world = World::fresh().await;
    let kafka = &world.servers.kafka;
    raw::send(&kafka.brokers, &kafka.named(TOPIC), b"\xff\xfename", b"hostile").await;
    let handler = Arc::new(Enveloped(world.sessions.clone()));
    let (mut consumer, progress) =
        world.servers.consumer(GROUP, TOPIC, &world.sessions, Arc::clone(&handler));
    let (_handle, stop) = stop_pair();
    while progress.at_end().len() < 4 {
        consumer.step(&stop).await.unwrap();
    }
    let letters = dead_letters(&world).await;
    let [letter] = letters.as_slice() else { panic!("one letter, not {}", letters.len()) };
    assert_eq!(letter.payload.as_deref(), Some(&b"hostile"[..]));
    assert_eq!(letter.header(header::CODE), Some("envelope_header"));
    let reason = letter.header(header::REASON).unwrap();
    assert_eq!(reason, "the name of a header is no UTF-8 text");
    assert_eq!(letter.header("plain"), Some("kept"), "its other headers stay");
}

/// Refuses what has no envelope, as every context does.
struct Enveloped(Sessions);

#[async_trait::async_trait]
impl BatchHandler for Enveloped {
    type Transaction = PgSession;

    async fn begin(&self) -> Result<Box<PgSession>, StoreError> {
        self.0.begin().await
    }

    async fn handle(
        &self,
        _transaction: &mut PgSession,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let refusal = |(index, record)| {
            let unreadable = Envelope::read(record).err()?;
            let (code, reason) = (unreadable.code.into(), unreadable.sentence);
            Some(Refusal { index, code, reason })
        };
        Ok(batch.iter().enumerate().filter_map(refusal).collect())
    }
}

#[tokio::test]
async fn a_partition_is_at_its_end_only_when_all_before_it_is_committed() {
    let world = World::fresh().await;
    let (entered, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gate = (Arc::clone(&entered), Arc::clone(&released));
    let look = looking(move |_texts| {
        let (entered, released) = gate.clone();
        async move {
            entered.notify_one();
            released.notified().await;
            Ok(Vec::new())
        }
    });
    let running = world.run(look);
    for round in 1..=2 {
        world.write(["note".to_owned()]).await;
        entered.notified().await;
        assert!(running.progress.at_end().len() < 4, "a record of one is in work");
        released.notify_one();
        let all = async || {
            let at_end = running.progress.at_end().len();
            if at_end == 4 { Ok(()) } else { Err(at_end) }
        };
        eventually(all).await;
        assert_eq!(world.read_notes().await.len(), round, "what was before the end is committed");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_connection_that_dies_under_the_handler_costs_a_retry_and_nothing_else() {
    struct Dies {
        sessions: Sessions,
        notes: Arc<Notes>,
        times: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl BatchHandler for Dies {
        type Transaction = PgSession;

        async fn begin(&self) -> Result<Box<PgSession>, StoreError> {
            self.sessions.begin().await
        }

        async fn handle(
            &self,
            transaction: &mut PgSession,
            batch: &[InboundRecord],
        ) -> Result<Vec<Refusal>, StoreError> {
            let refusals = self.notes.handle(transaction, batch).await?;
            if self.times.fetch_add(1, Ordering::SeqCst) < 3 {
                execute(transaction, "SELECT pg_terminate_backend(pg_backend_pid())").await?;
            }
            Ok(refusals)
        }
    }

    let world = World::fresh().await;
    let texts = numbered("note", 10);
    world.write(texts.clone()).await;
    let (sessions, notes) = (world.sessions.clone(), world.notes(nothing_special()));
    let handler = Arc::new(Dies { sessions, notes, times: AtomicUsize::new(0) });
    let (mut consumer, progress) =
        world.servers.consumer(GROUP, TOPIC, &world.sessions, Arc::clone(&handler));
    let (_handle, stop) = stop_pair();
    while progress.at_end().len() < 4 {
        consumer.step(&stop).await.unwrap();
    }
    assert_eq!(sorted(world.read_notes().await), texts);
    assert!(handler.times.load(Ordering::SeqCst) > 3);
    assert_eq!(dead_letters(&world).await, []);
}

#[tokio::test]
async fn a_consumer_that_is_killed_in_its_batch_has_done_nothing() {
    let world = World::fresh().await;
    let texts = numbered("note", 10);
    world.write(texts.clone()).await;
    let entered = Arc::new(Notify::new());
    let enter = Arc::clone(&entered);
    let look = looking(move |_texts| {
        enter.notify_one();
        std::future::pending()
    });
    let running = world.run(look);
    entered.notified().await;
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    assert_eq!(world.read_notes().await.len(), 0);
    world.consume(nothing_special()).await;
    assert_eq!(sorted(world.read_notes().await), texts);
}

#[tokio::test]
async fn a_conflict_that_never_passes_is_set_aside_and_one_that_passes_is_retried() {
    let world = World::fresh().await;
    world.write(["clash".to_owned(), "clash once".to_owned(), "good".to_owned()]).await;
    let clashed = Arc::new(AtomicBool::new(false));
    let look = looking(move |texts| {
        let once =
            texts.iter().any(|text| text == "clash once") && !clashed.swap(true, Ordering::SeqCst);
        let always = texts.iter().any(|text| text == "clash");
        async move {
            let clash = once || always;
            if clash { Err(StoreError::Conflict("clash".into())) } else { Ok(Vec::new()) }
        }
    });
    world.consume(look).await;
    assert_eq!(sorted(world.read_notes().await), ["clash once", "good"]);
    let letters = dead_letters(&world).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header(header::CODE), Some("handling_conflicts"));
}
