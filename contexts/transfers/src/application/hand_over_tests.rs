//! Couriers over a log and a store in memory that fail in every way that the real ones can: before
//! and after their effect, with and without a word, and with a former holder that goes on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use proptest::prelude::*;
use shared_kernel::application::StoreError;
use shared_kernel::domain::EndToEndId;
use shared_kernel::testing::FixedClock;

use super::hand_over::{
    Courier, CourierPorts, CourierSettings, HandOver, HandOverShard, HandOvers, Line, LineError,
};
use super::ports::BankTopics;
use crate::domain::Participant;
use crate::domain::testing::order;

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    /// Refused, without effect.
    Failed,
    /// Done, and the answer is lost.
    Unsaid,
    /// The process is killed before it.
    KilledBefore,
    /// The process is killed after it.
    KilledAfter,
    /// The session with the store is lost before it.
    Cut,
}

#[derive(Default)]
struct Tables {
    rows: BTreeMap<u64, (EndToEndId, &'static str)>,
    leader: Option<u64>,
    sessions: u64,
    /// What careful readers have seen, in order.
    told: Vec<EndToEndId>,
    marks: BTreeSet<EndToEndId>,
    holder: u64,
    fates: VecDeque<Fate>,
    /// Topics that take nothing, whatever else is in the transaction.
    broken: BTreeSet<&'static str>,
    /// Topics that were looked after.
    ensured: BTreeSet<String>,
    /// How many hand-overs each transaction took.
    taken: Vec<usize>,
}

#[derive(Clone, Default)]
struct World(Arc<Mutex<Tables>>, Arc<FixedClock>);

impl World {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }

    /// Does something, or not, as fate has it. `None`: there is no answer.
    async fn call<T>(&self, act: impl FnOnce(&mut Tables) -> Option<T> + Send) -> Option<T> {
        let fate = self.tables().fates.pop_front().unwrap_or(Fate::Done);
        match fate {
            Fate::Done => act(&mut self.tables()),
            Fate::Failed => None,
            Fate::Unsaid => {
                act(&mut self.tables());
                None
            }
            Fate::KilledBefore => std::future::pending().await,
            Fate::KilledAfter => {
                act(&mut self.tables());
                std::future::pending().await
            }
            Fate::Cut => {
                self.tables().leader = None;
                act(&mut self.tables())
            }
        }
    }

    fn courier(&self) -> Courier {
        let settings = CourierSettings { batch_max: 3, ..CourierSettings::default() };
        let ports = CourierPorts {
            hand_overs: Arc::new(self.clone()),
            line: Box::new(MemoryLine { world: self.clone(), held: None }),
            topics: Arc::new(self.clone()),
            clock: Arc::<FixedClock>::clone(&self.1),
        };
        Courier::new(0, ports, settings)
    }

    /// Stores the hand-over of that number.
    fn store(&self, number: u64, topic: &'static str) {
        self.tables().rows.insert(number, (order(number).end_to_end_id, topic));
    }

    /// The numbers of what careful readers have seen, in order.
    fn told(&self) -> Vec<u64> {
        let number = |id: &EndToEndId| (1..99).find(|number| order(*number).end_to_end_id == *id);
        self.tables().told.iter().filter_map(number).collect()
    }
}

fn down() -> StoreError {
    StoreError::Unavailable("down".into())
}

struct Shard {
    world: World,
    session: u64,
}

#[async_trait]
impl HandOvers for World {
    async fn try_lead(&self, _shard: u16) -> Result<Option<Box<dyn HandOverShard>>, StoreError> {
        // A leader that nobody hears of is none: the store ends the session with its process.
        let fate = self.tables().fates.pop_front().unwrap_or(Fate::Done);
        match fate {
            Fate::Done | Fate::Cut => {}
            Fate::Failed | Fate::Unsaid => return Err(down()),
            Fate::KilledBefore | Fate::KilledAfter => std::future::pending().await,
        }
        let session = {
            let mut tables = self.tables();
            if tables.leader.is_some() {
                return Ok(None);
            }
            tables.sessions = tables.sessions.saturating_add(1);
            tables.leader = Some(tables.sessions);
            tables.leader
        };
        let world = self.clone();
        let boxed = |session| -> Box<dyn HandOverShard> { Box::new(Shard { world, session }) };
        Ok(session.map(boxed))
    }

    async fn appended(&self, _wait: Duration) {}
}

#[async_trait]
impl BankTopics for World {
    async fn ensure(&self, _: &[Participant]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn ensure_outside(&self, topics: &[String]) -> Result<(), StoreError> {
        let ensured = self.call(|tables| {
            tables.ensured.extend(topics.iter().cloned());
            Some(())
        });
        ensured.await.ok_or_else(down)
    }

    async fn outside(&self, topics: &[String]) -> Result<Vec<String>, StoreError> {
        Ok(topics.to_vec())
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        let mut tables = self.world.tables();
        if tables.leader == Some(self.session) {
            tables.leader = None;
        }
    }
}

#[async_trait]
impl HandOverShard for Shard {
    async fn waiting(
        &mut self,
        limit: i64,
        without: &[String],
    ) -> Result<Vec<HandOver>, StoreError> {
        let session = self.session;
        let rows = self.world.call(|tables| {
            let wanted = |(_, topic): &&(EndToEndId, &str)| without.iter().all(|it| it != topic);
            let rows = tables.rows.values().filter(wanted);
            let rows = rows.take(usize::try_from(limit).unwrap()).copied();
            (tables.leader == Some(session)).then(|| rows.collect::<Vec<_>>())
        });
        let rows = rows.await.ok_or_else(down)?;
        let hand_over = |(end_to_end_id, topic): (EndToEndId, &str)| HandOver {
            end_to_end_id,
            topic: topic.into(),
            key: String::new(),
            payload: String::new(),
            trace: String::new(),
        };
        Ok(rows.into_iter().map(hand_over).collect())
    }

    async fn remove(&mut self, ids: &[EndToEndId]) -> Result<(), StoreError> {
        let session = self.session;
        let removed = self.world.call(|tables| {
            let leads = tables.leader == Some(session);
            if leads {
                tables.rows.retain(|_, (id, _)| !ids.contains(id));
            }
            leads.then_some(())
        });
        removed.await.ok_or_else(down)
    }
}

struct MemoryLine {
    world: World,
    held: Option<u64>,
}

fn lost() -> LineError {
    LineError("lost".into())
}

#[async_trait]
impl Line for MemoryLine {
    async fn take_over(&mut self) -> Result<(), LineError> {
        let held = self.world.call(|tables| {
            tables.holder = tables.holder.saturating_add(1);
            Some(tables.holder)
        });
        self.held = held.await;
        self.held.map(drop).ok_or_else(lost)
    }

    async fn marked(&mut self) -> Result<BTreeSet<EndToEndId>, LineError> {
        let marks = self.world.call(|tables| Some(tables.marks.iter().copied().collect()));
        marks.await.ok_or_else(lost)
    }

    async fn deliver(&mut self, batch: &[HandOver]) -> Result<(), LineError> {
        let held = self.held;
        let delivered = self.world.call(|tables| {
            let is_broken = |it: &HandOver| tables.broken.contains(it.topic.as_str());
            let is_taken = held == Some(tables.holder) && !batch.iter().any(is_broken);
            if is_taken {
                tables.told.extend(batch.iter().map(|it| it.end_to_end_id));
                tables.marks.extend(batch.iter().map(|it| it.end_to_end_id));
                tables.taken.push(batch.len());
            }
            is_taken.then_some(())
        });
        delivered.await.ok_or_else(lost)
    }

    async fn erase(&mut self, ids: &[EndToEndId]) -> Result<(), LineError> {
        let held = self.held;
        let erased = self.world.call(|tables| {
            let is_holder = held == Some(tables.holder);
            if is_holder {
                tables.marks.retain(|id| !ids.contains(id));
            }
            is_holder.then_some(())
        });
        erased.await.ok_or_else(lost)
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Done),
        1 => Just(Fate::Failed),
        1 => Just(Fate::Unsaid),
        1 => Just(Fate::KilledBefore),
        1 => Just(Fate::KilledAfter),
        1 => Just(Fate::Cut),
    ]
}

proptest! {
    #[test]
    fn whatever_fails_each_is_told_exactly_once(
        fates in proptest::collection::vec(fate(), 0..60),
        turns in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..60),
    ) {
        let world = World::default();
        world.tables().fates = fates.into();
        let mut couriers = [world.courier(), world.courier()];
        let mut stored = 0_u64;
        for (which, stores) in turns {
            if stores {
                stored = stored.saturating_add(1);
                world.store(stored, if stored.is_multiple_of(2) { "bank002" } else { "bank003" });
            }
            let courier = &mut couriers[usize::from(which)];
            let is_killed = courier.step().now_or_never().is_none();
            if is_killed {
                *courier = world.courier();
            }
        }
        world.tables().fates.clear();
        for _ in 0..stored.saturating_add(10).saturating_mul(2) {
            world.1.advance(Duration::from_mins(1));
            for courier in &mut couriers {
                prop_assert!(courier.step().now_or_never().is_some());
            }
        }
        let tables = world.tables();
        prop_assert!(tables.rows.is_empty());
        let once: BTreeSet<EndToEndId> = tables.told.iter().copied().collect();
        prop_assert_eq!(once.len(), tables.told.len(), "told twice");
        prop_assert_eq!(once.len(), usize::try_from(stored).unwrap(), "not told");
    }
}

#[test]
fn a_topic_that_takes_nothing_stops_no_other() {
    let world = World::default();
    world.tables().broken = BTreeSet::from(["bank002"]);
    for number in 1..=5 {
        world.store(number, "bank002");
    }
    for number in 6..=9 {
        world.store(number, if number == 7 { "bank004" } else { "bank003" });
    }
    let mut courier = world.courier();
    let mut step = |times: usize| {
        for _ in 0..times {
            courier.step().now_or_never().unwrap();
        }
    };
    step(40);
    let mut told = world.told();
    told.sort_unstable();
    assert_eq!(told, [6, 7, 8, 9], "more than one batch of the broken one is older");
    assert!(world.tables().ensured.contains("bank002"), "it may be lost");
    world.store(10, "bank003");
    step(8);
    assert_eq!(world.told().len(), 5, "the others go on");
    world.tables().broken.clear();
    world.1.advance(Duration::from_mins(1));
    step(8);
    let mut told = world.told();
    told.sort_unstable();
    assert_eq!(told, (1..=10).collect::<Vec<_>>(), "and it too, once it is mended");
}

#[test]
fn a_broken_topic_in_a_batch_of_several_is_found() {
    let world = World::default();
    world.tables().broken = BTreeSet::from(["bank003"]);
    for (number, topic) in [(1, "bank002"), (2, "bank003"), (3, "bank004")] {
        world.store(number, topic);
    }
    let mut courier = world.courier();
    for _ in 0..20 {
        courier.step().now_or_never().unwrap();
    }
    assert_eq!(world.told(), [1, 3]);
    assert_eq!(world.tables().ensured.len(), 3);
}

#[test]
fn topics_share_their_transactions_again_once_none_of_them_is_in_doubt() {
    let world = World::default();
    world.tables().broken = BTreeSet::from(["bank003"]);
    let mut courier = world.courier();
    let mut step = |times: usize| {
        for _ in 0..times {
            courier.step().now_or_never().unwrap();
        }
    };
    let mut number = 0_u64;
    let mut store_one_each = |topics: &[&'static str]| {
        for topic in topics {
            number = number.saturating_add(1);
            world.store(number, topic);
        }
    };
    // Something always waits, so the courier is never idle.
    store_one_each(&["bank002", "bank003", "bank004"]);
    step(12);
    assert_eq!(world.tables().taken, [1, 1], "one is found by leaving the others alone");
    store_one_each(&["bank002", "bank004"]);
    step(1);
    assert_eq!(world.tables().taken, [1, 1, 2], "those that are not shunned share one");
    world.tables().broken.clear();
    world.1.advance(Duration::from_mins(1));
    store_one_each(&["bank002"]);
    step(2);
    assert_eq!(world.tables().taken, [1, 1, 2, 1, 1], "what is shunned is tried alone");
    store_one_each(&["bank002", "bank003", "bank004"]);
    step(1);
    assert_eq!(world.tables().taken.last(), Some(&3));
}
