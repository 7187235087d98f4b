//! What is asked of every story: people can read it, and one that fails ends with what is wrong.

use simulation::Outcome;

/// Told of no story: what only who wrote the code can read.
const UNREADABLE: [&str; 5] = [" None", "{", "[\"", "centavos", "microseconds"];

/// Whether a line is told in words: no value of a program's own form, `Some(Confirmed)`.
fn is_in_words(line: &str) -> bool {
    let is_form = |pair: &[u8]| pair.ends_with(b"(") && !pair.starts_with(b" ");
    !line.as_bytes().windows(2).any(is_form) && UNREADABLE.iter().all(|piece| !line.contains(piece))
}

/// All of it can be read, and what was rejected has its reason.
#[track_caller]
pub(crate) fn must_be_readable(seed: u64, told: &Outcome) {
    for line in &told.story {
        let has_reason = !line.ends_with("is rejected") && !line.ends_with(": rejected");
        assert!(is_in_words(line) && has_reason, "seed {seed}: {line}");
    }
}

/// The last line says what is wrong, and no other does.
#[track_caller]
pub(crate) fn must_end_with_what_is_wrong(seed: u64, told: &Outcome) {
    let last = told.story.last();
    let is_said = told
        .failure
        .as_ref()
        .zip(last)
        .is_some_and(|(failure, last)| last.ends_with(&format!("WRONG: {failure}")));
    assert!(is_said, "seed {seed}: {last:?}, and wrong is {:?}", told.failure);
    let findings = told.story.iter().filter(|line| line.contains("WRONG: ")).count();
    assert_eq!(findings, 1, "seed {seed}: {last:?}");
    assert!(!told.story.iter().any(|line| line.contains("all is well")), "seed {seed}");
}

#[test]
fn a_line_in_words_is_told_from_one_that_is_not() {
    assert!(is_in_words("hub: E1 is new, 12.34 from 00000001 (AM04: too much)"));
    for line in ["the hub: Some(Confirmed)", "is None", "Intent { payer: 1", "said [\"no\"]"] {
        assert!(!is_in_words(line), "{line}");
    }
}
