//! What a replay found, for people and programs.

use std::time::Duration;

use balances::infrastructure::replay::{Comparison, Outcome, Reading, Report, Summary};
use serde::Serialize;

use crate::cli::output::{Cell, Fields, Paint, Shown, Tone, age, money};

/// A side as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct SideView {
    digest: String,
    accounts: u64,
    entries: u64,
    transfers: u64,
    /// Words of programs beside the hub.
    external: u64,
    available_centavos: i64,
    held_centavos: i64,
}

impl From<&Summary> for SideView {
    fn from(summary: &Summary) -> Self {
        Self {
            digest: summary.digest.to_string(),
            accounts: summary.accounts,
            entries: summary.entries,
            transfers: summary.transfers,
            external: summary.external,
            available_centavos: summary.available.centavos(),
            held_centavos: summary.held.centavos(),
        }
    }
}

impl SideView {
    fn fields(&self, name: &str, fields: Fields) -> Fields {
        let Self { digest, accounts, entries, transfers, external, .. } = self;
        let Self { available_centavos, held_centavos, .. } = self;
        let holds = format!(
            "{accounts} accounts, {entries} entries, {transfers} transfers, {external} external"
        );
        let (available, held) = (money(*available_centavos), money(*held_centavos));
        fields
            .field(name, holds)
            .field("  money", format!("{available} available, {held} held"))
            .field("  digest", digest.as_str())
    }
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ReplayView {
    outcome: &'static str,
    /// Events that were read by this run.
    events: u64,
    /// Events of a former run that it went on with.
    resumed: u64,
    /// Records that no read side takes.
    set_aside: u64,
    took_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<SideView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebuilt: Option<SideView>,
    differing_accounts: u64,
    /// The first of them.
    differing: Vec<String>,
    #[serde(skip)]
    is_equal: bool,
    #[serde(skip)]
    verdict: Outcome,
}

impl ReplayView {
    /// Of a report, with what the gauge showed at its end.
    pub(super) fn of(report: &Report, reading: &Reading, took: Duration) -> Self {
        let comparison = report.comparison.as_ref();
        let rebuilt = comparison.map(|it| &it.rebuilt).or(report.past.as_ref());
        Self {
            outcome: report.outcome.as_str(),
            events: reading.done.saturating_sub(reading.resumed),
            resumed: reading.resumed,
            set_aside: reading.set_aside,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            live: comparison.map(|it| (&it.live).into()),
            rebuilt: rebuilt.map(Into::into),
            differing_accounts: comparison.map_or(0, |it| it.differing),
            differing: comparison
                .map(|it| it.named.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            is_equal: comparison.is_none_or(Comparison::is_equal),
            verdict: report.outcome,
        }
    }

    fn sentence(&self) -> (Tone, &'static str) {
        match self.verdict {
            Outcome::Swapped if self.is_equal => {
                (Tone::Good, "the rebuild was equal and is the live side now")
            }
            Outcome::Swapped => (Tone::Good, "the rebuild is the live side now"),
            Outcome::Equal => (Tone::Good, "the rebuild is equal to the live side"),
            Outcome::Differs => (
                Tone::Bad,
                "the rebuild differs from the live side, which stays, and is dropped. Run it once \
                 more with --restart; if it differs again, --force puts a new one in its place",
            ),
            Outcome::Past => (Tone::Good, "this is the side as of that time; nothing was changed"),
            Outcome::Stopped => (Tone::Faint, "cut off; the next run goes on where this one was"),
            Outcome::Abandoned => (Tone::Faint, "cut off; nothing of it is kept"),
        }
    }
}

impl Shown for ReplayView {
    fn text(&self, paint: Paint) -> String {
        let (tone, sentence) = self.sentence();
        let took = age(Duration::from_millis(self.took_ms));
        let mut fields = Fields::new().field("events", format!("{} in {took}", self.events));
        if self.resumed > 0 {
            fields = fields.field("gone on from", self.resumed.to_string());
        }
        if self.set_aside > 0 {
            fields = fields.field("dead letters", self.set_aside.to_string());
        }
        if let Some(live) = &self.live {
            fields = live.fields("live", fields);
        }
        if let Some(rebuilt) = &self.rebuilt {
            fields = rebuilt.fields("rebuilt", fields);
        }
        if self.differing_accounts > 0 {
            let differing = format!("{} accounts", self.differing_accounts);
            fields = fields.field("differing", Cell::new(Tone::Bad, differing));
            fields = fields.field("  first", self.differing.join(" "));
        } else if !self.is_equal {
            let differing = "no account: transfers, or what other programs said";
            fields = fields.field("differing", Cell::new(Tone::Bad, differing));
        }
        format!("{}\n{}", paint.tint(tone, sentence), fields.render(paint))
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::{AccountId, Digest, Money};

    use super::*;

    fn summary(content: &[u8]) -> Summary {
        Summary {
            digest: Digest::of(&[content]),
            accounts: 2,
            entries: 5,
            transfers: 1,
            external: 0,
            available: Money::from_centavos(12_345),
            held: Money::ZERO,
        }
    }

    fn view(outcome: Outcome, differing: u64) -> ReplayView {
        let named = vec![AccountId::parse("6e4635ce-88d1-4e58-9597-d13fc446ee47").unwrap()];
        let comparison =
            Comparison { live: summary(b"a"), rebuilt: summary(b"b"), differing, named };
        let report = Report { outcome, comparison: Some(comparison), past: None };
        let reading = Reading { done: 30, resumed: 10, total: 30, ..Reading::default() };
        ReplayView::of(&report, &reading, Duration::from_secs(61))
    }

    #[test]
    fn a_difference_names_its_accounts_and_what_would_swap() {
        let text = view(Outcome::Differs, 1).text(Paint::new(false));
        let (again, force) = (text.find("--restart"), text.find("--force"));
        assert!(again.is_some() && again < force, "{text}");
        for part in ["--force", "20 in 1m 1s", "6e4635ce-88d1", "BRL 123.45 available"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn sides_that_differ_beside_their_accounts_are_not_called_equal() {
        let text = |outcome| view(outcome, 0).text(Paint::new(false));
        assert!(text(Outcome::Differs).contains("no account: transfers"));
        assert!(!text(Outcome::Swapped).contains("was equal"));
    }

    #[test]
    fn a_replay_is_one_json_document() {
        let json = serde_json::to_value(view(Outcome::Swapped, 0)).unwrap();
        assert_eq!((&json["outcome"], &json["resumed"]), (&"swapped".into(), &10.into()));
        assert_eq!(json["rebuilt"]["entries"], 5);
        assert_ne!(json["live"]["digest"], json["rebuilt"]["digest"]);
    }
}
