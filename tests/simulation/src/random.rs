//! Chance from a seed: the same seed draws the same numbers on every machine.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A source of numbers (`SplitMix64`).
#[derive(Debug)]
pub(crate) struct Random(Mutex<u64>);

impl Random {
    /// A source of its own for one purpose: drawing from it disturbs no other.
    pub(crate) fn of(seed: u64, purpose: u64) -> Self {
        let random = Self(Mutex::new(seed ^ purpose.wrapping_mul(0xa076_1d64_78bd_642f)));
        random.next();
        random
    }

    pub(crate) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn between(&self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// A place in something of that length.
    pub(crate) fn place(&self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(length)).unwrap_or(0)
    }

    /// True `times` in a million.
    pub(crate) fn chance(&self, times: u32) -> bool {
        times > 0 && self.below(1_000_000) < u64::from(times)
    }

    /// One of them.
    pub(crate) fn one_of<T: Copy>(&self, of: &[T]) -> Option<T> {
        of.get(self.place(of.len())).copied()
    }

    /// A time between two.
    pub(crate) fn time(&self, least: Duration, most: Duration) -> Duration {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.between(micros(least), micros(most)))
    }

    /// Mixes the order.
    pub(crate) fn shuffle<T>(&self, of: &mut [T]) {
        for last in (1..of.len()).rev() {
            of.swap(last, self.place(last + 1));
        }
    }
}
