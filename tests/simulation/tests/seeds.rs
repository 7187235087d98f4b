//! The hub under a fixed set of seeds: whatever goes wrong, money is where it was promised to be.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use simulation::{Options, run};

/// Seeds that every run of the tests goes through.
const SEEDS: u64 = 2_000;

/// What the fixed seeds must have come by, all together: every end of a transfer with its reasons,
/// refusals that only some circumstance brings about, and deaths where it matters. A workload that
/// stops reaching one of these proves nothing of it any more.
const REACHED: [&str; 81] = [
    "hub: completed",
    "hub: expired AB03",
    "hub: rejected AC06",
    "hub: rejected AC07",
    "hub: rejected AM04",
    "hub: rejected BE01",
    "hub: rejected ED05",
    "hub: overdue",
    "hub: contradicted",
    "payer's bank: settled",
    "payer's bank: rejected AC06",
    "payer's bank: rejected AM04",
    "payer's bank: rejected ED05",
    "payer's bank: expired AB03",
    "payee's bank: credited",
    "payee's bank: cancelled AB03",
    "payee's bank: refused AC06",
    "payee's bank: refused AC07",
    "payee's bank: refused BE01",
    "done: close",
    "done: limit",
    "done: open",
    "done: pay account",
    "done: remove",
    "done: resolve",
    "refused: close, account_has_open_transfers",
    "refused: close, account_not_found",
    "refused: deposit, idempotency_key_reused",
    "refused: enrol, operator_only",
    "refused: open, caller_may_not_act_for_bank",
    "refused: open, idempotency_key_reused",
    "refused: pay, account_closed",
    "refused: pay, account_not_found",
    "refused: pay, idempotency_key_reused",
    "refused: pay, insufficient_funds",
    "refused: pay, key_not_found",
    "refused: pay, limit_per_day_exceeded",
    "refused: pay, limit_per_transfer_exceeded",
    "refused: pay, payee_account_blocked",
    "refused: pay account, idempotency_key_reused",
    "refused: pay account, insufficient_funds",
    "refused: pay account, payee_account_unknown",
    "refused: register, idempotency_key_reused",
    "refused: register, key_already_registered",
    "refused: register, key_owned_by_another_person",
    "refused: remove, account_not_found",
    "refused: remove, idempotency_key_reused",
    "refused: remove, key_not_found",
    "refused: resolve, hand_over_not_sent",
    "refused: resolve, transfer_not_overdue",
    "refused: withdraw, idempotency_key_reused",
    "set aside: event_misdirected",
    "set aside: handling_failed",
    "set aside: handling_panicked",
    "set aside: order_content_differs",
    "set aside: order_unknown",
    "set aside: report_before_confirmation",
    "set aside: report_without_confirmation",
    "killed after a commit",
    "killed after it committed hand-overs",
    "killed after it removed what it handed over",
    "killed after it removed what it sent",
    "killed after it took the line of hand-overs over",
    "killed at any time",
    "killed before a commit",
    "killed before it asks the directory",
    "killed before it commits hand-overs",
    "killed before it reads the log",
    "killed before it removes what it handed over",
    "killed before it removes what it sent",
    "killed before it reports its offsets",
    "killed before it sends a hand-over",
    "killed before it takes the line of hand-overs over",
    "killed before it writes to the log",
    "killed before the log's acknowledgement reaches it",
    "killed in the middle of a write to the log",
    "expelled while it stands still",
    "stopped gracefully",
    "a group has spoken while a member takes its partitions up",
    "the log refuses a hand-over",
    "the log refuses a record",
];

#[test]
fn two_thousand_worlds_lose_and_double_nothing() {
    let next = AtomicU64::new(1);
    let work = || {
        let (mut failures, mut reached) = (Vec::new(), BTreeMap::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > SEEDS {
                return (failures, reached);
            }
            let outcome = run(seed, Options::default());
            failures.extend(outcome.failure.map(|failure| format!("seed {seed}: {failure}")));
            for (what, times) in outcome.reached {
                *reached.entry(what).or_insert(0) += times;
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (mut failures, mut reached) = (Vec::new(), BTreeMap::<String, u64>::new());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (failed, came_by) = thread.join().unwrap();
            failures.extend(failed);
            for (what, times) in came_by {
                *reached.entry(what).or_insert(0) += times;
            }
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let missing = REACHED.iter().filter(|what| !reached.contains_key(**what));
    let missing: Vec<&&str> = missing.collect();
    assert!(missing.is_empty(), "never reached: {missing:?}; reached: {reached:#?}");
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

/// Of two equal commands in a batch the second was told what another bank, which gave the same one,
/// was turned away with.
#[test]
fn a_strangers_refusal_is_no_customers_answer() {
    assert_eq!(run(16, Options::default()).failure, None);
}

/// A bank that registered a key for another bank's account was told that the account's participant
/// had not come yet, and so that there is such an account.
#[test]
fn a_stranger_does_not_learn_of_an_account_from_what_it_still_lacks() {
    assert_eq!(run(52_165, Options::default()).failure, None);
}

/// Two consumers answered repeats of one refused order side by side, and equally: neither answer
/// overtakes the other.
#[test]
fn equal_answers_to_a_refused_order_overtake_nothing() {
    assert_eq!(run(63_700, Options::default()).failure, None);
}
