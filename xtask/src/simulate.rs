//! Seeds in parallel with a progress bar, or one seed with its story.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anstream::println;
use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use simulation::{Options, Outcome};

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Stop at the first seed that fails.
    #[arg(long)]
    until_failure: bool,
    /// This seed alone.
    #[arg(long, conflicts_with_all = ["seeds", "from", "until_failure"])]
    seed: Option<u64>,
    /// Tell its story, one line per step.
    #[arg(long, requires = "seed")]
    trace: bool,
}

/// What all runs came to.
#[derive(Debug, Default)]
struct Totals {
    failures: Vec<(u64, String)>,
    time: Duration,
    steps: u64,
    transfers: usize,
    completed: usize,
}

impl Totals {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.time = self.time.saturating_add(outcome.time);
        self.steps = self.steps.saturating_add(outcome.steps);
        self.transfers = self.transfers.saturating_add(outcome.transfers);
        self.completed = self.completed.saturating_add(outcome.completed);
        self.failures.extend(outcome.failure.map(|failure| (seed, failure)));
    }
}

/// Runs what was asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.seed {
        Some(seed) => one(seed, arguments.trace),
        None => many(arguments),
    }
}

fn one(seed: u64, with_story: bool) -> anyhow::Result<()> {
    let outcome = simulation::run(seed, Options { with_story, bug: None });
    for line in &outcome.story {
        println!("{line}");
    }
    let Outcome { time, steps, transfers, completed, digest, .. } = outcome;
    println!(
        "seed {seed}: {} simulated minutes in {steps} steps, {completed} of {transfers} transfers \
         completed, fingerprint {digest:016x}",
        time.as_secs() / 60
    );
    match outcome.failure {
        Some(failure) => bail!("seed {seed}: {failure}"),
        None => Ok(()),
    }
}

fn many(arguments: &Arguments) -> anyhow::Result<()> {
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let end = arguments.from.saturating_add(arguments.seeds);
    let (next, stop) = (AtomicU64::new(arguments.from), AtomicBool::new(false));
    let totals = Mutex::new(Totals::default());
    let bar = ProgressBar::new(arguments.seeds);
    let template = "{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left {msg}";
    bar.set_style(ProgressStyle::with_template(template)?);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let outcome = simulation::run(seed, Options::default());
                    if let Some(failure) = &outcome.failure {
                        bar.suspend(|| println!("seed {seed}: {failure}"));
                        stop.fetch_or(arguments.until_failure, Ordering::Relaxed);
                    }
                    bar.inc(1);
                    totals.lock().unwrap_or_else(PoisonError::into_inner).add(seed, outcome);
                }
            });
        }
    });
    bar.finish_and_clear();
    let Totals { failures, time, steps, transfers, completed } =
        totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{} seeds, {} simulated hours, {steps} steps, {completed} of {transfers} transfers \
         completed",
        bar.position(),
        time.as_secs() / 3_600
    );
    match failures.iter().map(|(seed, _)| *seed).min() {
        None => Ok(()),
        Some(seed) => bail!(
            "{} of them failed; the story of the first: cargo xtask simulate --seed {seed} --trace",
            failures.len()
        ),
    }
}
