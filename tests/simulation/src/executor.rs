//! One thread, no real time: polls tasks in an order that the seed chooses, and lets time jump to
//! the next timer when nobody has anything to do.
//!
//! Every task belongs to a node. A node that is killed loses its tasks between two polls, with
//! everything that they held; one that stands still keeps them, and goes on where it stood.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::random::Random;

/// A process of the simulated world; 0 is the world itself.
pub(crate) type NodeId = u32;
/// The world's own tasks: clients, faults.
pub(crate) const WORLD: NodeId = 0;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
type Ready = Arc<Mutex<Vec<u64>>>;
/// When a timer rings; timers of one instant in the order of their making.
type TimerKey = (u64, u64);

struct Task {
    node: NodeId,
    /// Taken out while it is polled.
    work: Option<Work>,
    bell: Arc<Bell>,
}

struct Bell {
    id: u64,
    rung: AtomicBool,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
        }
    }
}

#[derive(Default)]
struct State {
    now: u64,
    made: u64,
    tasks: BTreeMap<u64, Task>,
    timers: BTreeMap<TimerKey, Waker>,
    runnable: Vec<u64>,
    still: BTreeSet<NodeId>,
    waiting: BTreeMap<NodeId, Vec<u64>>,
    doomed: BTreeSet<NodeId>,
    steps: u64,
}

/// Runs tasks; clones are the same executor.
#[derive(Clone)]
pub(crate) struct Executor {
    state: Arc<Mutex<State>>,
    ready: Ready,
    random: Arc<Random>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// A task was polled, or time went on.
    On,
    /// Nobody will ever do anything again.
    Dead,
}

impl Executor {
    pub(crate) fn new(random: Random) -> Self {
        Self { state: Arc::default(), ready: Arc::default(), random: Arc::new(random) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.state().now
    }

    /// Steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.state().steps
    }

    pub(crate) fn spawn(&self, node: NodeId, work: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        state.made += 1;
        let id = state.made;
        let ready = Arc::clone(&self.ready);
        let bell = Arc::new(Bell { id, rung: AtomicBool::new(true), ready });
        state.tasks.insert(id, Task { node, work: Some(Box::pin(work)), bell });
        state.runnable.push(id);
    }

    /// The node's tasks end before anything else happens.
    pub(crate) fn kill(&self, node: NodeId) {
        self.state().doomed.insert(node);
    }

    /// The node stands still: it is not polled until it goes on.
    pub(crate) fn pause(&self, node: NodeId) {
        self.state().still.insert(node);
    }

    pub(crate) fn resume(&self, node: NodeId) {
        let mut state = self.state();
        state.still.remove(&node);
        let waiting = state.waiting.remove(&node).unwrap_or_default();
        state.runnable.extend(waiting);
    }

    /// Returns after that time.
    pub(crate) fn sleep(&self, time: Duration) -> Sleep {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let mut state = self.state();
        state.made += 1;
        let key = (state.now.saturating_add(micros), state.made);
        Sleep { key, executor: self.clone() }
    }

    /// Polls one task, or lets time go on to the next timer.
    pub(crate) fn step(&self) -> Stepped {
        self.bury();
        let mut state = self.state();
        state.steps += 1;
        let mut ready =
            std::mem::take(&mut *self.ready.lock().unwrap_or_else(PoisonError::into_inner));
        // Who is woken first is not always the same: tokio's `watch` asks a generator of its own.
        ready.sort_unstable();
        state.runnable.append(&mut ready);
        if state.runnable.is_empty() {
            let Some((key, waker)) = state.timers.pop_first() else { return Stepped::Dead };
            state.now = state.now.max(key.0);
            drop(state);
            waker.wake();
            return Stepped::On;
        }
        let place = self.random.place(state.runnable.len());
        let id = state.runnable.swap_remove(place);
        let Some(node) = state.tasks.get(&id).map(|task| task.node) else { return Stepped::On };
        if state.still.contains(&node) {
            state.waiting.entry(node).or_default().push(id);
            return Stepped::On;
        }
        let Some(task) = state.tasks.get_mut(&id) else { return Stepped::On };
        let (work, bell) = (task.work.take(), Arc::clone(&task.bell));
        drop(state);
        let Some(mut work) = work else { return Stepped::On };
        bell.rung.store(false, Ordering::Relaxed);
        let waker = Waker::from(bell);
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => drop(self.state().tasks.remove(&id)),
            Poll::Pending => {
                let mut state = self.state();
                if let Some(task) = state.tasks.get_mut(&id) {
                    task.work = Some(work);
                }
            }
        }
        Stepped::On
    }

    /// Drops what killed nodes were doing. Dropping may reach back into the executor.
    fn bury(&self) {
        let mut state = self.state();
        let doomed = std::mem::take(&mut state.doomed);
        if doomed.is_empty() {
            return;
        }
        let mut dead = Vec::new();
        for node in doomed {
            let ids = state.tasks.iter().filter(|(_, task)| task.node == node);
            let ids: Vec<u64> = ids.map(|(id, _)| *id).collect();
            dead.extend(ids.iter().filter_map(|id| state.tasks.remove(id)));
            state.still.remove(&node);
            state.waiting.remove(&node);
        }
        drop(state);
        drop(dead);
    }

    /// Ends everything, so that tasks that hold each other are freed. What ends may begin
    /// something else, which ends too.
    pub(crate) fn clear(&self) {
        loop {
            let tasks = std::mem::take(&mut self.state().tasks);
            if tasks.is_empty() {
                return;
            }
            drop(tasks);
        }
    }
}

/// A timer.
pub(crate) struct Sleep {
    key: TimerKey,
    executor: Executor,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.executor.state();
        if state.now >= self.key.0 {
            state.timers.remove(&self.key);
            return Poll::Ready(());
        }
        state.timers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.executor.state().timers.remove(&self.key);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executor(seed: u64) -> Executor {
        Executor::new(Random::of(seed, 1))
    }

    fn run(executor: &Executor) {
        while executor.step() == Stepped::On {}
    }

    #[test]
    fn time_jumps_to_the_next_timer() {
        let executor = executor(1);
        let (sleeper, woke) = (executor.clone(), Arc::new(Mutex::new(0)));
        let told = Arc::clone(&woke);
        executor.spawn(WORLD, async move {
            sleeper.sleep(Duration::from_hours(1)).await;
            *told.lock().unwrap() = sleeper.now();
        });
        run(&executor);
        assert_eq!(*woke.lock().unwrap(), 3_600_000_000);
    }

    #[test]
    fn the_seed_chooses_the_order() {
        let order = |seed| {
            let (executor, order) = (executor(seed), Arc::new(Mutex::new(Vec::new())));
            for number in 0..8 {
                let order = Arc::clone(&order);
                executor.spawn(WORLD, async move { order.lock().unwrap().push(number) });
            }
            run(&executor);
            Arc::into_inner(order).unwrap().into_inner().unwrap()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn what_ends_takes_everything_with_it() {
        let (executor, held) = (executor(1), Arc::new(()));
        let (inner, lives) = (executor.clone(), Arc::clone(&held));
        executor.spawn(WORLD, async move {
            /// Begins something when it ends.
            struct Last(Executor, Arc<()>);
            impl Drop for Last {
                fn drop(&mut self) {
                    let (sleeper, lives) = (self.0.clone(), Arc::clone(&self.1));
                    self.0.spawn(WORLD, async move {
                        sleeper.sleep(Duration::from_secs(1)).await;
                        drop(lives);
                    });
                }
            }
            let last = Last(inner.clone(), lives);
            inner.sleep(Duration::from_secs(1)).await;
            drop(last);
        });
        executor.step();
        executor.clear();
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn a_killed_node_does_nothing_more_and_a_still_one_goes_on_later() {
        let executor = executor(1);
        let done = Arc::new(Mutex::new(Vec::new()));
        for node in [1, 2, 3] {
            let (sleeper, done) = (executor.clone(), Arc::clone(&done));
            executor.spawn(node, async move {
                sleeper.sleep(Duration::from_secs(1)).await;
                done.lock().unwrap().push(node);
            });
        }
        executor.kill(1);
        executor.pause(2);
        run(&executor);
        assert_eq!(*done.lock().unwrap(), [3]);
        executor.resume(2);
        run(&executor);
        assert_eq!(*done.lock().unwrap(), [3, 2]);
    }
}
