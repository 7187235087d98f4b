//! What `bench graph` found.

use serde::Serialize;

use super::conditions::Conditions;
use super::counts::Counts;
use super::histogram::Latency;
use super::report::{Asked, by_code, grouped, grouped_size, latency_table, sections, verdict};
use crate::cli::output::{Cell, Fields, Paint, Shown, Tone};

/// What `bench graph` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphReport {
    pub(super) asked: Asked,
    pub(super) query: &'static str,
    pub(super) accounts: usize,
    pub(super) conditions: Conditions,
    /// Requests of the measured seconds; `accepted` are those with a whole answer.
    pub measured: Counts,
    /// Answers that came within the measured seconds, per second.
    pub answered_per_second: u64,
    /// From the scheduled request to the answer.
    pub to_answer: Latency,
    /// From the scheduled request to its sending: how late the generator was.
    pub to_launch: Latency,
    /// Whether every query had a whole answer.
    pub valid: bool,
}

impl Shown for GraphReport {
    fn text(&self, paint: Paint) -> String {
        let head = self
            .asked
            .fields()
            .field("accounts", grouped_size(self.accounts))
            .field("in flight", format!("at most {}", self.asked.in_flight_max))
            .field("query", self.query);
        let counts = &self.measured;
        let answered = format!(
            "{}  {} per second",
            grouped(counts.accepted),
            grouped(self.answered_per_second)
        );
        let body = Fields::new()
            .field("requested", grouped(counts.requested))
            .field("answered", Cell::new(Tone::Strong, answered));
        let latencies = latency_table([
            ("request to answer", &self.to_answer),
            ("late in sending", &self.to_launch),
        ]);
        let sum = format!(
            "requested {}, answered {}",
            grouped(counts.requested),
            grouped(counts.accepted)
        );
        sections(&[
            self.conditions.fields(head).render(paint),
            by_code(body, counts).render(paint),
            latencies.render(paint),
            verdict(paint, self.valid, &sum),
        ])
    }
}
