//! Hand-overs on real `PostgreSQL` and Kafka: on its bank's topic exactly once, wherever the
//! courier is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::SimpleAsyncConnection as _;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::domain::EndToEndId;
use shared_kernel::infrastructure::kafka::ensure_topics;
use shared_kernel::infrastructure::system::SystemClock;
use shared_kernel::testing::eventually;
use tokio::sync::Notify;
use transfers::application::TransfersSettings;
use transfers::application::hand_over::{
    Courier, CourierPorts, CourierSettings, HandOver, HandOvers, Line, LineError,
};
use transfers::application::marked_line::MarkedLine;
use transfers::application::ports::{BankTopics as _, TransfersStore};
use transfers::infrastructure::classic::line::{KafkaLine, plan};
use transfers::infrastructure::classic::topics::bank_plan;
use transfers::infrastructure::kafka::topics::KafkaBankTopics;
use transfers::infrastructure::postgres::hand_overs::PgHandOvers;

use crate::harness::{BBX, Hub, id_of};
use crate::node::Follower;

const BANK: &str = "bank002";

/// Where a courier is killed: before or after a call of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kill {
    Before(&'static str),
    After(&'static str),
    /// Never.
    Spared,
}

/// A line whose holder is killed at one of its calls: it stands still for ever.
struct DeadlyLine {
    line: MarkedLine,
    kill: Kill,
    killed: Arc<Notify>,
}

impl DeadlyLine {
    async fn pass(&mut self, at: Kill) {
        if self.kill == at {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Line for DeadlyLine {
    async fn take_over(&mut self) -> Result<(), LineError> {
        self.pass(Kill::Before("take_over")).await;
        let done = self.line.take_over().await;
        self.pass(Kill::After("take_over")).await;
        done
    }

    async fn marked(&mut self) -> Result<BTreeSet<EndToEndId>, LineError> {
        let done = self.line.marked().await;
        self.pass(Kill::After("marked")).await;
        done
    }

    async fn deliver(&mut self, batch: &[HandOver]) -> Result<(), LineError> {
        self.pass(Kill::Before("deliver")).await;
        let done = self.line.deliver(batch).await;
        self.pass(Kill::After("deliver")).await;
        done
    }

    async fn erase(&mut self, ids: &[EndToEndId]) -> Result<(), LineError> {
        self.pass(Kill::Before("erase")).await;
        let done = self.line.erase(ids).await;
        self.pass(Kill::After("erase")).await;
        done
    }
}

struct World {
    hub: Hub,
    stored: AtomicUsize,
}

impl World {
    async fn new() -> Self {
        let hub = Hub::empty().await;
        ensure_topics(&hub.servers.kafka, &[plan(), bank_plan(BANK)]).await.unwrap();
        Self { hub, stored: AtomicUsize::new(0) }
    }

    /// Stores so many more hand-overs, as committed transactions do.
    async fn store(&self, count: usize) {
        let first = self.stored.fetch_add(count, Ordering::SeqCst);
        let row = |number: usize| {
            let id = id_of(BBX, number);
            format!("(0, '{id}', '{BANK}', '{id}', '{{\"id\":\"{id}\"}}', 't')")
        };
        let rows: Vec<String> = (first..first.saturating_add(count)).map(row).collect();
        let text = format!(
            "INSERT INTO transfers.hand_over (shard, end_to_end_id, topic, key, payload, trace) \
             VALUES {}",
            rows.join(", ")
        );
        let mut connection = self.hub.sessions.database.connection().await.unwrap();
        connection.batch_execute(&text).await.unwrap();
    }

    fn courier(&self, line: Box<dyn Line>) -> Courier {
        let ports = CourierPorts {
            hand_overs: Arc::new(PgHandOvers::new(self.hub.sessions.clone())),
            line,
            topics: self.topics(),
            clock: Arc::new(SystemClock),
        };
        let settings = CourierSettings {
            batch_max: 3,
            lead_wait: Duration::from_millis(20),
            ..CourierSettings::default()
        };
        Courier::new(0, ports, settings)
    }

    fn topics(&self) -> Arc<KafkaBankTopics> {
        let kafka = self.hub.servers.kafka.clone();
        Arc::new(KafkaBankTopics::new(kafka, TransfersSettings::default()))
    }

    fn line(&self) -> MarkedLine {
        KafkaLine::of_shard(&self.hub.servers.kafka, 0)
    }

    /// Runs a courier until it is killed, or has sent everything.
    async fn run(&self, kill: Kill) {
        let killed = Arc::new(Notify::new());
        let line = DeadlyLine { line: self.line(), kill, killed: Arc::clone(&killed) };
        let (_handle, stop) = stop_pair();
        let courier = tokio::spawn(self.courier(Box::new(line)).run(stop));
        if kill == Kill::Spared {
            self.until_told().await;
        } else {
            tokio::time::timeout(Duration::from_mins(1), killed.notified()).await.unwrap();
        }
        courier.abort();
        drop(courier.await);
    }

    async fn until_told(&self) {
        let mut follower = Follower::of(&self.hub.servers, BANK);
        let wanted = self.stored.load(Ordering::SeqCst);
        follower.until(|seen| seen.len() >= wanted).await;
    }

    /// What the bank's program has read, counted by transfer.
    async fn delivered(&self) -> BTreeMap<Vec<u8>, usize> {
        let wanted = self.stored.load(Ordering::SeqCst);
        let mut follower = Follower::of(&self.hub.servers, BANK);
        follower.until(|seen| seen.len() >= wanted).await;
        let mut counts = BTreeMap::new();
        for record in &follower.seen {
            let count: &mut usize = counts.entry(record.key.clone().unwrap()).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    async fn each_exactly_once(&self) {
        // Another record proves that nothing more comes before it.
        self.store(1).await;
        self.run(Kill::Spared).await;
        let counts = self.delivered().await;
        assert_eq!(counts.len(), self.stored.load(Ordering::SeqCst));
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    }

    async fn nothing_waits(&self) {
        let hand_overs = PgHandOvers::new(self.hub.sessions.clone());
        let lead = async || match hand_overs.try_lead(0).await {
            Ok(Some(lead)) => Ok(lead),
            other => Err(format!("{:?}", other.map(|_| ()))),
        };
        let mut lead = eventually(lead).await;
        assert!(lead.waiting(1, &[]).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_each_is_handed_over_exactly_once() {
    let world = World::new().await;
    let kills = [
        Kill::Before("take_over"),
        Kill::After("take_over"),
        Kill::After("marked"),
        Kill::Before("deliver"),
        Kill::After("deliver"),
        Kill::Before("erase"),
        Kill::After("erase"),
    ];
    for kill in kills {
        world.store(4).await;
        world.run(kill).await;
    }
    world.each_exactly_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_at_any_moment_each_is_handed_over_exactly_once() {
    let world = World::new().await;
    for round in 0_u64..12 {
        world.store(5).await;
        let (_handle, stop) = stop_pair();
        let courier = tokio::spawn(world.courier(Box::new(world.line())).run(stop));
        // Not a wait for anything: each round cuts elsewhere, and any place will do.
        let moment = Duration::from_millis(round.wrapping_mul(37) % 160);
        drop(tokio::time::timeout(moment, std::future::pending::<()>()).await);
        // What was given to librdkafka goes on behind its back, as it does in a process that hangs.
        courier.abort();
    }
    world.each_exactly_once().await;
    world.nothing_waits().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_says_which_still_wait() {
    let world = World::new().await;
    world.store(2).await;
    let asked = [0, 1, 9].map(|number| id_of(BBX, number));
    let mut transaction = TransfersStore::begin(&world.hub.sessions).await.unwrap();
    let mut waiting = transaction.waiting_hand_overs(&asked).await.unwrap();
    waiting.sort_unstable();
    let mut stored = [0, 1].map(|number| id_of(BBX, number));
    stored.sort_unstable();
    assert_eq!(waiting, stored);
    transaction.rollback().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_for_some_topics_are_left_out() {
    let world = World::new().await;
    world.store(2).await;
    let hand_overs = PgHandOvers::new(world.hub.sessions.clone());
    let mut lead = hand_overs.try_lead(0).await.unwrap().unwrap();
    let other = ["bank003".to_owned()];
    assert_eq!(lead.waiting(9, &other).await.unwrap().len(), 2);
    assert!(lead.waiting(9, &[BANK.to_owned()]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_a_program_is_made_and_found() {
    let world = World::new().await;
    let (topics, lost) = (world.topics(), "bank777".to_owned());
    let asked = [BANK.to_owned(), lost.clone()];
    assert_eq!(topics.outside(&asked).await.unwrap(), [BANK]);
    topics.ensure_outside(&asked).await.unwrap();
    // The broker may need a moment to name it.
    eventually(async || {
        let there = topics.outside(&asked).await.unwrap();
        if there == asked { Ok(()) } else { Err(there) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_holder_that_comes_back_sends_nothing() {
    let world = World::new().await;
    let batch = |number: usize| {
        let end_to_end_id = id_of(BBX, number);
        let (topic, key) = (BANK.to_owned(), end_to_end_id.to_string());
        vec![HandOver { end_to_end_id, topic, key, payload: "{}".into(), trace: "t".into() }]
    };
    let (mut former, mut next) = (world.line(), world.line());
    assert!(former.deliver(&batch(1)).await.is_err(), "it holds nothing yet");
    former.take_over().await.unwrap();
    former.deliver(&batch(1)).await.unwrap();
    next.take_over().await.unwrap();
    assert_eq!(next.marked().await.unwrap(), BTreeSet::from([id_of(BBX, 1)]));
    assert!(former.deliver(&batch(2)).await.is_err(), "it was shut out");
    next.erase(&[id_of(BBX, 1)]).await.unwrap();
    assert!(next.marked().await.unwrap().is_empty());
    next.deliver(&batch(3)).await.unwrap();
    let mut follower = Follower::of(&world.hub.servers, BANK);
    follower.until(|seen| seen.len() >= 2).await;
    let keys: Vec<_> = follower.seen.iter().map(|record| record.key.clone().unwrap()).collect();
    assert_eq!(keys, [1, 3].map(|number| id_of(BBX, number).to_string().into_bytes()));
}
