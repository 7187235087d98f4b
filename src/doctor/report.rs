//! What a look found, in a form for people and programs.

use std::collections::BTreeSet;

use serde::Serialize;

/// Something that should hold and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Stable name of the invariant, e.g. `ledger_unbalanced`.
    pub invariant: &'static str,
    /// What it is about: a transfer, an account, a bank.
    pub subject: String,
    /// One sentence.
    pub sentence: String,
}

impl Finding {
    /// A broken invariant.
    pub fn new(
        invariant: &'static str,
        subject: impl Into<String>,
        sentence: impl Into<String>,
    ) -> Self {
        Self { invariant, subject: subject.into(), sentence: sentence.into() }
    }
}

/// The outcome of an examination.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Transfers of the hub that were compared.
    pub transfers: usize,
    /// Transfers that are not final yet.
    pub open: usize,
    /// Records on their way to the log.
    pub unsent: i64,
    /// Accounts that were compared.
    pub accounts: usize,
    /// Broken invariants.
    pub findings: Vec<Finding>,
    /// Not wrong, but a person should know: unapplied credits, for example.
    pub notes: Vec<String>,
}

impl Report {
    /// True when every invariant holds.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// True when nothing is under way.
    pub fn is_quiet(&self) -> bool {
        self.open == 0 && self.unsent == 0
    }

    /// Keeps only the findings that an earlier look had too.
    #[must_use]
    pub fn confirmed_by(self, earlier: &Self) -> Self {
        let known: BTreeSet<(&str, &str)> = earlier
            .findings
            .iter()
            .map(|finding| (finding.invariant, finding.subject.as_str()))
            .collect();
        let findings = self
            .findings
            .into_iter()
            .filter(|finding| known.contains(&(finding.invariant, finding.subject.as_str())))
            .collect();
        Self { findings, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(subjects: &[&str]) -> Report {
        let findings = subjects.iter().map(|name| Finding::new("broken", *name, "x")).collect();
        Report { findings, ..Report::default() }
    }

    #[test]
    fn only_what_is_still_there_counts() {
        let confirmed = report(&["a", "b"]).confirmed_by(&report(&["b", "c"]));
        assert_eq!(confirmed.findings.len(), 1);
        assert_eq!(confirmed.findings[0].subject, "b");
        assert!(report(&["a"]).confirmed_by(&report(&[])).is_clean());
    }
}
