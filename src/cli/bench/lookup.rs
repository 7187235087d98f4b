//! `bench lookup`: keys found in the directory, at most so many at once.

use std::sync::Arc;

use anyhow::Context as _;
use shared_kernel::domain::Ispb;

use super::command::BenchLookup;
use super::conditions::Conditions;
use super::open_loop::{Arrival, Schedule, drive};
use super::report::{Asked, LookupReport};
use super::setup::{BenchAccount, Hubs, keyed, prepare};
use super::tally::{Counter, turn};
use crate::cli::output::Output;
use crate::client::pix_keys::FindKeyRequest;
use crate::client::{ClientError, ClientOptions, Hub};

/// A prime far greater than any number of keys: its multiples visit the keys in no visible order.
const STRIDE: u64 = 2_654_435_761;

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
    let bar = output.progress(schedule.total(), "look-ups");
    let counter = Counter::start(schedule)?;
    let drawing = tokio::spawn(counter.clone().draw(bar.clone()));
    let run = Run {
        hubs,
        keys: Arc::clone(&keys),
        banks: load.banks.clone().into(),
        counter: counter.clone(),
    };
    let launch = |arrival| run.clone().look_up(arrival);
    drive(schedule, counter.stopwatch(), bench.in_flight, launch).await;
    drawing.abort();
    bar.finish_and_clear();
    let seen = counter.seen();
    Ok(LookupReport {
        asked: Asked::of(load, bench.in_flight),
        keys: keys.len(),
        conditions,
        answered_per_second: seen.per_second(load.seconds),
        to_answer: seen.to_answer.summary(),
        to_launch: seen.to_launch.summary(),
        valid: seen.is_complete(),
        measured: seen.measured.clone(),
    })
}

/// What every look-up of a run shares.
#[derive(Clone)]
struct Run {
    hubs: Hubs,
    keys: Arc<[String]>,
    banks: Arc<[Ispb]>,
    counter: Counter,
}

impl Run {
    /// Looks one key up.
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
        self.counter.ask(arrival, find(hub, request)).await;
    }
}

async fn find(hub: &Hub, request: FindKeyRequest) -> Result<(), ClientError> {
    hub.answer(hub.pix_keys().find_key(request).await).map(drop)
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
