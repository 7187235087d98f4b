//! The story of a run, and its fingerprint.
//!
//! Every step that matters is told in one line; the fingerprint of all of them is kept whether
//! anybody listens or not, so that two runs of one seed can be compared. The fingerprint is of
//! marks and times, never of words, and lines without a mark only explain what others lead to: how
//! a story is told changes no fingerprint.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is kept of a run.
#[derive(Debug, Default)]
pub(crate) struct Trace(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    digest: u64,
    lines: Option<Vec<String>>,
    is_over: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self { digest: 0xcbf2_9ce4_8422_2325, lines: None, is_over: false }
    }
}

impl Kept {
    fn keep(&mut self, now: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = self.lines.as_mut().filter(|_| !self.is_over) {
            lines.push(format!("{} {}", clock(now), line()));
        }
    }
}

impl Trace {
    /// Keeps the lines too.
    pub(crate) fn listening() -> Self {
        Self(Mutex::new(Kept { lines: Some(Vec::new()), ..Kept::default() }))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something happened at `now` (microseconds): `mark` goes into the fingerprint.
    pub(crate) fn note(&self, now: u64, mark: &str, line: impl FnOnce() -> String) {
        self.mark(now, mark);
        self.add(now, line);
    }

    /// The mark alone.
    pub(crate) fn mark(&self, now: u64, mark: &str) {
        self.with(|kept| {
            let bytes = now.to_be_bytes().into_iter().chain(mark.bytes());
            kept.digest = bytes.fold(kept.digest, |digest, byte| {
                (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        });
    }

    /// Whether lines are kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.with(|kept| kept.lines.is_some() && !kept.is_over)
    }

    /// The story ends: what the same step still leads to is of no interest to anybody.
    pub(crate) fn end(&self) {
        self.with(|kept| kept.is_over = true);
    }

    /// A line that explains, for those who listen: it leaves no mark.
    pub(crate) fn add(&self, now: u64, line: impl FnOnce() -> String) {
        self.with(|kept| kept.keep(now, line));
    }

    pub(crate) fn digest(&self) -> u64 {
        self.with(|kept| kept.digest)
    }

    pub(crate) fn take_lines(&self) -> Vec<String> {
        self.with(|kept| kept.lines.take().unwrap_or_default())
    }
}

/// Simulated time since the beginning, as people read it.
pub(crate) fn clock(micros: u64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let mut text = String::new();
    // Writing to a text cannot fail.
    let written = write!(text, "{:02}:{:02}:{seconds:02}.{micros:06}", minutes / 60, minutes % 60);
    debug_assert!(written.is_ok());
    text
}

/// A length of time, as people say it: no more digits than matter.
pub(crate) fn span(time: Duration) -> String {
    match time.as_micros() {
        0..1_000 => format!("{}µs", time.as_micros()),
        1_000..1_000_000 => format!("{}ms", time.as_millis()),
        _ => format!("{}.{}s", time.as_secs(), time.subsec_millis() / 100),
    }
}

/// A number of things.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_the_same_whether_anybody_listens_or_not() {
        let (silent, listening) = (Trace::default(), Trace::listening());
        for trace in [&silent, &listening] {
            trace.note(1_500_000, "commit", || "hub commits".into());
        }
        assert_eq!(silent.digest(), listening.digest());
        assert_eq!(listening.take_lines(), ["00:00:01.500000 hub commits"]);
        let other = Trace::default();
        other.note(1_500_001, "commit", || "hub commits".into());
        assert_ne!(silent.digest(), other.digest());
    }

    #[test]
    fn a_line_that_explains_is_told_and_leaves_no_mark() {
        let (silent, listening) = (Trace::default(), Trace::listening());
        silent.add(1, || unreachable!("nobody listens"));
        listening.add(2, || "FAULT: a statement fails".into());
        assert_eq!(silent.digest(), listening.digest());
        assert_eq!(listening.take_lines(), ["00:00:00.000002 FAULT: a statement fails"]);
    }

    #[test]
    fn nothing_is_told_once_the_story_has_ended() {
        let trace = Trace::listening();
        trace.add(1, || "WRONG: a sum".into());
        assert!(trace.is_kept());
        trace.end();
        trace.note(2, "commit", || unreachable!("nobody listens any more"));
        assert!(!trace.is_kept());
        assert_eq!(trace.take_lines(), ["00:00:00.000001 WRONG: a sum"]);
        assert_ne!(trace.digest(), Trace::default().digest());
    }

    #[test]
    fn times_and_numbers_are_told_as_people_say_them() {
        let micros = [0, 999, 1_000, 999_999, 1_000_000, 61_250_000];
        let told = micros.map(|micros| span(Duration::from_micros(micros)));
        assert_eq!(told, ["0µs", "999µs", "1ms", "999ms", "1.0s", "61.2s"]);
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(count(2, "row", "rows"), "2 rows");
    }
}
