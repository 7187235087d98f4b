//! What a bench found.

use serde::Serialize;

use super::command::Load;
use super::conditions::Conditions;
use super::counts::Counts;
use super::graph_report::GraphReport;
use super::histogram::{Latency, in_words};
use super::open_loop::WARM_UP_SECONDS;
use super::replay_report::ReplayBenchReport;
use crate::cli::output::{Align, Cell, Fields, Paint, Shown, Table, Tone};

/// What a bench found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "bench", rename_all = "snake_case")]
pub enum BenchReport {
    /// Of `bench transfers`.
    Transfers(TransfersReport),
    /// Of `bench lookup`.
    Lookup(LookupReport),
    /// Of `bench graph`.
    Graph(GraphReport),
    /// Of `bench replay`.
    Replay(ReplayBenchReport),
}

impl BenchReport {
    /// Whether every request has an answer, every accepted transfer an end, and every rebuild the
    /// same content.
    pub fn is_valid(&self) -> bool {
        match self {
            Self::Transfers(report) => report.valid,
            Self::Lookup(report) => report.valid,
            Self::Graph(report) => report.valid,
            Self::Replay(report) => report.valid,
        }
    }
}

impl Shown for BenchReport {
    fn text(&self, paint: Paint) -> String {
        match self {
            Self::Transfers(report) => report.text(paint),
            Self::Lookup(report) => report.text(paint),
            Self::Graph(report) => report.text(paint),
            Self::Replay(report) => report.text(paint),
        }
    }
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Asked {
    pub(super) rate: u32,
    pub(super) seconds: u32,
    pub(super) warm_up_seconds: u32,
    pub(super) banks: Vec<String>,
    pub(super) connections: u16,
    pub(super) in_flight_max: u32,
}

impl Asked {
    /// What the words of a bench ask for.
    pub(super) fn of(load: &Load, in_flight_max: u32) -> Self {
        Self {
            rate: load.rate,
            seconds: load.seconds,
            warm_up_seconds: WARM_UP_SECONDS,
            banks: load.banks.iter().map(ToString::to_string).collect(),
            connections: load.connections,
            in_flight_max,
        }
    }

    pub(super) fn fields(&self) -> Fields {
        let load = format!(
            "{}/s for {} s after a warm-up of {} s, open loop",
            grouped(self.rate.into()),
            self.seconds,
            self.warm_up_seconds
        );
        Fields::new().field("load", load).field("banks", self.banks.join(", "))
    }
}

/// What `bench transfers` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransfersReport {
    pub(super) asked: Asked,
    pub(super) accounts: usize,
    pub(super) conditions: Conditions,
    /// Requests of the measured seconds.
    pub measured: Counts,
    /// Requests of the warm-up.
    pub warm_up: Counts,
    /// Completions that were seen within the measured seconds, per second.
    pub completed_per_second: u64,
    /// From the scheduled request to its completion on the log.
    pub to_completed: Latency,
    /// From the scheduled request to the bank's answer.
    pub to_answer: Latency,
    /// From the scheduled request to its sending: how late the generator was.
    pub to_launch: Latency,
    /// Some of the transfers that were lost.
    pub lost_ids: Vec<String>,
    /// Whether nothing was lost and nothing unanswered, in the warm-up either.
    pub valid: bool,
}

impl Shown for TransfersReport {
    fn text(&self, paint: Paint) -> String {
        let head = self.asked.fields().field("accounts", grouped_size(self.accounts));
        let counts = &self.measured;
        let completed = format!(
            "{}  {} per second",
            grouped(counts.completed),
            grouped(self.completed_per_second)
        );
        let body = Fields::new()
            .field("requested", grouped(counts.requested))
            .field("accepted", grouped(counts.accepted))
            .field("completed", Cell::new(Tone::Strong, completed))
            .field("rejected", grouped(counts.rejected))
            .field("expired", grouped(counts.expired))
            .field("lost", troubled(counts.lost))
            .field_if("lost transfers", Some(self.lost_ids.join(" ")));
        let latencies = latency_table([
            ("request to completed", &self.to_completed),
            ("request to answer", &self.to_answer),
            ("late in sending", &self.to_launch),
        ]);
        sections(&[
            self.conditions.fields(head).render(paint),
            by_code(body, counts).render(paint),
            latencies.render(paint),
            self.verdict(paint),
        ])
    }
}

impl TransfersReport {
    fn verdict(&self, paint: Paint) -> String {
        let counts = &self.measured;
        let sum = format!(
            "accepted {} {} completed {} + rejected {} + expired {}",
            grouped(counts.accepted),
            if counts.accepted == counts.final_total() { "=" } else { "≠" },
            grouped(counts.completed),
            grouped(counts.rejected),
            grouped(counts.expired)
        );
        verdict(paint, self.valid, &sum)
    }
}

/// What `bench lookup` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LookupReport {
    pub(super) asked: Asked,
    pub(super) keys: usize,
    pub(super) conditions: Conditions,
    /// Requests of the measured seconds; `accepted` are those that found the key.
    pub measured: Counts,
    /// Answers that came within the measured seconds, per second.
    pub answered_per_second: u64,
    /// From the scheduled request to the answer.
    pub to_answer: Latency,
    /// From the scheduled request to its sending: how late the generator was.
    pub to_launch: Latency,
    /// Whether every key was found.
    pub valid: bool,
}

impl Shown for LookupReport {
    fn text(&self, paint: Paint) -> String {
        let head = self
            .asked
            .fields()
            .field("keys", grouped_size(self.keys))
            .field("in flight", format!("at most {}", self.asked.in_flight_max));
        let counts = &self.measured;
        let found = format!(
            "{}  {} per second",
            grouped(counts.accepted),
            grouped(self.answered_per_second)
        );
        let body = Fields::new()
            .field("requested", grouped(counts.requested))
            .field("found", Cell::new(Tone::Strong, found));
        let latencies = latency_table([
            ("request to answer", &self.to_answer),
            ("late in sending", &self.to_launch),
        ]);
        let sum =
            format!("requested {}, found {}", grouped(counts.requested), grouped(counts.accepted));
        sections(&[
            self.conditions.fields(head).render(paint),
            by_code(body, counts).render(paint),
            latencies.render(paint),
            verdict(paint, self.valid, &sum),
        ])
    }
}

pub(super) fn sections(parts: &[String]) -> String {
    parts.join("\n\n")
}

pub(super) fn verdict(paint: Paint, valid: bool, sum: &str) -> String {
    if valid {
        format!("{} {sum}", paint.tint(Tone::Good, "valid:"))
    } else {
        format!("{} {sum}", paint.tint(Tone::Bad, "NOT VALID:"))
    }
}

/// A count that should be zero.
fn troubled(count: u64) -> Cell {
    Cell::new(if count == 0 { Tone::Plain } else { Tone::Bad }, grouped(count))
}

/// Refusals and silences, by code.
pub(super) fn by_code(fields: Fields, counts: &Counts) -> Fields {
    let mut fields = fields.field("refused", troubled(counts.refused_total()));
    for (code, count) in &counts.refused {
        fields = fields.field(&format!("  {code}"), troubled(*count));
    }
    fields = fields.field("unanswered", troubled(counts.unanswered_total()));
    for (code, count) in &counts.unanswered {
        fields = fields.field(&format!("  {code}"), troubled(*count));
    }
    fields
}

pub(super) fn latency_table<const N: usize>(rows: [(&str, &Latency); N]) -> Table {
    let columns = [
        ("", Align::Left),
        ("P50", Align::Right),
        ("P95", Align::Right),
        ("P99", Align::Right),
        ("MAX", Align::Right),
    ];
    let mut table = Table::new(columns, "");
    for (name, latency) in rows {
        table.row([
            name.into(),
            in_words(latency.p50_us).into(),
            in_words(latency.p95_us).into(),
            Cell::new(Tone::Strong, in_words(latency.p99_us)),
            in_words(latency.max_us).into(),
        ]);
    }
    table
}

/// A count with separators: `1,234,567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (digit, to_come) in digits.chars().zip((0..digits.len()).rev()) {
        text.push(digit);
        if to_come > 0 && to_come % 3 == 0 {
            text.push(',');
        }
    }
    text
}

pub(super) fn grouped_size(count: usize) -> String {
    grouped(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lost: u64) -> TransfersReport {
        let mut measured = Counts { requested: 1_500, accepted: 1_499, ..Counts::default() };
        measured.completed = 1_499_u64.saturating_sub(lost);
        measured.lost = lost;
        measured.refused.insert("insufficient_funds".to_owned(), 1);
        TransfersReport {
            asked: Asked {
                rate: 500,
                seconds: 3,
                warm_up_seconds: 2,
                banks: vec!["00000001".to_owned(), "00000002".to_owned()],
                connections: 4,
                in_flight_max: 10_000,
            },
            accounts: 1_000,
            conditions: Conditions::now("http://127.0.0.1:50051"),
            valid: measured.is_valid(),
            measured,
            warm_up: Counts::default(),
            completed_per_second: 499,
            to_completed: Latency { count: 1, p50_us: 1, p95_us: 2, p99_us: 12_345, max_us: 3 },
            to_answer: Latency::default(),
            to_launch: Latency::default(),
            lost_ids: Vec::new(),
        }
    }

    #[test]
    fn a_report_says_what_was_measured_where_and_whether_it_counts() {
        let text = report(0).text(Paint::new(false));
        for part in [
            "500/s for 3 s after a warm-up of 2 s, open loop",
            "completed             1,499  499 per second",
            "  insufficient_funds  1",
            "12.3 ms",
            "valid: accepted 1,499 = completed 1,499 + rejected 0 + expired 0",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_lost_transfer_makes_a_report_invalid() {
        let report = report(1);
        assert!(!BenchReport::Transfers(report.clone()).is_valid());
        let text = report.text(Paint::new(false));
        assert!(text.contains("NOT VALID: accepted 1,499 ≠ completed 1,498"), "{text}");
    }

    #[test]
    fn a_report_is_one_json_document() {
        let json = serde_json::to_value(BenchReport::Transfers(report(0))).unwrap();
        assert_eq!(json["bench"], "transfers");
        assert_eq!(json["measured"]["completed"], 1_499);
        assert_eq!(json["to_completed"]["p99_us"], 12_345);
        assert_eq!(json["valid"], true);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!((grouped(0), grouped(999)), ("0".into(), "999".into()));
        assert_eq!((grouped(1_000), grouped(1_234_567)), ("1,000".into(), "1,234,567".into()));
    }
}
