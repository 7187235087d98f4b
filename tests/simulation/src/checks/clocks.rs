//! True time, as no process knows it, and how far clocks may be from it.

use std::time::Duration;

use shared_kernel::domain::Timestamp;

use crate::plan::{DOWN_MAX, Plan};

/// By how much clocks may differ before an acceptance that the log took in time may be beaten by
/// the deadline.
const GRACE: Duration = Duration::from_secs(1);
/// The newest records may be seen so much later, and the log's times are cut to a millisecond.
const UNSEEN: Duration = Duration::from_millis(401);
/// What a sweep may take beside everything that keeps it from being made.
const SWEEP: Duration = Duration::from_secs(30);

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Time, and the errors of clocks.
#[derive(Debug)]
pub(super) struct Clocks {
    now: Timestamp,
    /// Since the beginning.
    passed: Duration,
    /// How wrong a clock is at most after it was set.
    skew: Duration,
    /// By how much it is fast or slow at most: microseconds in a second.
    drift: u64,
    /// For so long at most nobody sweeps.
    kept_from_sweeping: Duration,
}

impl Clocks {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            now: Timestamp::EPOCH,
            passed: Duration::ZERO,
            skew: plan.skew,
            drift: plan.drift,
            kept_from_sweeping: plan.faults + DOWN_MAX + SWEEP,
        }
    }

    pub(super) fn show(&mut self, now: Timestamp, passed: Duration) {
        (self.now, self.passed) = (now, passed);
    }

    /// How far a clock is from true time at most.
    fn error(&self) -> Duration {
        let drift = u32::try_from(self.drift).unwrap_or(u32::MAX);
        self.skew + self.passed.saturating_mul(drift) / 1_000_000
    }

    /// Any two clocks have agreed so far, as closely as the grace needs it.
    pub(super) fn are_within_grace(&self) -> bool {
        self.error().saturating_mul(2) + UNSEEN <= GRACE
    }

    /// Whether a moment, by whichever clock, is not later than so long after the present.
    pub(super) fn is_due_within(&self, at: Timestamp, time: Duration) -> bool {
        at.micros() - self.now.micros() <= micros(time + self.error())
    }

    /// Whether what was due at a moment, by whichever clock, is done as early as it can be expected
    /// of processes that are kept from it.
    pub(super) fn is_prompt(&self, due: Timestamp) -> bool {
        self.now.micros() - due.micros() <= micros(self.kept_from_sweeping + self.error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(skew: u64, drift: u64) -> Clocks {
        let plan = Plan { skew: Duration::from_millis(skew), drift, ..Plan::of(1) };
        let mut clocks = Clocks::new(&plan);
        clocks.show(Timestamp::from_millis(1_000_000).unwrap(), Duration::from_secs(100));
        clocks
    }

    #[test]
    fn clocks_are_within_the_grace_as_long_as_two_of_them_and_what_is_unseen_are() {
        assert!(clocks(0, 0).are_within_grace() && clocks(299, 0).are_within_grace());
        assert!(!clocks(300, 0).are_within_grace());
        assert!(clocks(0, 2_000).are_within_grace(), "200 ms after 100 s");
        assert!(!clocks(200, 2_000).are_within_grace());
    }

    #[test]
    fn what_is_due_is_compared_with_true_time_and_the_errors_of_clocks() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let second = Duration::from_secs(1);
        let right = clocks(0, 0);
        assert!(right.is_due_within(at(1_001_000), second));
        assert!(!right.is_due_within(at(1_001_001), second));
        assert!(clocks(1, 0).is_due_within(at(1_001_001), second));
        let late = micros(right.kept_from_sweeping) / 1_000;
        assert!(right.is_prompt(at(1_000_000 - late)));
        assert!(!right.is_prompt(at(1_000_000 - late - 1)));
    }
}
