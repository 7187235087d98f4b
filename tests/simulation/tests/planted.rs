//! The simulator is able to fail: every planted bug is found, within as many seeds as the tests
//! run.

use simulation::{Bug, Options, run};

/// As many as the tests run of sound code.
const SEEDS: u64 = 2_000;

/// The first seed that finds the bug, and what it finds.
fn found(bug: Bug) -> Option<(u64, String)> {
    let options = Options { bug: Some(bug), ..Options::default() };
    (1..=SEEDS).find_map(|seed| Some((seed, run(seed, options).failure?)))
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        match found(bug) {
            Some((seed, failure)) => println!("{bug:?}: seed {seed}: {failure}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
