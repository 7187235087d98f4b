//! The life of a transfer as lines: one for each state that it entered, with the time it took.

use shared_kernel::domain::Timestamp;

use super::view::{BankTransfer, HubTransfer, ReasonView, state_tone};
use crate::cli::output::{Paint, clock_time};

/// A state that a transfer entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    state: &'static str,
    at: Option<Timestamp>,
    words: String,
}

fn step(state: &'static str, at: Option<Timestamp>, words: impl Into<String>) -> Step {
    Step { state, at, words: words.into() }
}

/// A view that tells which states were entered, in order; a later view repeats the earlier ones.
pub(super) trait LifeCycle {
    /// The states so far.
    fn steps(&self) -> Vec<Step>;

    /// Whether nothing follows.
    fn is_final(&self) -> bool;
}

fn why(reason: Option<&ReasonView>) -> String {
    reason.map_or_else(|| "without a reason".to_owned(), ReasonView::in_words)
}

impl LifeCycle for HubTransfer {
    fn steps(&self) -> Vec<Step> {
        let pending = step("pending", self.registered_at, "the hub asks the payee's bank");
        let confirmed = step("confirmed", self.confirmed_at, "settled between the banks, final");
        let finished = self.finished_at;
        match self.state.as_str() {
            "pending" => vec![pending],
            "confirmed" => vec![pending, confirmed],
            "completed" => {
                let completed = step("completed", finished, "both banks have posted it");
                vec![pending, confirmed, completed]
            }
            // The hub may refuse an order at once, before it asks anyone.
            "rejected" => vec![step("rejected", finished, why(self.reason.as_ref()))],
            "expired" => vec![pending, step("expired", finished, why(self.reason.as_ref()))],
            _ => Vec::new(),
        }
    }

    fn is_final(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "rejected" | "expired")
    }
}

impl LifeCycle for BankTransfer {
    fn steps(&self) -> Vec<Step> {
        let words = match self.direction.as_str() {
            "incoming" => format!("{} are expected", self.amount.in_english()),
            "book" => format!("{} between two accounts of the bank", self.amount.in_english()),
            _ => format!("{} are held, the hub is asked", self.amount.in_english()),
        };
        let requested = step("requested", self.requested_at, words);
        let finished = self.finished_at;
        match self.state.as_str() {
            "requested" => vec![requested],
            "settled" => vec![requested, step("settled", finished, "the money has moved")],
            "rejected" => vec![requested, step("rejected", finished, why(self.reason.as_ref()))],
            "expired" => vec![requested, step("expired", finished, why(self.reason.as_ref()))],
            _ => Vec::new(),
        }
    }

    fn is_final(&self) -> bool {
        matches!(self.state.as_str(), "settled" | "rejected" | "expired")
    }
}

/// Writes each step once, however often its view comes.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    began: Option<Timestamp>,
    written: Vec<&'static str>,
}

impl Timeline {
    /// Lines for the steps that are new.
    pub(super) fn advance(&mut self, view: &impl LifeCycle, paint: Paint) -> Vec<String> {
        let mut lines = Vec::new();
        for step in view.steps() {
            if self.written.contains(&step.state) {
                continue;
            }
            self.written.push(step.state);
            let began = *self.began.get_or_insert(step.at.unwrap_or(Timestamp::EPOCH));
            let time = step.at.map_or_else(|| " ".repeat(12), clock_time);
            let millis = step.at.map_or(0, |at| at.since(began).as_millis());
            let elapsed = format!("+{millis} ms");
            let blanks = " ".repeat(10_usize.saturating_sub(step.state.len()));
            let state = paint.tint(state_tone(step.state), step.state);
            lines.push(format!("{time}  {elapsed:>9}  {state}{blanks}  {}", step.words));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{banking, transfers};

    fn at(micros: i32) -> prost_types::Timestamp {
        let nanos = micros.checked_mul(1_000).unwrap();
        prost_types::Timestamp { seconds: 1_795_178_096, nanos }
    }

    fn hub(state: transfers::TransferState) -> HubTransfer {
        HubTransfer::from(transfers::Transfer {
            state: state.into(),
            registered_at: Some(at(10_000)),
            confirmed_at: Some(at(25_000)),
            finished_at: Some(at(52_000)),
            reason: Some(transfers::Reason {
                code: "AB03".to_owned(),
                sentence: "The transfer was not settled in time.".to_owned(),
            }),
            ..transfers::Transfer::default()
        })
    }

    #[test]
    fn each_state_is_one_line_with_the_time_it_took() {
        let mut timeline = Timeline::default();
        let paint = Paint::new(false);
        let first = timeline.advance(&hub(transfers::TransferState::Pending), paint);
        assert_eq!(first.len(), 1);
        assert!(first[0].contains("+0 ms  pending     the hub asks"), "{first:?}");
        assert!(timeline.advance(&hub(transfers::TransferState::Pending), paint).is_empty());
        let rest = timeline.advance(&hub(transfers::TransferState::Completed), paint);
        assert!(rest[0].contains("+15 ms  confirmed"), "{rest:?}");
        assert!(rest[1].contains("+42 ms  completed   both banks"), "{rest:?}");
    }

    #[test]
    fn a_failure_ends_with_its_reason() {
        let view = hub(transfers::TransferState::Expired);
        assert!(view.is_final());
        let lines = Timeline::default().advance(&view, Paint::new(false));
        assert!(lines[1].ends_with("The transfer was not settled in time. (AB03)"), "{lines:?}");
    }

    #[test]
    fn a_state_of_a_newer_hub_is_not_invented() {
        let view = hub(transfers::TransferState::Unspecified);
        assert!(view.steps().is_empty() && !view.is_final());
    }

    #[test]
    fn the_banks_view_knows_its_direction() {
        let view = |direction: banking::TransferDirection| {
            BankTransfer::from(banking::Transfer {
                direction: direction.into(),
                state: banking::TransferState::Settled.into(),
                amount_centavos: 1_000,
                ..banking::Transfer::default()
            })
        };
        let words = |direction| view(direction).steps()[0].words.clone();
        assert!(words(banking::TransferDirection::Outgoing).starts_with("BRL 10.00 are held"));
        assert!(words(banking::TransferDirection::Incoming).ends_with("are expected"));
        assert!(words(banking::TransferDirection::Book).contains("accounts of the bank"));
    }
}
