//! The hub under a fixed set of seeds: whatever goes wrong, money is where it was promised to be.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use simulation::{Options, run};

/// Seeds that every run of the tests goes through.
const SEEDS: u64 = 2_000;

#[test]
fn two_thousand_worlds_lose_and_double_nothing() {
    let next = AtomicU64::new(1);
    let work = || {
        let mut failures = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > SEEDS {
                return failures;
            }
            let failure = run(seed, Options::default()).failure;
            failures.extend(failure.map(|failure| format!("seed {seed}: {failure}")));
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let failures: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_seed_is_the_same_run_every_time_and_another_seed_another() {
    let fingerprint = |seed| {
        let outcome = run(seed, Options::default());
        (outcome.digest, outcome.steps, outcome.time)
    };
    let first: Vec<_> = (1..=40).map(fingerprint).collect();
    let again: Vec<_> = (1..=40).map(fingerprint).collect();
    assert_eq!(first, again);
    assert!(first.iter().zip(first.iter().skip(1)).all(|(one, other)| one.0 != other.0));
}

#[test]
fn the_story_is_told_and_changes_nothing() {
    let silent = run(7, Options::default());
    let told = run(7, Options { with_story: true, ..Options::default() });
    assert_eq!(told.digest, silent.digest);
    assert!(silent.story.is_empty());
    assert!(told.story.iter().any(|line| line.contains("all is quiet")), "{:?}", told.story);
}
