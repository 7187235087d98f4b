//! What became of questions that are answered at once: look-ups, and queries of the graph.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::interval;

use super::counts::{Counts, bump};
use super::histogram::Latencies;
use super::open_loop::{Arrival, Schedule, Stopwatch};
use super::report::grouped;
use crate::client::ClientError;

/// How often the progress is drawn.
const TICK: Duration = Duration::from_millis(500);
/// Ticks of a second.
const TICKS_PER_SECOND: u64 = 2;

/// What became of the questions so far.
pub(super) struct Tally {
    pub(super) measured: Counts,
    answered: u64,
    answered_in_window: u64,
    pub(super) to_answer: Latencies,
    pub(super) to_launch: Latencies,
}

/// Where all questions of a run are counted.
#[derive(Clone)]
pub(super) struct Counter {
    schedule: Schedule,
    stopwatch: Stopwatch,
    tally: Arc<Mutex<Tally>>,
}

impl Counter {
    /// Nothing was asked yet; time begins.
    pub(super) fn start(schedule: Schedule) -> anyhow::Result<Self> {
        let tally = Tally {
            measured: Counts::default(),
            answered: 0,
            answered_in_window: 0,
            to_answer: Latencies::new()?,
            to_launch: Latencies::new()?,
        };
        let tally = Arc::new(Mutex::new(tally));
        Ok(Self { schedule, stopwatch: Stopwatch::start(), tally })
    }

    /// Time since the start.
    pub(super) const fn stopwatch(&self) -> Stopwatch {
        self.stopwatch
    }

    /// What was counted.
    pub(super) fn seen(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a question that is not repeated: what is not answered at once is a failure.
    pub(super) async fn ask(
        &self,
        arrival: Arrival,
        question: impl Future<Output = Result<(), ClientError>>,
    ) {
        let launched_us = self.stopwatch.elapsed_us();
        let answer = question.await;
        let answered_us = self.stopwatch.elapsed_us();
        let mut tally = self.seen();
        bump(&mut tally.answered);
        if answer.is_ok() && self.schedule.window_us().contains(&answered_us) {
            bump(&mut tally.answered_in_window);
        }
        if !arrival.is_warm_up {
            tally.measure(arrival, launched_us, answered_us, answer);
        }
    }

    /// Draws the progress until the bar is finished.
    pub(super) async fn draw(self, bar: ProgressBar) {
        let mut tick = interval(TICK);
        let mut before = 0_u64;
        while !bar.is_finished() {
            tick.tick().await;
            let answered = self.seen().answered;
            let rate = answered.saturating_sub(before).saturating_mul(TICKS_PER_SECOND);
            before = answered;
            bar.set_position(answered);
            bar.set_message(format!("answered, {}/s", grouped(rate)));
        }
    }
}

impl Tally {
    /// Answers within the measured seconds, per second.
    pub(super) fn per_second(&self, seconds: u32) -> u64 {
        self.answered_in_window.checked_div(seconds.into()).unwrap_or_default()
    }

    /// Whether every question was answered.
    pub(super) fn is_complete(&self) -> bool {
        self.measured.requested == self.measured.accepted
    }

    fn measure(
        &mut self,
        arrival: Arrival,
        launched_us: u64,
        answered_us: u64,
        answer: Result<(), ClientError>,
    ) {
        bump(&mut self.measured.requested);
        self.to_launch.record(launched_us.saturating_sub(arrival.due_us));
        self.to_answer.record(answered_us.saturating_sub(arrival.due_us));
        match answer {
            Ok(()) => bump(&mut self.measured.accepted),
            Err(error) => {
                let by_code = if error.may_pass() {
                    &mut self.measured.unanswered
                } else {
                    &mut self.measured.refused
                };
                bump(by_code.entry(error.code().to_owned()).or_default());
            }
        }
    }
}

/// The element of a turn.
pub(super) fn turn<T>(elements: &[T], turn: u64) -> Option<&T> {
    let count = u64::try_from(elements.len()).ok()?;
    elements.get(usize::try_from(turn.checked_rem(count)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_is_timed_from_when_it_was_due_and_counted_by_its_answer() {
        let schedule = Schedule::of(&super::super::command::Load {
            rate: 10,
            seconds: 1,
            banks: Vec::new(),
            connections: 1,
        });
        let counter = Counter::start(schedule).unwrap();
        let warm_up = schedule.arrival(0);
        counter.ask(warm_up, async { Ok(()) }).await;
        assert_eq!(counter.seen().measured.requested, 0);
        tokio::time::advance(Duration::from_millis(2_100)).await;
        counter.ask(schedule.arrival(20), async { Ok(()) }).await;
        let refused = ClientError::refused("key_not_found", None, "no such key");
        counter.ask(schedule.arrival(21), async { Err(refused) }).await;
        let seen = counter.seen();
        assert_eq!((seen.measured.requested, seen.measured.accepted), (2, 1));
        assert_eq!(seen.measured.refused["key_not_found"], 1);
        assert_eq!((seen.per_second(1), seen.is_complete()), (1, false));
        assert!(seen.to_answer.summary().max_us >= 100_000);
    }
}
