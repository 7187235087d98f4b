//! Brings together two streams that race: answers to requests, and ends of transfers on the log.
//!
//! A transfer may be final on the log before its request is answered here, so an end that nobody
//! waits for is kept for a while. Other people's transfers end on the same log and are forgotten.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::counts::{Counts, Outcome, bump};
use super::histogram::Latencies;
use super::open_loop::Arrival;
use crate::client::ClientError;

/// How long an end waits for its request's answer; longer than a request may take.
const EARLY_US_MAX: u64 = 120_000_000;

/// What is known of all transfers of a run.
#[derive(Clone, Debug)]
pub(super) struct Tracker {
    window_us: Range<u64>,
    open: HashMap<String, Arrival>,
    early: HashMap<String, (Outcome, u64)>,
    early_order: VecDeque<(u64, String)>,
    pub(super) measured: Counts,
    pub(super) warm_up: Counts,
    pub(super) completed_in_window: u64,
    pub(super) to_completed: Latencies,
    pub(super) to_answer: Latencies,
    pub(super) to_launch: Latencies,
}

impl Tracker {
    /// A run whose measured part lies in `window_us`.
    pub(super) fn new(window_us: Range<u64>) -> anyhow::Result<Self> {
        Ok(Self {
            window_us,
            open: HashMap::new(),
            early: HashMap::new(),
            early_order: VecDeque::new(),
            measured: Counts::default(),
            warm_up: Counts::default(),
            completed_in_window: 0,
            to_completed: Latencies::new()?,
            to_answer: Latencies::new()?,
            to_launch: Latencies::new()?,
        })
    }

    const fn counts(&mut self, arrival: Arrival) -> &mut Counts {
        if arrival.is_warm_up { &mut self.warm_up } else { &mut self.measured }
    }

    /// A request was sent.
    pub(super) fn launched(&mut self, arrival: Arrival, at_us: u64) {
        bump(&mut self.counts(arrival).requested);
        if !arrival.is_warm_up {
            self.to_launch.record(at_us.saturating_sub(arrival.due_us));
        }
    }

    /// A request was answered: the transfer's id, or why there is none.
    pub(super) fn answered(
        &mut self,
        arrival: Arrival,
        answer: Result<String, ClientError>,
        at_us: u64,
    ) {
        if !arrival.is_warm_up {
            self.to_answer.record(at_us.saturating_sub(arrival.due_us));
        }
        match answer {
            Ok(id) => {
                bump(&mut self.counts(arrival).accepted);
                match self.early.remove(&id) {
                    Some((outcome, ended_us)) => self.end(arrival, outcome, ended_us),
                    None => drop(self.open.insert(id, arrival)),
                }
            }
            Err(error) => {
                let counts = self.counts(arrival);
                let by_code =
                    if error.may_pass() { &mut counts.unanswered } else { &mut counts.refused };
                bump(by_code.entry(error.code().to_owned()).or_default());
            }
        }
    }

    /// A transfer, of this run or another, became final.
    pub(super) fn finished(&mut self, id: &str, outcome: Outcome, at_us: u64) {
        if let Some(arrival) = self.open.remove(id) {
            self.end(arrival, outcome, at_us);
        } else {
            self.early.insert(id.to_owned(), (outcome, at_us));
            self.early_order.push_back((at_us, id.to_owned()));
        }
        while let Some((_, id)) = self
            .early_order
            .pop_front_if(|(ended_us, _)| ended_us.saturating_add(EARLY_US_MAX) < at_us)
        {
            self.early.remove(&id);
        }
    }

    fn end(&mut self, arrival: Arrival, outcome: Outcome, at_us: u64) {
        self.counts(arrival).end(outcome);
        if outcome == Outcome::Completed {
            if self.window_us.contains(&at_us) {
                bump(&mut self.completed_in_window);
            }
            if !arrival.is_warm_up {
                self.to_completed.record(at_us.saturating_sub(arrival.due_us));
            }
        }
    }

    /// Transfers that are accepted and not final.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Transfers that are final, warm-up included.
    pub(super) fn ended(&self) -> u64 {
        self.measured.final_total().saturating_add(self.warm_up.final_total())
    }

    /// Whatever is still open is lost; some of the ids, for whoever looks for them.
    pub(super) fn give_up(&mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.open);
        for arrival in open.values() {
            bump(&mut self.counts(*arrival).lost);
        }
        open.into_keys().take(10).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Range<u64> = 2_000_000..12_000_000;

    fn arrival(due_us: u64) -> Arrival {
        Arrival { index: 0, due_us, is_warm_up: due_us < WINDOW.start }
    }

    #[test]
    fn latency_counts_from_the_scheduled_instant() {
        let mut tracker = Tracker::new(WINDOW).unwrap();
        tracker.launched(arrival(3_000_000), 3_000_400);
        tracker.answered(arrival(3_000_000), Ok("a".to_owned()), 3_010_000);
        tracker.finished("a", Outcome::Completed, 3_050_000);
        assert_eq!(tracker.to_launch.summary().max_us, 400);
        assert!(tracker.to_answer.summary().max_us.abs_diff(10_000) < 20);
        assert!(tracker.to_completed.summary().max_us.abs_diff(50_000) < 100);
        assert!(tracker.measured.is_valid());
        assert_eq!(tracker.completed_in_window, 1);
    }

    #[test]
    fn an_end_before_the_answer_counts_once() {
        let mut tracker = Tracker::new(WINDOW).unwrap();
        tracker.launched(arrival(3_000_000), 3_000_000);
        tracker.finished("a", Outcome::Completed, 3_005_000);
        tracker.answered(arrival(3_000_000), Ok("a".to_owned()), 3_010_000);
        tracker.finished("a", Outcome::Completed, 3_020_000);
        assert_eq!((tracker.measured.completed, tracker.open()), (1, 0));
        assert!(tracker.to_completed.summary().max_us.abs_diff(5_000) < 10);
    }

    #[test]
    fn the_warm_up_is_counted_apart_and_not_timed() {
        let mut tracker = Tracker::new(WINDOW).unwrap();
        tracker.launched(arrival(0), 0);
        tracker.answered(arrival(0), Ok("a".to_owned()), 1);
        tracker.finished("a", Outcome::Completed, 2);
        assert_eq!((tracker.warm_up.completed, tracker.measured.completed), (1, 0));
        assert_eq!((tracker.to_completed.summary().count, tracker.completed_in_window), (0, 0));
    }

    #[test]
    fn what_has_no_end_is_lost() {
        let mut tracker = Tracker::new(WINDOW).unwrap();
        tracker.launched(arrival(3_000_000), 3_000_000);
        tracker.answered(arrival(3_000_000), Ok("a".to_owned()), 3_000_001);
        assert_eq!(tracker.give_up(), ["a"]);
        assert_eq!(tracker.measured.lost, 1);
        assert!(!tracker.measured.is_valid());
    }

    #[test]
    fn refusals_are_told_from_silence() {
        let mut tracker = Tracker::new(WINDOW).unwrap();
        let refused = ClientError::refused("insufficient_funds", None, "too little");
        tracker.answered(arrival(3_000_000), Err(refused), 3_000_001);
        let lost = ClientError::of_status("http://hub", &tonic::Status::unknown("broken"));
        tracker.answered(arrival(3_000_000), Err(lost), 3_000_001);
        assert_eq!(tracker.measured.refused["insufficient_funds"], 1);
        assert_eq!(tracker.measured.unanswered["answer_lost"], 1);
    }

    #[test]
    fn other_peoples_transfers_are_forgotten() {
        let mut tracker = Tracker::new(WINDOW).unwrap();
        tracker.finished("theirs", Outcome::Completed, 1);
        tracker.finished("theirs too", Outcome::Completed, EARLY_US_MAX.saturating_add(10));
        assert_eq!((tracker.early.len(), tracker.early_order.len()), (1, 1));
        assert_eq!(tracker.ended(), 0);
    }
}
