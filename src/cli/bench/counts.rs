//! What became of the requests.

use std::collections::BTreeMap;

use serde::Serialize;

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Both banks have posted it.
    Completed,
    /// Refused by the hub or the payee's bank.
    Rejected,
    /// Not accepted in time.
    Expired,
}

/// Requests by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Sent.
    pub requested: u64,
    /// Taken by the bank.
    pub accepted: u64,
    /// Completed at both banks.
    pub completed: u64,
    /// Rejected by the hub or the payee's bank.
    pub rejected: u64,
    /// Expired.
    pub expired: u64,
    /// Accepted, and not final after the wait: lost.
    pub lost: u64,
    /// Refused by the bank, by stable code.
    pub refused: BTreeMap<String, u64>,
    /// Never answered, by stable code; each was repeated with its own key until time was up.
    pub unanswered: BTreeMap<String, u64>,
}

/// One more.
pub(super) const fn bump(count: &mut u64) {
    *count = count.saturating_add(1);
}

impl Counts {
    /// Notes how an accepted transfer ended.
    pub(super) const fn end(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Completed => bump(&mut self.completed),
            Outcome::Rejected => bump(&mut self.rejected),
            Outcome::Expired => bump(&mut self.expired),
        }
    }

    /// Refused, over all codes.
    pub fn refused_total(&self) -> u64 {
        self.refused.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Never answered, over all codes.
    pub fn unanswered_total(&self) -> u64 {
        self.unanswered.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Accepted transfers that became final.
    pub fn final_total(&self) -> u64 {
        self.completed.saturating_add(self.rejected).saturating_add(self.expired)
    }

    /// Whether every accepted transfer has an end and every request an answer.
    pub fn is_valid(&self) -> bool {
        let answered = self.accepted.saturating_add(self.refused_total());
        self.lost == 0
            && self.accepted == self.final_total()
            && self.unanswered_total() == 0
            && self.requested == answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        let mut counts = Counts { requested: 5, accepted: 4, ..Counts::default() };
        counts.refused.insert("insufficient_funds".to_owned(), 1);
        for outcome in [Outcome::Completed, Outcome::Completed, Outcome::Rejected, Outcome::Expired]
        {
            counts.end(outcome);
        }
        counts
    }

    #[test]
    fn every_accepted_transfer_has_an_end() {
        assert!(counts().is_valid());
        assert!(Counts::default().is_valid());
    }

    #[test]
    fn what_is_lost_twice_counted_or_unanswered_is_not_valid() {
        assert!(!Counts { lost: 1, completed: 1, ..counts() }.is_valid());
        assert!(!Counts { completed: 3, ..counts() }.is_valid());
        let mut silent = Counts { requested: 6, ..counts() };
        assert!(!silent.is_valid());
        silent.unanswered.insert("answer_lost".to_owned(), 1);
        assert!(!silent.is_valid());
    }
}
