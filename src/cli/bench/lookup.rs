//! `bench lookup`: keys found in the directory, at most so many at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use shared_kernel::domain::Ispb;
use tokio::time::interval;

use super::command::BenchLookup;
use super::conditions::Conditions;
use super::counts::{Counts, bump};
use super::histogram::Latencies;
use super::open_loop::{Arrival, Schedule, Stopwatch, WARM_UP_SECONDS, drive};
use super::report::{Asked, LookupReport, grouped};
use super::setup::{BenchAccount, Hubs, keyed, prepare};
use crate::cli::output::Output;
use crate::client::pix_keys::FindKeyRequest;
use crate::client::{ClientError, ClientOptions, Hub};

/// How often the progress is drawn.
const TICK: Duration = Duration::from_millis(500);
/// Ticks of a second.
const TICKS_PER_SECOND: u64 = 2;
/// A prime far greater than any number of keys: its multiples visit the keys in no visible order.
const STRIDE: u64 = 2_654_435_761;

/// What became of the look-ups so far.
struct Tally {
    measured: Counts,
    answered: u64,
    answered_in_window: u64,
    to_answer: Latencies,
    to_launch: Latencies,
}

/// Prepares and runs the bench.
pub(super) async fn run(
    bench: BenchLookup,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<LookupReport> {
    let load = &bench.load;
    let schedule = Schedule::of(load);
    let hubs = Hubs::connect(client, load.connections).await?;
    let accounts = keyed(&load.banks, bench.keys);
    prepare(&hubs, &accounts, 0, output)
        .await
        .context("the keys of the bench could not be prepared")?;
    let keys: Arc<[String]> = accounts.iter().flat_map(BenchAccount::keys).collect();
    let conditions = Conditions::now(&client.address());
    let tally = Arc::new(Mutex::new(Tally {
        measured: Counts::default(),
        answered: 0,
        answered_in_window: 0,
        to_answer: Latencies::new()?,
        to_launch: Latencies::new()?,
    }));
    let bar = output.progress(schedule.total(), "look-ups");
    let drawing = tokio::spawn(draw(bar.clone(), Arc::clone(&tally)));
    let stopwatch = Stopwatch::start();
    let run = Run {
        hubs,
        keys: Arc::clone(&keys),
        banks: load.banks.clone().into(),
        tally: Arc::clone(&tally),
        schedule,
        stopwatch,
    };
    drive(schedule, stopwatch, bench.in_flight, |arrival| run.clone().look_up(arrival)).await;
    drawing.abort();
    bar.finish_and_clear();
    let seen = lock(&tally);
    Ok(LookupReport {
        asked: Asked {
            rate: load.rate,
            seconds: load.seconds,
            warm_up_seconds: WARM_UP_SECONDS,
            banks: load.banks.iter().map(ToString::to_string).collect(),
            connections: load.connections,
            in_flight_max: bench.in_flight,
        },
        keys: keys.len(),
        conditions,
        answered_per_second: seen
            .answered_in_window
            .checked_div(load.seconds.into())
            .unwrap_or_default(),
        to_answer: seen.to_answer.summary(),
        to_launch: seen.to_launch.summary(),
        valid: seen.measured.requested == seen.measured.accepted,
        measured: seen.measured.clone(),
    })
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The element of a turn.
fn turn<T>(elements: &[T], turn: u64) -> Option<&T> {
    let count = u64::try_from(elements.len()).ok()?;
    elements.get(usize::try_from(turn.checked_rem(count)?).ok()?)
}

/// What every look-up of a run shares.
#[derive(Clone)]
struct Run {
    hubs: Hubs,
    keys: Arc<[String]>,
    banks: Arc<[Ispb]>,
    tally: Arc<Mutex<Tally>>,
    schedule: Schedule,
    stopwatch: Stopwatch,
}

impl Run {
    /// Looks one key up. A look-up is not repeated: what it does not find at once is a failure.
    async fn look_up(self, arrival: Arrival) {
        let key = turn(&self.keys, arrival.index.wrapping_mul(STRIDE));
        let (Some(key), Some(bank), Some(hub)) =
            (key, turn(&self.banks, arrival.index), self.hubs.turn(arrival.index))
        else {
            return;
        };
        let request = FindKeyRequest {
            key: key.clone(),
            requester_ispb: bank.to_string(),
            ..FindKeyRequest::default()
        };
        let launched_us = self.stopwatch.elapsed_us();
        let answer = find(hub, request).await;
        let answered_us = self.stopwatch.elapsed_us();
        let mut tally = lock(&self.tally);
        bump(&mut tally.answered);
        if answer.is_ok() && self.schedule.window_us().contains(&answered_us) {
            bump(&mut tally.answered_in_window);
        }
        if !arrival.is_warm_up {
            tally.measure(arrival, launched_us, answered_us, answer);
        }
    }
}

impl Tally {
    fn measure(
        &mut self,
        arrival: Arrival,
        launched_us: u64,
        answered_us: u64,
        answer: Result<(), ClientError>,
    ) {
        bump(&mut self.measured.requested);
        self.to_launch.record(launched_us.saturating_sub(arrival.due_us));
        self.to_answer.record(answered_us.saturating_sub(arrival.due_us));
        match answer {
            Ok(()) => bump(&mut self.measured.accepted),
            Err(error) => {
                let by_code = if error.may_pass() {
                    &mut self.measured.unanswered
                } else {
                    &mut self.measured.refused
                };
                bump(by_code.entry(error.code().to_owned()).or_default());
            }
        }
    }
}

async fn find(hub: &Hub, request: FindKeyRequest) -> Result<(), ClientError> {
    hub.answer(hub.pix_keys().find_key(request).await).map(drop)
}

/// Draws the progress until the bar is finished.
async fn draw(bar: ProgressBar, tally: Arc<Mutex<Tally>>) {
    let mut tick = interval(TICK);
    let mut before = 0_u64;
    while !bar.is_finished() {
        tick.tick().await;
        let answered = lock(&tally).answered;
        let rate = answered.saturating_sub(before).saturating_mul(TICKS_PER_SECOND);
        before = answered;
        bar.set_position(answered);
        bar.set_message(format!("answered, {}/s", grouped(rate)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_is_looked_up_in_no_visible_order() {
        let keys: Vec<u64> = (0..1_000).collect();
        let visited: Vec<u64> =
            (0..1_000_u64).map(|index| *turn(&keys, index.wrapping_mul(STRIDE)).unwrap()).collect();
        assert_eq!(visited.iter().collect::<BTreeSet<_>>().len(), 1_000);
        assert_ne!(visited[..3], [0, 1, 2]);
    }
}
