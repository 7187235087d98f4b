//! Latencies in whole microseconds.

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Greatest latency that is told apart: ten minutes.
const MICROS_MAX: u64 = 600_000_000;
/// Significant decimal digits.
const DIGITS: u8 = 3;

/// Latencies, recorded one by one.
#[derive(Clone, Debug)]
pub(super) struct Latencies(Histogram<u64>);

impl Latencies {
    /// None yet.
    pub(super) fn new() -> anyhow::Result<Self> {
        let histogram = Histogram::new_with_bounds(1, MICROS_MAX, DIGITS);
        Ok(Self(histogram.context("the bounds of the histogram are not right")?))
    }

    /// Records one, in microseconds.
    pub(super) fn record(&mut self, micros: u64) {
        self.0.saturating_record(micros.max(1));
    }

    /// What they were.
    pub(super) fn summary(&self) -> Latency {
        let [p50_us, p95_us, p99_us] = quantiles(&self.0);
        Latency { count: self.0.len(), p50_us, p95_us, p99_us, max_us: self.0.max() }
    }
}

/// The median, and what 95 and 99 of 100 were not above.
#[expect(clippy::disallowed_types, reason = "a quantile is no money")]
fn quantiles(histogram: &Histogram<u64>) -> [u64; 3] {
    let of_interest: [f64; 3] = [0.5, 0.95, 0.99];
    of_interest.map(|quantile| histogram.value_at_quantile(quantile))
}

/// A summary of latencies, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// Median.
    pub p50_us: u64,
    /// 95 of 100 were not above.
    pub p95_us: u64,
    /// 99 of 100 were not above.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// Microseconds for people: `850 µs`, `12.3 ms`, `4.56 s`.
pub(super) fn in_words(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros / 100 % 10),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros / 10_000 % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new().unwrap();
        for micros in 1..=1_000 {
            latencies.record(micros);
        }
        let expected =
            Latency { count: 1_000, p50_us: 500, p95_us: 950, p99_us: 990, max_us: 1_000 };
        assert_eq!(latencies.summary(), expected);
    }

    #[test]
    fn the_absurd_is_kept_at_the_edge() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(0);
        latencies.record(u64::MAX);
        let summary = latencies.summary();
        assert_eq!(summary.count, 2);
        assert!(summary.max_us >= MICROS_MAX);
        assert_eq!(Latencies::new().unwrap().summary(), Latency::default());
    }

    #[test]
    fn a_latency_is_written_in_the_unit_that_fits() {
        assert_eq!(in_words(850), "850 µs");
        assert_eq!(in_words(12_345), "12.3 ms");
        assert_eq!(in_words(4_567_890), "4.56 s");
    }
}
