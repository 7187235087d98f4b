//! A data loader begins when every resolver of the moment has asked.
//!
//! Resolvers of a long list do not ask in one go: the lists of futures in between give way after
//! every second object, and a loader that was spawned meanwhile would begin with two keys instead
//! of two hundred. So a request is polled for as long as it wakes itself, and only when it truly
//! waits are the batches started that it has gathered. That is exact, and costs no delay.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;
use futures::stream::{self, Stream, StreamExt};

/// Times that a request may wake itself before others have their turn.
const ROUNDS_MAX: usize = 4_096;

const ASKING: u8 = 0;
const ASKS_AGAIN: u8 = 1;
const WAITS: u8 = 2;

thread_local! {
    /// Batches of the moment that this thread is in.
    static GATHERED: RefCell<Option<Vec<BoxFuture<'static, ()>>>> = const { RefCell::new(None) };
}

/// Starts a batch of a data loader: at the end of the moment, or at once outside of
/// [`together`]. For `DataLoader::new`.
pub fn start_batch(batch: BoxFuture<'static, ()>) {
    let alone = GATHERED.with_borrow_mut(|gathered| match gathered {
        Some(batches) => {
            batches.push(batch);
            None
        }
        None => Some(batch),
    });
    drop(alone.map(tokio::spawn));
}

/// Executes a request so that what its resolvers ask for at one moment is one batch.
pub async fn together<F: Future>(request: F) -> F::Output {
    let mut request = pin!(request);
    poll_fn(|context| moment(context, |context| request.as_mut().poll(context))).await
}

/// The same for each event of a subscription.
pub fn each_together<S: Stream + Unpin>(mut events: S) -> impl Stream<Item = S::Item> {
    stream::poll_fn(move |context| moment(context, |context| events.poll_next_unpin(context)))
}

/// The moment that a thread is in, over what was gathered around it. Its end starts the batches,
/// also when a resolver panics: the thread goes on with other requests.
struct Gathering(Option<Vec<BoxFuture<'static, ()>>>);

impl Drop for Gathering {
    fn drop(&mut self) {
        for batch in GATHERED.replace(self.0.take()).unwrap_or_default() {
            drop(tokio::spawn(batch));
        }
    }
}

/// Knows whether a request wakes itself while it is polled, or is woken later.
struct Waits {
    state: AtomicU8,
    task: Waker,
}

impl Wake for Waits {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        if self.state.compare_exchange(ASKING, ASKS_AGAIN, success, failure) == Err(WAITS) {
            self.task.wake_by_ref();
        }
    }
}

fn moment<T>(context: &Context<'_>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    let waits = Arc::new(Waits { state: AtomicU8::new(ASKING), task: context.waker().clone() });
    let waker = Waker::from(Arc::clone(&waits));
    let gathering = Gathering(GATHERED.replace(Some(Vec::new())));
    let mut answer = Poll::Pending;
    for _ in 0..ROUNDS_MAX {
        // Without the runtime's own limit, which would be met in the middle of a moment.
        let round = tokio::task::unconstrained(poll_fn(&mut poll));
        answer = pin!(round).poll(&mut Context::from_waker(&waker));
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let ended = waits.state.compare_exchange(ASKING, WAITS, success, failure).is_ok();
        if answer.is_ready() || ended {
            break;
        }
        waits.state.store(ASKING, Ordering::Release);
    }
    if answer.is_pending() && waits.state.swap(WAITS, Ordering::AcqRel) != WAITS {
        context.waker().wake_by_ref();
    }
    drop(gathering);
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use async_graphql::dataloader::{DataLoader, Loader};
    use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;
    use crate::infrastructure::graphql::LOADER_DELAY;

    /// How long a request may sleep before it counts as never woken.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Keeps the size of each batch.
    #[derive(Clone, Default)]
    struct Doubles(Arc<Mutex<Vec<usize>>>);

    impl Loader<usize> for Doubles {
        type Value = usize;
        type Error = ();

        async fn load(&self, keys: &[usize]) -> Result<HashMap<usize, usize>, ()> {
            self.0.lock().unwrap().push(keys.len());
            Ok(keys.iter().map(|key| (*key, key.saturating_mul(2))).collect())
        }
    }

    struct Number(usize);

    impl Number {
        async fn ask(&self, context: &Context<'_>) -> Option<usize> {
            let loader = context.data_unchecked::<DataLoader<Doubles>>();
            loader.load_one(self.0).await.unwrap()
        }
    }

    #[Object]
    impl Number {
        async fn double(&self, context: &Context<'_>) -> Option<usize> {
            self.ask(context).await
        }

        async fn doubled(&self, context: &Context<'_>) -> Option<Self> {
            self.ask(context).await.map(Self)
        }
    }

    struct Query;

    #[Object]
    impl Query {
        async fn numbers(&self) -> Vec<Number> {
            (0..200).map(Number).collect()
        }
    }

    async fn batches(together: bool) -> Vec<usize> {
        let doubles = Doubles::default();
        let loader = DataLoader::new(doubles.clone(), start_batch).delay(LOADER_DELAY);
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).data(loader).finish();
        let request =
            schema.execute("{ numbers { double doubled { double doubled { double } } } }");
        let answer = if together {
            tokio::time::timeout(PATIENCE, super::together(request)).await.unwrap()
        } else {
            request.await
        };
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        doubles.0.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn what_is_asked_at_one_moment_is_one_batch() {
        assert_eq!(batches(true).await, [200, 200, 200]);
        assert!(batches(false).await.len() > 3, "without it a list falls apart");
    }

    #[tokio::test]
    async fn a_request_that_wakes_itself_for_ever_lets_others_work() {
        const TURNS: usize = 2 * ROUNDS_MAX;
        let polls = AtomicUsize::new(0);
        let restless = poll_fn(|context| {
            context.waker().wake_by_ref();
            if polls.fetch_add(1, Ordering::Relaxed) < TURNS {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        });
        let (sender, receiver) = futures::channel::oneshot::channel();
        tokio::spawn(async move { sender.send(()) });
        let other = async {
            receiver.await.unwrap();
            polls.load(Ordering::Relaxed)
        };
        let (seen, ()) = futures::join!(other, together(restless));
        assert!(seen <= TURNS, "{seen}");
    }

    #[tokio::test]
    async fn a_resolver_that_panics_keeps_no_batch_of_others() {
        let panics = tokio::spawn(together(async { panic!("for the test") }));
        assert!(panics.await.is_err());
        let (sender, receiver) = futures::channel::oneshot::channel();
        start_batch(Box::pin(async { sender.send(7).unwrap() }));
        assert_eq!(receiver.await, Ok(7));
    }

    #[tokio::test]
    async fn a_batch_does_not_run_beside_the_resolvers_of_its_moment() {
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = tasks();
        let (sender, receiver) = futures::channel::oneshot::channel();
        let asked = async {
            start_batch(Box::pin(async { receiver.await.unwrap() }));
            tasks()
        };
        assert_eq!(together(asked).await, before);
        assert_eq!(tasks(), before.saturating_add(1));
        sender.send(()).unwrap();
    }

    #[tokio::test]
    async fn a_request_is_woken_by_what_it_waits_for() {
        let (sender, receiver) = futures::channel::oneshot::channel();
        let request = tokio::spawn(tokio::time::timeout(PATIENCE, together(receiver)));
        tokio::task::yield_now().await;
        sender.send(7).unwrap();
        assert_eq!(request.await.unwrap(), Ok(Ok(7)));
    }

    #[tokio::test]
    async fn each_event_of_a_subscription_is_a_moment_of_its_own() {
        let started = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&started);
        let events = stream::iter(0..3).map(move |_| {
            let counter = Arc::clone(&counter);
            start_batch(Box::pin(async move {
                counter.fetch_add(1, Ordering::Relaxed);
            }));
        });
        assert_eq!(each_together(events).count().await, 3);
        tokio::task::yield_now().await;
        assert_eq!(started.load(Ordering::Relaxed), 3);
    }
}
