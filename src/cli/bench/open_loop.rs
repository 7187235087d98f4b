//! The open loop: arrivals at fixed instants, whatever becomes of the earlier ones.
//!
//! A request that is launched late, because too many are in flight or the machine is busy, is
//! measured from the instant it should have started. Bound: `in_flight_max` tasks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::command::Load;

/// Seconds before measuring begins.
pub(super) const WARM_UP_SECONDS: u32 = 2;
/// Microseconds of a second.
const MICROS: u64 = 1_000_000;

/// When requests arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    rate: u64,
    seconds: u64,
}

/// One request's place in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// Which one, from 0.
    pub(super) index: u64,
    /// When it is due, in microseconds after the start.
    pub(super) due_us: u64,
    /// Whether it belongs to the warm-up and is not measured.
    pub(super) is_warm_up: bool,
}

impl Schedule {
    /// The schedule of a load.
    pub(super) fn of(load: &Load) -> Self {
        Self { rate: u64::from(load.rate).max(1), seconds: u64::from(load.seconds) }
    }

    /// Requests of the warm-up and the measured seconds.
    pub(super) fn total(self) -> u64 {
        self.rate.saturating_mul(self.seconds.saturating_add(u64::from(WARM_UP_SECONDS)))
    }

    /// Where measuring begins and ends, in microseconds after the start.
    pub(super) fn window_us(self) -> std::ops::Range<u64> {
        let begin = u64::from(WARM_UP_SECONDS).saturating_mul(MICROS);
        begin..begin.saturating_add(self.seconds.saturating_mul(MICROS))
    }

    /// The request of that number.
    pub(super) fn arrival(self, index: u64) -> Arrival {
        let due_us = index.saturating_mul(MICROS).checked_div(self.rate).unwrap_or_default();
        Arrival { index, due_us, is_warm_up: due_us < self.window_us().start }
    }
}

/// Time since the start, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since then.
    pub(super) fn elapsed_us(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Returns at that many microseconds after the start, or at once if they have passed.
    async fn until(self, due_us: u64) {
        if self.elapsed_us() >= due_us {
            return;
        }
        if let Some(due) = self.0.checked_add(Duration::from_micros(due_us)) {
            sleep_until(due).await;
        }
    }
}

/// Launches every request when it is due and returns when all have ended.
pub(super) async fn drive<F>(
    schedule: Schedule,
    stopwatch: Stopwatch,
    in_flight_max: u32,
    launch: impl Fn(Arrival) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let slots = usize::try_from(in_flight_max).unwrap_or(Semaphore::MAX_PERMITS);
    let slots = Arc::new(Semaphore::new(slots));
    let requests = TaskTracker::new();
    for arrival in (0..schedule.total()).map(|index| schedule.arrival(index)) {
        stopwatch.until(arrival.due_us).await;
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let request = launch(arrival);
        requests.spawn(async move {
            request.await;
            drop(slot);
        });
    }
    requests.close();
    requests.wait().await;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const SCHEDULE: Schedule = Schedule { rate: 300, seconds: 10 };

    #[test]
    fn arrivals_are_evenly_spread_and_never_drift() {
        assert_eq!(SCHEDULE.total(), 300 * 12);
        assert_eq!(SCHEDULE.arrival(0).due_us, 0);
        assert_eq!(SCHEDULE.arrival(1).due_us, 3_333);
        assert_eq!(SCHEDULE.arrival(300).due_us, 1_000_000);
        assert_eq!(SCHEDULE.arrival(3_000).due_us, 10_000_000);
    }

    #[test]
    fn the_first_two_seconds_warm_up() {
        assert!(SCHEDULE.arrival(599).is_warm_up);
        assert!(!SCHEDULE.arrival(600).is_warm_up);
        assert_eq!(SCHEDULE.window_us(), 2_000_000..12_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_does_not_hold_back_the_next_request() {
        let stopwatch = Stopwatch::start();
        let launched = Mutex::new(Vec::new());
        let schedule = Schedule { rate: 10, seconds: 1 };
        drive(schedule, stopwatch, 1_000, |arrival| {
            launched.lock().unwrap().push((arrival.due_us, stopwatch.elapsed_us()));
            tokio::time::sleep(Duration::from_mins(1))
        })
        .await;
        let launched = launched.lock().unwrap();
        assert_eq!(launched.len(), 30);
        assert!(launched.iter().all(|(due, at)| at.saturating_sub(*due) <= 1_000), "{launched:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_start_keeps_its_scheduled_time() {
        let stopwatch = Stopwatch::start();
        let late = Mutex::new(0);
        let schedule = Schedule { rate: 10, seconds: 1 };
        drive(schedule, stopwatch, 1, |arrival| {
            let waited = stopwatch.elapsed_us().saturating_sub(arrival.due_us);
            {
                let mut late = late.lock().unwrap();
                *late = waited.max(*late);
            }
            tokio::time::sleep(Duration::from_millis(200))
        })
        .await;
        // 30 requests of 200 ms, one at a time, due every 100 ms: the last is 2.9 s late.
        assert_eq!(*late.lock().unwrap() / 100_000, 29);
    }
}
