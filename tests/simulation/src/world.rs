//! What all parts of the simulated world share: time, chance, nodes, the story, the first failure.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;
use shared_kernel::application::{Clock, Ids};
use shared_kernel::domain::Timestamp;
use uuid::Uuid;

use crate::checks::Oracle;
use crate::executor::{Executor, NodeId, WORLD};
use crate::plan::Plan;
use crate::planted::Bug;
use crate::random::Random;
use crate::trace::{Trace, span};

/// 2026-11-20T00:00:00Z, in microseconds: on this day all runs begin.
const DAY: i64 = 1_795_132_800_000_000;

/// The simulated world.
pub(crate) struct World {
    pub(crate) executor: Executor,
    pub(crate) plan: Plan,
    pub(crate) trace: Trace,
    pub(crate) chance: Random,
    /// Chance of its own for what only changes what is written, and not when.
    pub(crate) whim: Random,
    bug: Option<Bug>,
    faulty: AtomicBool,
    over: AtomicBool,
    failure: Mutex<Option<String>>,
    nodes: Mutex<BTreeMap<NodeId, Node>>,
    oracle: Mutex<Oracle>,
    speaker: Mutex<String>,
}

struct Node {
    name: String,
    died: Option<oneshot::Sender<()>>,
}

impl World {
    pub(crate) fn new(seed: u64, plan: Plan, bug: Option<Bug>, trace: Trace) -> Arc<Self> {
        Arc::new(Self {
            executor: Executor::new(Random::of(seed, 1)),
            chance: Random::of(seed, 2),
            whim: Random::of(seed, 7),
            oracle: Mutex::new(Oracle::new(&plan)),
            plan,
            trace,
            bug,
            faulty: AtomicBool::new(false),
            over: AtomicBool::new(false),
            failure: Mutex::default(),
            nodes: Mutex::default(),
            speaker: Mutex::default(),
        })
    }

    /// Whether this bug was planted.
    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(crate) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        let mut oracle = self.oracle.lock().unwrap_or_else(PoisonError::into_inner);
        oracle.show(self.shown(0), Duration::from_micros(self.executor.now()));
        oracle
    }

    /// Something is wrong: the run ends, and this is why. The first finding counts, and is the
    /// last line of the story.
    pub(crate) fn fail(&self, what: impl Into<String>) {
        let what = what.into();
        self.say(WORLD, "wrong", || format!("WRONG: {what}"));
        self.trace.end();
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(what);
        self.over.store(true, Ordering::Relaxed);
    }

    /// Takes a finding over.
    pub(crate) fn judge(&self, finding: Result<(), String>) {
        if let Err(what) = finding {
            self.fail(what);
        }
    }

    /// Whether something was wrong already.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the story. `mark` goes into the fingerprint of the run.
    pub(crate) fn say(&self, node: NodeId, mark: &str, line: impl FnOnce() -> String) {
        self.trace
            .note(self.executor.now(), mark, || format!("{:<10} {}", self.name(node), line()));
    }

    /// The mark alone, of what is told otherwise or not at all.
    pub(crate) fn mark(&self, mark: &str) {
        self.trace.mark(self.executor.now(), mark);
    }

    /// A line that explains what happens, and leaves no mark: what it leads to does.
    pub(crate) fn tell(&self, node: NodeId, line: impl FnOnce() -> String) {
        self.trace.add(self.executor.now(), || format!("{:<10} {}", self.name(node), line()));
    }

    /// Something is made to go wrong: every fault has its line in the story.
    pub(crate) fn fault(&self, node: NodeId, line: impl FnOnce() -> String) {
        self.tell(node, || format!("FAULT: {}", line()));
    }

    /// While `work` goes on, what it asks for is told as this client's.
    pub(crate) async fn speaking<T>(
        self: Arc<Self>,
        name: String,
        work: impl Future<Output = T> + Send,
    ) -> T {
        let (mut work, mut other) = (Box::pin(work), name);
        let swap = |other: &mut String| {
            std::mem::swap(
                other,
                &mut *self.speaker.lock().unwrap_or_else(PoisonError::into_inner),
            );
        };
        poll_fn(move |context| {
            swap(&mut other);
            let polled = work.as_mut().poll(context);
            swap(&mut other);
            polled
        })
        .await
    }

    /// The client whose work goes on.
    pub(crate) fn speaker(&self) -> String {
        self.speaker.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn name(&self, node: NodeId) -> String {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&node).map_or_else(|| "world".to_owned(), |node| node.name.clone())
    }

    /// Whether a process has died: others may not have noticed.
    pub(crate) fn is_dead(&self, node: NodeId) -> bool {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&node).is_some_and(|node| node.died.is_none())
    }

    /// Whether things may go wrong now.
    pub(crate) fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }

    pub(crate) fn begin_faults(&self) {
        self.faulty.store(true, Ordering::Relaxed);
    }

    pub(crate) fn end_faults(&self) {
        self.faulty.store(false, Ordering::Relaxed);
    }

    /// True `times` in a million, as long as things may go wrong.
    pub(crate) fn unlucky(&self, times: u32) -> bool {
        self.is_faulty() && self.chance.chance(times)
    }

    /// A new process. The answer resolves when it is killed.
    pub(crate) fn born(&self, name: &str) -> (NodeId, oneshot::Receiver<()>) {
        let (died, dies) = oneshot::channel();
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let node = nodes.keys().last().copied().unwrap_or(WORLD) + 1;
        nodes.insert(node, Node { name: name.to_owned(), died: Some(died) });
        (node, dies)
    }

    /// Ends a process between two of its instructions.
    pub(crate) fn kill(&self, node: NodeId) {
        self.executor.kill(node);
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let died = nodes.get_mut(&node).and_then(|node| node.died.take());
        drop(nodes);
        let is_known = died.map(|died| died.send(()));
        debug_assert!(is_known.is_none_or(|known| known.is_ok()), "somebody runs it again");
    }

    fn shown(&self, skew: i64) -> Timestamp {
        let micros = i64::try_from(self.executor.now()).unwrap_or(i64::MAX);
        let begins = i64::try_from(self.plan.begins.as_micros()).unwrap_or(0);
        let shown = DAY.saturating_add(begins).saturating_add(micros).saturating_add(skew);
        Timestamp::from_micros(shown).unwrap_or(Timestamp::MAX)
    }

    /// Something happens that runs are there to make happen.
    pub(crate) fn reach(&self, what: impl Into<String>) {
        self.oracle().reach(what);
    }

    /// What an instruction takes that leaves the process: some of it, rarely a lot.
    pub(crate) async fn delay(&self, node: NodeId, point: &'static str) {
        let time = if self.unlucky(self.plan.rates.slow) {
            let time = self.chance.time(Duration::from_millis(50), Duration::from_secs(4));
            self.fault(node, || format!("a slow step: {} {point}", span(time)));
            time
        } else {
            self.chance.time(Duration::from_micros(50), Duration::from_millis(2))
        };
        self.executor.sleep(time).await;
    }

    /// An instruction of a process at which it may die.
    pub(crate) async fn at(&self, node: NodeId, point: &'static str) {
        self.pass(node, point, self.plan.rates.crash).await;
    }

    /// The same where processes come by seldom: they die there more often.
    pub(crate) async fn at_seldom(&self, node: NodeId, point: &'static str) {
        self.pass(node, point, self.plan.rates.crash.saturating_mul(8)).await;
    }

    async fn pass(&self, node: NodeId, point: &'static str, times: u32) {
        if node != WORLD && self.unlucky(times) {
            self.say(node, "crash", || format!("FAULT: killed {point}"));
            self.reach(format!("killed {point}"));
            self.kill(node);
            pending::<()>().await;
        }
        self.delay(node, point).await;
    }
}

/// The clock of a machine: it may be wrong, may jump, and may be fast or slow.
#[derive(Clone)]
pub(crate) struct MachineClock {
    world: Arc<World>,
    error: Arc<Mutex<ClockError>>,
}

/// How a clock differs from true time.
#[derive(Clone, Copy, Default)]
struct ClockError {
    /// Microseconds ahead of true time at `since`.
    ahead: i64,
    /// Microseconds since the beginning.
    since: u64,
    /// Microseconds that it gains in a second.
    rate: i64,
}

/// A length of time, whichever its sign.
fn micros(time: i64) -> String {
    span(Duration::from_micros(time.unsigned_abs()))
}

/// How wrong a clock is.
fn off(ahead: i64) -> String {
    match ahead {
        0 => "right".to_owned(),
        1.. => format!("{} ahead", micros(ahead)),
        ..0 => format!("{} behind", micros(ahead)),
    }
}

impl MachineClock {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let clock = Self { world: Arc::clone(world), error: Arc::default() };
        clock.error().rate = clock.up_to(world.plan.drift);
        clock.jump();
        clock
    }

    fn error(&self) -> MutexGuard<'_, ClockError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number between less `most` and `most`.
    fn up_to(&self, most: u64) -> i64 {
        let drawn = self.world.chance.between(0, most.saturating_mul(2));
        i64::try_from(drawn).unwrap_or(0) - i64::try_from(most).unwrap_or(0)
    }

    /// Shows another time from now on. It is as fast or slow as it was. Says by how much it
    /// jumps, and where that leaves it.
    pub(crate) fn jump(&self) -> String {
        let most = u64::try_from(self.world.plan.skew.as_micros()).unwrap_or(0);
        let (ahead, since) = (self.up_to(most), self.world.executor.now());
        let by = ahead - self.ahead();
        let mut error = self.error();
        *error = ClockError { ahead, since, ..*error };
        let jumps = match by {
            0 => "by nothing".to_owned(),
            1.. => format!("on by {}", micros(by)),
            ..0 => format!("back by {}", micros(by)),
        };
        format!("jumps {jumps}, and is {}", off(ahead))
    }

    /// How far it is ahead of true time, in microseconds.
    fn ahead(&self) -> i64 {
        let ClockError { ahead, since, rate } = *self.error();
        let passed = i64::try_from(self.world.executor.now() - since).unwrap_or(i64::MAX);
        ahead + passed.saturating_mul(rate) / 1_000_000
    }

    /// How it differs from true time, in words.
    pub(crate) fn words(&self) -> String {
        let rate = self.error().rate;
        let pace = match rate {
            0 => String::new(),
            1.. => format!(", and gains {} in a second", micros(rate)),
            ..0 => format!(", and loses {} in a second", micros(rate)),
        };
        format!("{}{pace}", off(self.ahead()))
    }

    /// Shows true time from now on.
    pub(crate) fn mend(&self) {
        *self.error() = ClockError::default();
    }
}

#[async_trait]
impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        self.world.shown(self.ahead())
    }

    async fn sleep(&self, duration: Duration) {
        let rate = self.error().rate;
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let gained =
            Duration::from_micros((micros.saturating_mul(rate) / 1_000_000).unsigned_abs());
        // A fast clock has shown the whole time before it has passed.
        let true_time = if rate > 0 { duration.saturating_sub(gained) } else { duration + gained };
        self.world.executor.sleep(true_time).await;
    }
}

/// Ids of one process, from the seed.
pub(crate) struct SeededIds(Random);

impl SeededIds {
    pub(crate) fn new(world: &World) -> Self {
        Self(Random::of(world.chance.next(), 4))
    }

    fn draw(&self, version: uuid::Version) -> Uuid {
        let number = u128::from(self.0.next()) << 64 | u128::from(self.0.next());
        uuid::Builder::from_u128(number)
            .with_version(version)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
    }
}

impl Ids for SeededIds {
    fn ordered(&self) -> Uuid {
        self.draw(uuid::Version::SortRand)
    }

    fn random(&self) -> Uuid {
        self.draw(uuid::Version::Random)
    }
}
