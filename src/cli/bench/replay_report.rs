//! What `bench replay` found.

use std::time::Duration;

use balances::infrastructure::replay::Comparison;
use serde::Serialize;

use super::conditions::Conditions;
use super::histogram::{Latencies, Latency, in_words};
use super::report::{grouped, latency_table, sections};
use crate::cli::output::{Cell, Fields, Paint, Shown, Tone};

/// What `bench replay` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayBenchReport {
    conditions: Conditions,
    accounts: u32,
    /// Records on the log, those of transfers too.
    records: u64,
    /// Entries of all histories.
    entries: u64,
    /// A live side from nothing to the end of the log, each batch on disk.
    live_ms: u64,
    /// The rebuild from nothing to the end of the log.
    rebuilt_ms: u64,
    /// The same with the comparison of all content and the swap.
    replaced_ms: u64,
    /// One account at a past instant, one question after the other.
    as_of: Latency,
    digest: String,
    /// Whether the rebuild was equal and swapped.
    pub(super) valid: bool,
}

impl ReplayBenchReport {
    /// Of what was measured: live side, rebuild, and rebuild with comparison and swap.
    pub(super) fn new(
        conditions: Conditions,
        (accounts, records): (u32, u64),
        comparison: &Comparison,
        took: [Duration; 3],
        as_of: &Latencies,
    ) -> Self {
        let [live_ms, rebuilt_ms, replaced_ms] =
            took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        Self {
            conditions,
            accounts,
            records,
            entries: comparison.rebuilt.entries,
            live_ms,
            rebuilt_ms,
            replaced_ms,
            as_of: as_of.summary(),
            digest: comparison.rebuilt.digest.to_string(),
            valid: comparison.is_equal(),
        }
    }

    fn speed(&self, millis: u64) -> String {
        let rate = self.records.saturating_mul(1_000).checked_div(millis).unwrap_or_default();
        let took = in_words(millis.saturating_mul(1_000));
        format!("{took}  {} events per second", grouped(rate))
    }
}

impl Shown for ReplayBenchReport {
    fn text(&self, paint: Paint) -> String {
        let log = format!(
            "{} events: {} of {} accounts, the rest of transfers",
            grouped(self.records),
            grouped(self.entries),
            grouped(self.accounts.into())
        );
        let head = self.conditions.fields(Fields::new().field("log", log));
        let body = Fields::new()
            .field("live side", self.speed(self.live_ms))
            .field("rebuild", Cell::new(Tone::Strong, self.speed(self.rebuilt_ms)))
            .field("with comparison and swap", in_words(self.replaced_ms.saturating_mul(1_000)))
            .field("digest", self.digest.as_str());
        let (tone, verdict) = if self.valid {
            (Tone::Good, "valid: the rebuild is equal to the live side")
        } else {
            (Tone::Bad, "NOT VALID: the rebuild differs from the live side")
        };
        sections(&[
            head.render(paint),
            body.render(paint),
            latency_table([("balance as of an instant", &self.as_of)]).render(paint),
            paint.tint(tone, verdict),
        ])
    }
}

#[cfg(test)]
mod tests {
    use balances::infrastructure::replay::Summary;
    use shared_kernel::domain::{Digest, Money};

    use super::*;

    #[test]
    fn a_report_says_how_fast_and_whether_it_counts() {
        let side = |content: &[u8]| Summary {
            digest: Digest::of(&[content]),
            accounts: 10,
            entries: 900,
            transfers: 100,
            external: 0,
            available: Money::ZERO,
            held: Money::ZERO,
        };
        let report = |rebuilt: &[u8]| {
            let (differing, named) = (0, Vec::new());
            let comparison =
                Comparison { live: side(b"a"), rebuilt: side(rebuilt), differing, named };
            let took = [10, 2, 3].map(Duration::from_secs);
            let as_of = Latencies::new().unwrap();
            let conditions = Conditions::now("127.0.0.1:9092");
            ReplayBenchReport::new(conditions, (10, 1_000), &comparison, took, &as_of)
        };
        let text = report(b"a").text(Paint::new(false));
        for part in ["1,000 events: 900 of 10 accounts", "2.00 s  500 events per second", "valid:"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(report(b"b").text(Paint::new(false)).contains("NOT VALID"));
    }
}
