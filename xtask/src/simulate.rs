//! Seeds in parallel with a progress bar, or one seed with its story.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anstream::println;
use anyhow::bail;
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use simulation::{Bug, Options, Outcome};

/// What to run.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("runs").args(["seed", "seeds"]).multiple(true)))]
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
    /// Plant this bug in the simulated adapters, to see how it is found.
    /// `help` lists their names.
    #[arg(long, requires = "runs", value_parser = planted)]
    bug: Option<Bug>,
}

/// The bug of that name.
fn planted(name: &str) -> Result<Bug, String> {
    let found = Bug::ALL.into_iter().find(|bug| bug.name() == name);
    found.ok_or_else(|| format!("the bugs are {}", Bug::ALL.map(Bug::name).join(", ")))
}

/// How a bug is asked for again.
fn asked(bug: Option<Bug>) -> String {
    bug.map(|bug| format!(" --bug {}", bug.name())).unwrap_or_default()
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
        Some(seed) => one(seed, Options { with_story: arguments.trace, bug: arguments.bug }),
        None => many(arguments),
    }
}

fn one(seed: u64, options: Options) -> anyhow::Result<()> {
    let outcome = simulation::run(seed, options);
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
                    let options = Options { bug: arguments.bug, ..Options::default() };
                    let outcome = simulation::run(seed, options);
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
            "{} of them failed; the story of the first: \
             cargo xtask simulate --seed {seed} --trace{}",
            failures.len(),
            asked(arguments.bug)
        ),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parsed(line: &str) -> Result<Arguments, String> {
        let words = std::iter::once("simulate").chain(line.split_whitespace());
        let parsed = Line::try_parse_from(words);
        parsed.map(|it| it.arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn every_bug_is_asked_for_by_its_name_for_one_seed_or_for_many() {
        for bug in Bug::ALL {
            for runs in ["--seed 3 --trace", "--seeds 100 --until-failure"] {
                let arguments = parsed(&format!("{runs}{}", asked(Some(bug)))).unwrap();
                assert_eq!(arguments.bug, Some(bug));
            }
        }
        assert_eq!(parsed("--bug no-row-locks --seed 3").unwrap().bug, Some(Bug::NoRowLocks));
    }

    #[test]
    fn a_bug_is_planted_only_where_seeds_are_named_and_unknown_ones_list_the_known() {
        assert!(parsed("--bug no-row-locks").unwrap_err().contains("--seed"));
        let listed = parsed("--bug help --seed 3").unwrap_err();
        assert!(Bug::ALL.iter().all(|bug| listed.contains(&bug.name())), "{listed}");
        assert_eq!(parsed("").unwrap().bug, None);
    }
}
