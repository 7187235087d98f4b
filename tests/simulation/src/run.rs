//! One run: founded, troubled, left alone until quiet, redriven, asked once more, examined.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::checks::{examine, left_open};
use crate::city::City;
use crate::ending::all_well;
use crate::executor::{Stepped, WORLD};
use crate::plan::{Plan, QUIET_WITHIN};
use crate::planted::Bug;
use crate::trace::Trace;
use crate::workload::{begin, found, reconcile, redrive};
use crate::world::World;

/// Steps after which a run counts as one that never ends.
const STEPS_MAX: u64 = 20_000_000;
/// How often it is looked whether all is quiet.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How a seed is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the story.
    pub with_story: bool,
    /// Plant this bug.
    pub bug: Option<Bug>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is wrong, if anything.
    pub failure: Option<String>,
    /// The story, one line per step, if it was asked for.
    pub story: Vec<String>,
    /// Fingerprint of every step.
    pub digest: u64,
    /// Simulated time that passed.
    pub time: Duration,
    /// Steps of the scheduler.
    pub steps: u64,
    /// Transfers between banks that were ordered.
    pub transfers: usize,
    /// Of those, how many were completed.
    pub completed: usize,
    /// What happened that runs are there to make happen, and how often: states, reasons, refusals,
    /// crashes by their place.
    pub reached: BTreeMap<String, u64>,
}

/// Runs one seed.
pub fn run(seed: u64, options: Options) -> Outcome {
    let driver = Driver::founded(seed, options);
    driver.drive();
    driver.outcome()
}

/// What a panic says.
fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words")
}

struct Driver {
    city: Arc<City>,
}

impl Driver {
    /// A world in which nothing has happened yet.
    fn founded(seed: u64, options: Options) -> Self {
        let trace = if options.with_story { Trace::listening() } else { Trace::default() };
        let world = World::new(seed, Plan::of(seed), options.bug, trace);
        world.say(WORLD, "plan", || format!("seed {seed}"));
        for words in world.plan.words() {
            world.say(WORLD, "plan", || words);
        }
        if let Some(bug) = options.bug {
            world.tell(WORLD, || format!("a bug is planted: {}", bug.name()));
        }
        let city = City::new(&world);
        world.tell(WORLD, || format!("the clock of the broker is {}", city.log.clock().words()));
        city.journal().at_work += 1;
        city.open();
        if !world.plan.is_founded_in_peace {
            begin(&city);
        }
        let founding = Arc::clone(&world).speaking("founder".to_owned(), found(Arc::clone(&city)));
        world.executor.spawn(WORLD, founding);
        Self { city }
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.city.world.executor.now())
    }

    /// Steps until that time, or until something is wrong.
    fn until(&self, time: Duration) -> bool {
        let world = &self.city.world;
        while self.now() < time {
            if world.executor.step() == Stepped::Dead {
                world.fail("nobody will ever do anything again");
            }
            if world.executor.steps() > STEPS_MAX {
                world.fail("it never ends");
            }
            if world.is_over() {
                return false;
            }
        }
        true
    }

    /// Steps until all is quiet: customers are done, and what they began has come to an end.
    fn until_quiet(&self) -> bool {
        let since = self.now();
        loop {
            let open = left_open(&self.city);
            if open.is_empty() {
                return true;
            }
            if self.now() > since + QUIET_WITHIN {
                let what = open.join("; ");
                let minutes = QUIET_WITHIN.as_secs() / 60;
                self.city.world.fail(format!("not quiet after {minutes} minutes: {what}"));
                return false;
            }
            if !self.until(self.now() + LOOK_EVERY) {
                return false;
            }
        }
    }

    /// Drives the run to its end. Whatever panics, the code under test or a check, fails it: its
    /// seed and its story are told as those of any other failure.
    fn drive(&self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.pass_through())) {
            self.city.world.fail(format!("a panic: {}", words_of(&*panic)));
        }
    }

    fn pass_through(&self) {
        let world = &self.city.world;
        let faults = world.plan.faults;
        while world.plan.is_founded_in_peace && !self.city.journal().is_founded {
            if !self.until(self.now() + LOOK_EVERY) {
                return;
            }
        }
        if world.plan.is_founded_in_peace {
            begin(&self.city);
        }
        if !self.until(self.now() + faults) {
            return;
        }
        self.city.mend();
        if !self.until_quiet() {
            return;
        }
        world.say(WORLD, "quiet", || "all is quiet; dead letters are redriven".to_owned());
        if redrive(&self.city) > 0 && !self.until_quiet() {
            return;
        }
        world.say(WORLD, "again", || "every order is given once more".to_owned());
        self.city.journal().at_work += 1;
        let again = reconcile(Arc::clone(&self.city));
        let again = Arc::clone(world).speaking("once more".to_owned(), again);
        world.executor.spawn(WORLD, again);
        if !self.until_quiet() {
            return;
        }
        let finding = examine(&self.city);
        if finding.is_ok() && !world.is_over() {
            world.tell(WORLD, || all_well(&self.city));
        }
        world.judge(finding);
    }

    fn outcome(self) -> Outcome {
        let world = Arc::clone(&self.city.world);
        let (transfers, completed) = self.city.transfers.look(|it| {
            let all = it.tables.transfers.values();
            let completed = all.clone().filter(|it| it.standing().state.as_str() == "completed");
            (all.count(), completed.count())
        });
        let outcome = Outcome {
            failure: world.failure(),
            digest: world.trace.digest(),
            story: world.trace.take_lines(),
            time: self.now(),
            steps: world.executor.steps(),
            transfers,
            completed,
            reached: world.oracle().take_reached(),
        };
        world.executor.clear();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_fails_its_seed_and_its_story_is_told() {
        let driver = Driver::founded(1, Options { with_story: true, bug: None });
        let executor = driver.city.world.executor.clone();
        let later = executor.sleep(Duration::from_secs(1));
        executor.spawn(WORLD, async move {
            later.await;
            panic!("a sum of {} centavos overflows", i64::MAX);
        });
        driver.drive();
        let outcome = driver.outcome();
        let failure = outcome.failure.unwrap();
        assert!(failure.starts_with("a panic: a sum of 9223"), "{failure}");
        assert!(outcome.story.last().unwrap().contains("WRONG: a panic"), "{:?}", outcome.story);
        assert!(outcome.time >= Duration::from_secs(1));
    }
}
