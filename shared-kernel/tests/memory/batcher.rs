//! Requests that are answered together.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::future::join_all;
use shared_kernel::application::batcher::{BatchLimits, batcher};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{ApplicationError, BatchExecutor};
use shared_kernel::domain::Violation;
use tokio::sync::Semaphore;

/// Doubles numbers, refuses odd ones; each batch needs a permit.
struct Doubles {
    batches: Mutex<Vec<usize>>,
    permits: Semaphore,
}

impl Doubles {
    fn with(permits: usize) -> Arc<Self> {
        Arc::new(Self { batches: Mutex::default(), permits: Semaphore::new(permits) })
    }
}

#[async_trait]
impl BatchExecutor for Doubles {
    type Request = usize;
    type Answer = usize;

    async fn execute(&self, requests: Vec<usize>) -> Vec<Result<usize, ApplicationError>> {
        self.batches.lock().unwrap().push(requests.len());
        self.permits.acquire().await.unwrap().forget();
        let answer = |number: usize| {
            let odd = Violation::invalid("odd", "number", "only even numbers");
            if number.is_multiple_of(2) { Ok(number.saturating_mul(2)) } else { Err(odd.into()) }
        };
        requests.into_iter().map(answer).collect()
    }
}

fn code(outcome: Result<usize, ApplicationError>) -> Result<usize, &'static str> {
    outcome.map_err(|error| match error {
        ApplicationError::Refused(violation) => violation.code(),
        ApplicationError::Unavailable(_) => "unavailable",
    })
}

#[tokio::test]
async fn those_that_wait_share_the_next_batch_and_each_gets_its_own_answer() {
    let executor = Doubles::with(0);
    let limits = BatchLimits { queue_max: 100, batch_max: 6 };
    let (queue, mut workers) = batcher(Arc::clone(&executor), limits, 1);
    let (stopping, stop) = stop_pair();
    let worker = tokio::spawn(workers.remove(0).run(stop));
    let submit = |number| {
        let queue = queue.clone();
        async move { code(queue.submit(number).await) }
    };
    let answers = tokio::spawn(join_all((0..10).map(submit)));
    while executor.batches.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    executor.permits.add_permits(100);
    let expected: Vec<_> = (0..10)
        .map(|number: usize| if number.is_multiple_of(2) { Ok(number * 2) } else { Err("odd") })
        .collect();
    assert_eq!(answers.await.unwrap(), expected);
    let batches = executor.batches.lock().unwrap().clone();
    assert_eq!(batches.iter().sum::<usize>(), 10);
    assert!(batches.iter().all(|size| *size <= 6), "{batches:?}");
    assert!(batches.len() <= 4, "those that waited were taken together: {batches:?}");
    stopping.stop();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let limits = BatchLimits { queue_max: 2, batch_max: 2 };
    let (queue, _workers) = batcher(Doubles::with(0), limits, 1);
    let (first, second) = (queue.submit(0), queue.submit(2));
    futures::pin_mut!(first, second);
    assert!(futures::poll!(first.as_mut()).is_pending());
    assert!(futures::poll!(second.as_mut()).is_pending());
    assert_eq!(code(queue.submit(4).await), Err("too_many_commands"));
}

#[tokio::test]
async fn a_stop_answers_what_was_handed_in_and_takes_nothing_more() {
    let executor = Doubles::with(100);
    let limits = BatchLimits { queue_max: 100, batch_max: 2 };
    let (queue, workers) = batcher(Arc::clone(&executor), limits, 3);
    let (stopping, stop) = stop_pair();
    let waiting: Vec<_> = (0..9).map(|number| Box::pin(queue.submit(number * 2))).collect();
    let mut answers = Box::pin(join_all(waiting));
    assert!(futures::poll!(answers.as_mut()).is_pending());
    stopping.stop();
    join_all(workers.into_iter().map(|worker| worker.run(stop.clone()))).await;
    let expected: Vec<_> = (0..9).map(|number| Ok(number * 4)).collect();
    assert_eq!(answers.await, expected);
    assert_eq!(code(queue.submit(2).await), Err("unavailable"));
}

#[tokio::test]
async fn workers_that_wait_end_when_they_are_asked_to() {
    let (queue, workers) = batcher(Doubles::with(1), BatchLimits::default(), 4);
    let (stopping, stop) = stop_pair();
    let run = workers.into_iter().map(|worker| tokio::spawn(worker.run(stop.clone())));
    let tasks: Vec<_> = run.collect();
    assert_eq!(code(queue.submit(2).await), Ok(4));
    stopping.stop();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_caller_that_went_away_disturbs_nobody() {
    let executor = Doubles::with(100);
    let (queue, mut workers) = batcher(Arc::clone(&executor), BatchLimits::default(), 1);
    {
        let gone = queue.submit(2);
        futures::pin_mut!(gone);
        assert!(futures::poll!(gone).is_pending());
    }
    let staying = queue.submit(4);
    futures::pin_mut!(staying);
    assert!(futures::poll!(staying.as_mut()).is_pending());
    let (stopping, stop) = stop_pair();
    stopping.stop();
    workers.remove(0).run(stop).await;
    assert_eq!(code(staying.await), Ok(8));
    assert_eq!(executor.batches.lock().unwrap().iter().sum::<usize>(), 2, "both were executed");
}
