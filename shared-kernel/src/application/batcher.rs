//! Group commit for commands: those that arrive while a transaction runs share the next one.
//!
//! No waiting is added: an idle worker takes a single command at once. A full queue refuses
//! (`too_many_commands`) instead of growing without bound.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::Either;
use tokio::sync::{mpsc, oneshot};

use crate::application::error::ApplicationError;
use crate::application::stop::StopSignal;
use crate::domain::Violation;

/// Decides many requests of one kind at once.
#[async_trait]
pub trait BatchExecutor: Send + Sync + 'static {
    /// One request.
    type Request: Send + 'static;
    /// Its answer.
    type Answer: Send + 'static;

    /// Answers in the order of the requests, one each.
    async fn execute(
        &self,
        requests: Vec<Self::Request>,
    ) -> Vec<Result<Self::Answer, ApplicationError>>;
}

/// Requests that wait, each with where its answer goes.
type Queue<Q, A> = Arc<tokio::sync::Mutex<mpsc::Receiver<(Q, Reply<A>)>>>;
type Reply<A> = oneshot::Sender<Result<A, ApplicationError>>;

/// Where requests are handed in; cloned freely.
pub struct Batcher<Q, A> {
    queue: mpsc::Sender<(Q, Reply<A>)>,
}

impl<Q, A> std::fmt::Debug for Batcher<Q, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Batcher").finish_non_exhaustive()
    }
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<Q: Send, A: Send> Batcher<Q, A> {
    /// Hands a request in and waits for its answer.
    ///
    /// # Errors
    /// The executor's refusal; `too_many_commands` when the queue is full; unavailable when the
    /// worker has stopped.
    pub async fn submit(&self, request: Q) -> Result<A, ApplicationError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((request, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Violation::resource_exhausted(
                "too_many_commands",
                "",
                "the hub has more work than it can queue; try again shortly".to_owned(),
            )
            .into(),
            mpsc::error::TrySendError::Closed(_) => stopping(),
        })?;
        answer.await.unwrap_or_else(|_dropped| Err(stopping()))
    }
}

fn stopping() -> ApplicationError {
    ApplicationError::Unavailable("the hub is stopping; repeat the command".into())
}

/// Bounds of a batcher.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Requests that may wait.
    pub queue_max: usize,
    /// Requests decided together.
    pub batch_max: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { queue_max: 8_192, batch_max: 512 }
    }
}

/// Takes requests from the queue and executes them.
pub struct BatchWorker<E: BatchExecutor> {
    queue: Queue<E::Request, E::Answer>,
    executor: Arc<E>,
    batch_max: usize,
}

impl<E: BatchExecutor> std::fmt::Debug for BatchWorker<E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BatchWorker").finish_non_exhaustive()
    }
}

/// Where requests are handed in, and who works on them.
pub type BatcherAndWorkers<E> =
    (Batcher<<E as BatchExecutor>::Request, <E as BatchExecutor>::Answer>, Vec<BatchWorker<E>>);

/// A queue and `workers` workers on it: while one waits for the disk, the next collects.
pub fn batcher<E: BatchExecutor>(
    executor: Arc<E>,
    limits: BatchLimits,
    workers: usize,
) -> BatcherAndWorkers<E> {
    let (sender, receiver) = mpsc::channel(limits.queue_max.max(1));
    let batch_max = limits.batch_max.max(1);
    let shared = (Arc::new(tokio::sync::Mutex::new(receiver)), executor);
    let workers = std::iter::repeat_n(shared, workers.max(1));
    let worker = |(queue, executor)| BatchWorker { queue, executor, batch_max };
    (Batcher { queue: sender }, workers.map(worker).collect())
}

impl<E: BatchExecutor> BatchWorker<E> {
    /// Works until it is asked to stop; what was handed in before is still answered.
    pub async fn run(self, mut stop: StopSignal) {
        loop {
            let Some(taken) = self.next(&mut stop).await else { return };
            let (requests, replies): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
            for (reply, answer) in replies.into_iter().zip(self.executor.execute(requests).await) {
                // The caller may have gone away; its command stands.
                drop(reply.send(answer));
            }
        }
    }

    /// The next requests; `None` once a stop was asked for and the queue is empty.
    async fn next(&self, stop: &mut StopSignal) -> Option<Vec<(E::Request, Reply<E::Answer>)>> {
        let taken = if stop.is_stopped() {
            Vec::new()
        } else {
            let (take, stopped) = (Box::pin(self.take()), Box::pin(stop.stopped()));
            match futures::future::select(take, stopped).await {
                Either::Left((taken, _)) => taken,
                Either::Right(_) => Vec::new(),
            }
        };
        if !taken.is_empty() {
            return Some(taken);
        }
        self.queue.lock().await.close();
        Some(self.take().await).filter(|taken| !taken.is_empty())
    }

    async fn take(&self) -> Vec<(E::Request, Reply<E::Answer>)> {
        let mut taken = Vec::new();
        self.queue.lock().await.recv_many(&mut taken, self.batch_max).await;
        taken
    }
}
