//! The relay and its ports, one disturbance at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::outbox::{Outbox, OutboxRow, OutboxShard};
use shared_kernel::application::relay::{Relay, RelayPorts, RelaySettings, Relayed};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{Clock, Observer, OutboundRecord, StoreError};
use shared_kernel::testing::FixedClock;

use crate::log::{Writer, turn};

/// Counts what stands still.
#[derive(Default)]
struct Stands(AtomicUsize);

impl Observer for Stands {
    fn relay_refused(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An outbox of one shard; its lock is free again when its holder is dropped.
#[derive(Default)]
pub(crate) struct Rows {
    stored: Arc<Mutex<Vec<OutboxRow>>>,
    lock: Arc<()>,
    taken: AtomicUsize,
    faults: Arc<Mutex<usize>>,
}

impl Rows {
    pub(crate) fn append(&self, row: OutboxRow) {
        self.stored.lock().unwrap().push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stored.lock().unwrap().is_empty()
    }
}

pub(crate) fn row(id: i64, texts: &[String]) -> OutboxRow {
    let record = |text: &String| OutboundRecord {
        topics: vec!["notes".into()],
        key: None,
        headers: Vec::new(),
        payload: Some(text.clone().into_bytes()),
        time: None,
    };
    OutboxRow { id, records: texts.iter().map(record).collect() }
}

struct Lead {
    rows: Arc<Mutex<Vec<OutboxRow>>>,
    faults: Arc<Mutex<usize>>,
    /// Held while it leads.
    _lock: Arc<()>,
}

impl Lead {
    fn fail(&self) -> Result<(), StoreError> {
        let mut faults = self.faults.lock().unwrap();
        let fails = *faults > 0;
        *faults = faults.saturating_sub(1);
        if fails { Err(StoreError::Unavailable("the session died".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Outbox for Rows {
    async fn try_lead(&self, _shard: u16) -> Result<Option<Box<dyn OutboxShard>>, StoreError> {
        turn().await;
        if Arc::strong_count(&self.lock) > 1 {
            return Ok(None);
        }
        self.taken.fetch_add(1, Ordering::SeqCst);
        let (rows, faults) = (Arc::clone(&self.stored), Arc::clone(&self.faults));
        Ok(Some(Box::new(Lead { rows, faults, _lock: Arc::clone(&self.lock) })))
    }

    async fn appended(&self, _wait: Duration) {
        turn().await;
    }
}

#[async_trait]
impl OutboxShard for Lead {
    async fn pending(&mut self, limit: i64) -> Result<Vec<OutboxRow>, StoreError> {
        turn().await;
        self.fail()?;
        let limit = usize::try_from(limit).unwrap();
        Ok(self.rows.lock().unwrap().iter().take(limit).cloned().collect())
    }

    async fn remove(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        turn().await;
        self.fail()?;
        self.rows.lock().unwrap().retain(|row| !ids.contains(&row.id));
        turn().await;
        Ok(())
    }
}

struct World {
    outbox: Arc<Rows>,
    writer: Arc<Writer>,
    clock: Arc<FixedClock>,
    stands: Arc<Stands>,
}

impl World {
    fn with(texts: &[&str]) -> Self {
        let outbox = Rows::default();
        for (id, text) in (1..).zip(texts) {
            outbox.append(row(id, &[(*text).to_owned()]));
        }
        let (writer, clock) = (Arc::new(Writer::default()), Arc::new(FixedClock::default()));
        Self { outbox: Arc::new(outbox), writer, clock, stands: Arc::default() }
    }

    fn relay(&self) -> Relay {
        self.relay_of(2)
    }

    fn relay_of(&self, rows_max: i64) -> Relay {
        let ports = RelayPorts {
            outbox: self.outbox.clone(),
            log: self.writer.clone(),
            clock: self.clock.clone(),
            observer: self.stands.clone(),
        };
        Relay::new(0, ports, RelaySettings { rows_max, ..RelaySettings::default() })
    }

    fn written(&self) -> Vec<String> {
        let written = self.writer.written.lock().unwrap();
        let text = |record: &OutboundRecord| String::from_utf8(record.payload.clone().unwrap());
        written.iter().map(text).collect::<Result<_, _>>().unwrap()
    }
}

#[tokio::test]
async fn rows_go_in_order_and_leave_when_they_are_acknowledged() {
    let world = World::with(&["a", "b", "c"]);
    let mut relay = world.relay();
    assert_eq!(relay.step().await, Relayed::Sent(2));
    assert_eq!(relay.step().await, Relayed::Sent(1));
    assert_eq!(relay.step().await, Relayed::Idle);
    assert_eq!(world.written(), ["a", "b", "c"]);
    assert!(world.outbox.is_empty());
}

#[tokio::test]
async fn a_write_that_fails_removes_nothing_and_all_of_it_is_sent_again() {
    let world = World::with(&["a", "b"]);
    *world.writer.failures.lock().unwrap() = 2;
    let mut relay = world.relay();
    assert_eq!(relay.step().await, Relayed::Sent(0));
    assert_eq!(relay.step().await, Relayed::Sent(0));
    assert!(!world.outbox.is_empty());
    assert_eq!(relay.step().await, Relayed::Sent(2));
    assert_eq!(world.written(), ["a", "a", "a", "b"]);
    let waited = world.clock.now().since(FixedClock::default().now());
    assert_eq!(waited, Duration::from_millis(50 + 100));
    assert_eq!(
        world.outbox.taken.load(Ordering::SeqCst),
        1,
        "the broker's fault costs no leadership"
    );
}

#[tokio::test]
async fn a_record_that_is_refused_for_ever_lets_nothing_pass_and_repeats_nothing() {
    let world = World::with(&["a", "b", "huge", "c"]);
    *world.writer.refused.lock().unwrap() = Some("huge".into());
    let mut relay = world.relay_of(4);
    for _ in 0..4 {
        assert_eq!(relay.step().await, Relayed::Sent(0));
    }
    // The first attempt wrote all others, the second what precedes it; then nothing is repeated.
    assert_eq!(world.written(), ["a", "b", "c", "a", "b"]);
    assert_eq!(world.stands.0.load(Ordering::SeqCst), 4, "each attempt is told");
    let waited = world.clock.now().since(FixedClock::default().now());
    assert_eq!(waited, Duration::from_millis(50 + 100 + 200 + 400));
    *world.writer.refused.lock().unwrap() = None;
    assert_eq!(relay.step().await, Relayed::Sent(2));
    world.outbox.append(row(5, &["d".to_owned()]));
    assert_eq!(relay.step().await, Relayed::Sent(1));
    assert!(world.outbox.is_empty());
    assert_eq!(world.written()[5..], ["huge", "c", "d"]);
}

#[tokio::test]
async fn a_session_that_dies_is_replaced_before_anything_else_is_done() {
    let world = World::with(&["a"]);
    let mut relay = world.relay();
    *world.outbox.faults.lock().unwrap() = 1;
    assert_eq!(relay.step().await, Relayed::Sent(0));
    assert_eq!(relay.step().await, Relayed::Sent(1));
    assert_eq!(world.outbox.taken.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_leads_and_the_others_follow_until_it_is_gone() {
    let world = World::with(&["a"]);
    let (mut first, mut second) = (world.relay(), world.relay());
    assert_eq!(first.step().await, Relayed::Sent(1));
    world.outbox.append(row(2, &["b".to_owned()]));
    assert_eq!(second.step().await, Relayed::Following);
    drop(first);
    assert_eq!(second.step().await, Relayed::Sent(1));
    assert_eq!(world.written(), ["a", "b"]);
}

#[tokio::test]
async fn a_stop_sends_what_is_there_first() {
    let world = World::with(&["a", "b", "c"]);
    let (stopping, stop) = stop_pair();
    stopping.stop();
    world.relay().run(stop).await;
    assert_eq!(world.written(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_stop_waits_for_no_broker_that_is_down() {
    let world = World::with(&["a"]);
    *world.writer.failures.lock().unwrap() = usize::MAX;
    let (stopping, stop) = stop_pair();
    stopping.stop();
    world.relay().run(stop).await;
    assert!(!world.outbox.is_empty(), "it stays for the next start");
}
