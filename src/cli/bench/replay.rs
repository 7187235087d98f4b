//! `bench replay`: a read side caught up with, rebuilt, compared, swapped and asked about its past.
//!
//! In a database and under a topic prefix of its own, which are gone afterwards: nothing of a
//! running hub is touched. The events are written straight to the log, in the form in which the
//! banks and the hub publish them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use balances::application::ports::BalancesReads as _;
use balances::domain::AccountVersion;
use balances::infrastructure::postgres::PgBalancesReads;
use balances::infrastructure::replay::{Gauge, Mode, Phase, Replay};
use balances::infrastructure::{BalancesSettings, Running, start, topics};
use shared_kernel::application::LogWriter as _;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::kafka::{KafkaWriter, ensure_topics};
use shared_kernel::infrastructure::postgres::Database;
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::infrastructure::{ContextSettings, Stage};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::command::BenchReplay;
use super::conditions::Conditions;
use super::histogram::Latencies;
use super::replay_events::Story;
use super::replay_report::ReplayBenchReport;
use super::replay_scratch::Scratch;
use crate::cli::embedded::find_servers;
use crate::cli::output::Output;
use crate::cli::replay::watched;

/// Records written to the log at once.
const CHUNK: u64 = 20_000;
/// Pause between two looks at a live side that catches up.
const LOOK: Duration = Duration::from_millis(200);
/// Questions about the past.
const QUESTIONS: u64 = 2_000;

/// Runs the bench and cleans up after it, however it ends.
pub(super) async fn run(
    mut bench: BenchReplay,
    output: &Output,
) -> anyhow::Result<ReplayBenchReport> {
    find_servers(&mut bench.servers);
    let scratch = Scratch::create(&bench.servers).await?;
    let measured = measure(&bench, &scratch, output).await;
    scratch.drop(&topics()).await;
    measured
}

async fn measure(
    bench: &BenchReplay,
    scratch: &Scratch,
    output: &Output,
) -> anyhow::Result<ReplayBenchReport> {
    let conditions = Conditions::now(&scratch.kafka.brokers);
    let story = Story::new(bench.accounts.into(), bench.events);
    ensure_topics(&scratch.kafka, &topics()).await?;
    let records = tell(&story, scratch, output).await?;
    let caught_up = catch_up(&story, scratch, output).await?;
    let gauge = Arc::new(Gauge::default());
    let (_handle, stop) = stop_pair();
    let replay = Replay::new(&scratch.database, scratch.kafka.clone(), Arc::clone(&gauge), stop)?;
    let began = Instant::now();
    let rebuilt = tokio::spawn(until_compared(Arc::clone(&gauge), began));
    let mode = Mode::Swap { force: false };
    let report = watched(Arc::clone(&gauge), *output, Box::pin(replay.run(mode, true))).await?;
    let whole = began.elapsed();
    let rebuilt = rebuilt.await?;
    let comparison = report.comparison.context("the sides were not compared")?;
    let as_of = ask(&story, scratch).await?;
    let took = [caught_up, rebuilt, whole];
    let sizes = (bench.accounts, records);
    Ok(ReplayBenchReport::new(conditions, sizes, &comparison, took, &as_of))
}

/// Writes the events; how many there are.
async fn tell(story: &Story, scratch: &Scratch, output: &Output) -> anyhow::Result<u64> {
    let writer = KafkaWriter::new(&scratch.kafka)?;
    let bar = output.progress(story.events(), "events");
    let mut written = 0_u64;
    let mut next = 0;
    while next < story.events() {
        let chunk = next..next.saturating_add(CHUNK).min(story.events());
        next = chunk.end;
        let records = story.records(chunk, &scratch.kafka.topic_prefix, &SystemIds)?;
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        writer.write(&records).await?;
        written = written.saturating_add(count);
        bar.set_position(next);
    }
    bar.finish_and_clear();
    Ok(written)
}

/// Lets a live side consume everything; how long it took.
async fn catch_up(story: &Story, scratch: &Scratch, output: &Output) -> anyhow::Result<Duration> {
    let (stop_work, work) = stop_pair();
    let (stop_relays, relays) = stop_pair();
    let settings = ContextSettings {
        database: scratch.database.clone(),
        kafka: scratch.kafka.clone(),
        writer: Arc::new(KafkaWriter::new(&scratch.kafka)?),
        callers: Arc::new(Callers::default()),
        outbox_shards: 1,
        stop_work: work,
        stop_relays: relays,
    };
    let began = Instant::now();
    let Running { workers, .. } = start(&settings, BalancesSettings::default()).await?;
    let mut running = JoinSet::new();
    for worker in workers.into_iter().filter(|worker| worker.stage == Stage::Work) {
        running.spawn(worker.run);
    }
    let bar = output.progress(story.events(), "live side");
    let audit = scratch.audit()?;
    loop {
        let (entries, transfers) = audit.size().await?;
        bar.set_position(entries);
        if entries >= story.events() && transfers >= story.transfers() {
            break;
        }
        sleep(LOOK).await;
    }
    let took = began.elapsed();
    bar.finish_and_clear();
    stop_work.stop();
    stop_relays.stop();
    while running.join_next().await.is_some() {}
    Ok(took)
}

/// When everything is rebuilt and only the comparison is left.
async fn until_compared(gauge: Arc<Gauge>, began: Instant) -> Duration {
    while gauge.reading().phase == Phase::Rebuilding {
        sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

/// Asks what accounts were at instants of their lives, one question after the other.
async fn ask(story: &Story, scratch: &Scratch) -> anyhow::Result<Latencies> {
    let reads = PgBalancesReads::new(Database::new(&scratch.database)?);
    let mut latencies = Latencies::new()?;
    for turn in 0..QUESTIONS {
        let (account, at, version) = story.moment(turn);
        let asked = Instant::now();
        let answers = reads.past_states(&[(account, at)]).await?;
        let took = asked.elapsed();
        let state = answers.into_iter().next().flatten().and_then(|past| past.standing);
        let right =
            state.is_some_and(|state| state.version().map(AccountVersion::number) == Some(version));
        anyhow::ensure!(right, "account {account} was not at version {version} at {at}");
        latencies.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
    Ok(latencies)
}
