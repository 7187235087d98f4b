//! `bench transfers`: money from bank to bank, from the request to the completion on the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use shared_kernel::application::Ids as _;
use shared_kernel::infrastructure::system::SystemIds;
use tokio::time::{Instant, interval, sleep};

use super::command::BenchTransfers;
use super::conditions::Conditions;
use super::finals::Finals;
use super::open_loop::{Arrival, Schedule, Stopwatch, drive};
use super::report::{Asked, TransfersReport, grouped};
use super::setup::{BenchAccount, Hubs, patiently, paying, prepare};
use super::tracker::Tracker;
use crate::cli::output::Output;
use crate::client::banking::RequestTransferRequest;
use crate::client::{ClientError, ClientOptions, Hub};

/// What each transfer moves.
const AMOUNT_CENTAVOS: i64 = 1;
/// How often the progress is drawn.
const TICK: Duration = Duration::from_millis(500);
/// Ticks of a second.
const TICKS_PER_SECOND: u64 = 2;

/// Prepares and runs the bench.
pub(super) async fn run(
    bench: BenchTransfers,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<TransfersReport> {
    let load = &bench.load;
    if load.banks.len() < 2 {
        let sentence = "transfers between banks need two banks or more";
        return Err(ClientError::usage("banks_too_few", "banks", sentence).into());
    }
    let schedule = Schedule::of(load);
    let hubs = Hubs::connect(client, load.connections).await?;
    let finals = Finals::at_the_end(&bench.kafka).await?;
    let accounts: Arc<[BenchAccount]> = paying(&load.banks, bench.accounts).into();
    prepare(&hubs, &accounts, funds(schedule.total(), accounts.len()), output)
        .await
        .context("the accounts of the bench could not be prepared")?;
    let conditions = Conditions::now(&client.address());
    let stopwatch = Stopwatch::start();
    let tracker = Arc::new(Mutex::new(Tracker::new(schedule.window_us())?));
    let following = tokio::spawn(finals.follow(Arc::downgrade(&tracker), stopwatch));
    let bar = output.progress(schedule.total(), "transfers");
    let drawing = tokio::spawn(draw(bar.clone(), Arc::clone(&tracker)));
    let run = Run {
        hubs,
        accounts: Arc::clone(&accounts),
        banks: load.banks.len(),
        id: Arc::from(SystemIds.random().simple().to_string()),
        tracker: Arc::clone(&tracker),
        stopwatch,
    };
    drive(schedule, stopwatch, bench.in_flight, |arrival| run.clone().request(arrival)).await;
    settle(&tracker, Duration::from_secs(bench.wait.into())).await;
    following.abort();
    drawing.abort();
    bar.finish_and_clear();
    let lost_ids = lock(&tracker).give_up();
    let seen = lock(&tracker);
    Ok(TransfersReport {
        asked: Asked::of(load, bench.in_flight),
        accounts: accounts.len(),
        conditions,
        completed_per_second: seen
            .completed_in_window
            .checked_div(load.seconds.into())
            .unwrap_or_default(),
        to_completed: seen.to_completed.summary(),
        to_answer: seen.to_answer.summary(),
        to_launch: seen.to_launch.summary(),
        lost_ids,
        valid: seen.measured.is_valid() && seen.warm_up.is_valid(),
        measured: seen.measured.clone(),
        warm_up: seen.warm_up.clone(),
    })
}

fn lock(tracker: &Mutex<Tracker>) -> MutexGuard<'_, Tracker> {
    tracker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What each account must hold so that no transfer fails for want of money: all that it sends,
/// even if nothing arrives in the meantime, and 10.00 more.
fn funds(transfers: u64, accounts: usize) -> i64 {
    let accounts = u64::try_from(accounts).unwrap_or(1).max(1);
    let each = i64::try_from(transfers.div_ceil(accounts)).unwrap_or(i64::MAX);
    each.saturating_mul(AMOUNT_CENTAVOS).saturating_add(1_000)
}

/// Who pays whom in the transfer `index`: the accounts in turn, each round to other receivers. The
/// banks take turns among the accounts, so that a distance of one bank more than a multiple of
/// their number always leads to another bank.
fn pair(
    index: u64,
    accounts: &[BenchAccount],
    banks: usize,
) -> Option<(&BenchAccount, &BenchAccount)> {
    let (count, banks) = (u64::try_from(accounts.len()).ok()?, u64::try_from(banks).ok()?);
    let (round, sender) = (index.checked_div(count)?, index.checked_rem(count)?);
    let distance = round.checked_mul(banks)?.checked_add(1)?;
    let receiver = sender.checked_add(distance)?.checked_rem(count)?;
    let account = |place: u64| accounts.get(usize::try_from(place).ok()?);
    Some((account(sender)?, account(receiver)?))
}

/// What every request of a run shares.
#[derive(Clone)]
struct Run {
    hubs: Hubs,
    accounts: Arc<[BenchAccount]>,
    banks: usize,
    id: Arc<str>,
    tracker: Arc<Mutex<Tracker>>,
    stopwatch: Stopwatch,
}

impl Run {
    /// Sends one transfer and tells the tracker.
    async fn request(self, arrival: Arrival) {
        let target = pair(arrival.index, &self.accounts, self.banks);
        let (Some((sender, receiver)), Some(hub)) = (target, self.hubs.turn(arrival.index)) else {
            return;
        };
        let request = RequestTransferRequest {
            idempotency_key: format!("bench-{}-{}", self.id, arrival.index),
            account_id: sender.id.to_string(),
            payee_key: receiver.key(0),
            amount_centavos: AMOUNT_CENTAVOS,
            description: String::new(),
        };
        lock(&self.tracker).launched(arrival, self.stopwatch.elapsed_us());
        let answer = patiently(|| order(hub.clone(), request.clone())).await;
        lock(&self.tracker).answered(arrival, answer, self.stopwatch.elapsed_us());
    }
}

/// Orders a transfer; its id.
async fn order(hub: Hub, request: RequestTransferRequest) -> Result<String, ClientError> {
    let answer = hub.answer(hub.banking().request_transfer(request).await)?;
    Ok(answer.transfer.unwrap_or_default().end_to_end_id)
}

/// Waits until every accepted transfer is final, or for so long.
async fn settle(tracker: &Mutex<Tracker>, patience: Duration) {
    let began = Instant::now();
    while lock(tracker).open() > 0 && began.elapsed() < patience {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Draws the progress until the bar is finished.
async fn draw(bar: ProgressBar, tracker: Arc<Mutex<Tracker>>) {
    let mut tick = interval(TICK);
    let mut before = 0_u64;
    while !bar.is_finished() {
        tick.tick().await;
        let (ended, open) = {
            let seen = lock(&tracker);
            (seen.ended(), seen.open())
        };
        let rate = ended.saturating_sub(before).saturating_mul(TICKS_PER_SECOND);
        before = ended;
        bar.set_position(ended);
        bar.set_message(format!("final, {}/s, {open} open", grouped(rate)));
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Ispb;

    use super::*;

    fn banks(count: usize) -> Vec<Ispb> {
        (1..=count).map(|number| Ispb::parse(&format!("{number:08}")).unwrap()).collect()
    }

    #[test]
    fn every_transfer_goes_to_another_bank() {
        for (bank_count, account_count) in [(2, 2), (2, 100), (3, 10), (5, 7)] {
            let accounts = paying(&banks(bank_count), account_count);
            for index in 0..1_000 {
                let (sender, receiver) = pair(index, &accounts, bank_count).unwrap();
                assert_ne!(sender.bank, receiver.bank, "{bank_count} {account_count} {index}");
            }
        }
    }

    #[test]
    fn each_round_has_other_receivers() {
        let accounts = paying(&banks(2), 10);
        let receiver = |index| pair(index, &accounts, 2).unwrap().1.id;
        assert_ne!(receiver(0), receiver(10));
    }

    #[test]
    fn no_account_runs_dry() {
        assert_eq!(funds(100, 10), 1_010);
        assert_eq!(funds(101, 10), 1_011);
        assert_eq!(funds(5, 0), 1_005);
    }
}
