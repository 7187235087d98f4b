//! Versions of an account: which is the newest, and which never arrived.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use shared_kernel::domain::Violation;

/// The version of an account after one of its events: 1 is the opening, each event adds 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountVersion(i64);

impl AccountVersion {
    /// The opening.
    pub const FIRST: Self = Self(1);

    /// A version as an envelope carries it.
    ///
    /// # Errors
    /// `account_version_range` below 1.
    pub fn new(number: i64) -> Result<Self, Violation> {
        let version = Self(number);
        if version >= Self::FIRST {
            Ok(version)
        } else {
            let message = format!("the version of an account must be 1 or more, not {number}");
            Err(Violation::invalid("account_version_range", "aggregate_version", message))
        }
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// Versions below the newest whose event has not arrived, as separate ranges.
///
/// The events of an account are one order on the log and each is sent until it is acknowledged,
/// so it is empty but for a moment, or after a dead letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingVersions(BTreeMap<i64, i64>);

impl MissingVersions {
    /// Those of an account whose first event to arrive has this version.
    pub fn before(version: AccountVersion) -> Self {
        let mut missing = Self::default();
        missing.skip(1..=version.0.saturating_sub(1));
        missing
    }

    /// Those that were stored as ranges.
    pub fn from_ranges(ranges: impl IntoIterator<Item = RangeInclusive<i64>>) -> Self {
        let mut missing = Self::default();
        for range in ranges {
            missing.skip(range);
        }
        missing
    }

    /// The ranges, lowest first; no two touch.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<i64>> {
        self.0.iter().map(|(first, last)| *first..=*last)
    }

    /// Whether every event has arrived.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An event came that is newer by more than one.
    pub(super) fn between(&mut self, older: AccountVersion, newer: AccountVersion) {
        self.skip(older.0.saturating_add(1)..=newer.0.saturating_sub(1));
    }

    /// An event came late; false when it had come before.
    pub(super) fn fill(&mut self, version: AccountVersion) -> bool {
        let AccountVersion(version) = version;
        let below = self.0.range(..=version).next_back().map(|(first, last)| (*first, *last));
        let Some((first, last)) = below.filter(|(_, last)| version <= *last) else {
            return false;
        };
        self.0.remove(&first);
        self.skip(first..=version.saturating_sub(1));
        self.skip(version.saturating_add(1)..=last);
        true
    }

    fn skip(&mut self, range: RangeInclusive<i64>) {
        if !range.is_empty() {
            self.0.insert(*range.start(), *range.end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: i64) -> AccountVersion {
        AccountVersion::new(number).unwrap()
    }

    fn ranges(missing: &MissingVersions) -> Vec<(i64, i64)> {
        missing.ranges().map(RangeInclusive::into_inner).collect()
    }

    #[test]
    fn a_version_is_one_or_more() {
        for number in [0, -1, i64::MIN] {
            let broken = AccountVersion::new(number).unwrap_err();
            assert_eq!(broken.code(), "account_version_range");
        }
        assert_eq!(version(1), AccountVersion::FIRST);
        assert_eq!(version(i64::MAX).number(), i64::MAX);
    }

    #[test]
    fn late_events_close_a_gap_from_every_side() {
        let mut missing = MissingVersions::before(version(7));
        assert_eq!(ranges(&missing), [(1, 6)]);
        assert!(missing.fill(version(3)));
        assert_eq!(ranges(&missing), [(1, 2), (4, 6)]);
        assert!(missing.fill(version(1)) && missing.fill(version(6)));
        assert_eq!(ranges(&missing), [(2, 2), (4, 5)]);
        assert!(!missing.fill(version(6)) && !missing.fill(version(7)));
        for late in [2, 5, 4] {
            assert!(missing.fill(version(late)));
        }
        assert!(missing.is_empty());
    }

    #[test]
    fn a_leap_is_a_gap_and_a_step_is_none() {
        let mut missing = MissingVersions::before(version(1));
        missing.between(version(1), version(2));
        assert!(missing.is_empty());
        missing.between(version(2), version(i64::MAX));
        assert_eq!(ranges(&missing), [(3, i64::MAX - 1)]);
        assert_eq!(MissingVersions::from_ranges(missing.ranges()), missing);
    }
}
