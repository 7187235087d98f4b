//! Waiting between attempts: doubling, bounded, the same everywhere.

use std::time::Duration;

/// Delays that double from `first` to `most`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Starts at `first` and never waits longer than `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// The delay before the next attempt; each call doubles the one after it.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.most);
        delay
    }

    /// An attempt succeeded: the next failure starts small again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

/// The interval before attempt `attempt` (0 = first) of something that is sent again for ever:
/// `first` doubled each time, at most `most`.
pub fn doubled(first: Duration, attempt: u32, most: Duration) -> Duration {
    let factor = 1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_bound_and_start_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(35));
        let delays: Vec<u128> = (0..4).map(|_| backoff.delay().as_millis()).collect();
        assert_eq!(delays, [10, 20, 35, 35]);
        backoff.reset();
        assert_eq!(backoff.delay().as_millis(), 10);
    }

    #[test]
    fn intervals_double_up_to_the_bound() {
        let at =
            |attempt| doubled(Duration::from_secs(20), attempt, Duration::from_mins(10)).as_secs();
        assert_eq!([at(0), at(1), at(2), at(5), at(40)], [20, 40, 80, 600, 600]);
    }
}
