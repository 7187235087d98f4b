//! What the words of `codepix replay` do.

use std::process::ExitCode;
use std::sync::Arc;

use balances::infrastructure::replay::{Gauge, Mode, Outcome, Replay};
use shared_kernel::application::stop::stop_pair;
use tokio::time::Instant;

use super::command::{ReplayBalances, ReplayCommand};
use super::draw::watched;
use super::view::ReplayView;
use crate::cli::embedded::find_servers;
use crate::cli::output::Output;
use crate::cli::serve::interrupted;
use crate::config::ContextName;

/// Runs `codepix replay`: exit code 0 when the rebuild was swapped, equal or looked at.
///
/// # Errors
/// When database or log do not answer, or a rebuild cannot be.
pub async fn run(command: ReplayCommand, output: &Output) -> anyhow::Result<ExitCode> {
    let ReplayCommand::Balances(ReplayBalances { mut servers, until, dry_run, force, restart }) =
        command;
    find_servers(&mut servers);
    let mode = match until {
        Some(until) => Mode::Until(until),
        None if dry_run => Mode::Compare,
        None => Mode::Swap { force },
    };
    let gauge = Arc::new(Gauge::default());
    let (handle, stop) = stop_pair();
    let database = servers.database(ContextName::Balances)?;
    let replay = Replay::new(&database, servers.kafka()?, Arc::clone(&gauge), stop)?
        .with_wallet_core(servers.wallet_core());
    let listening = tokio::spawn(async move {
        interrupted().await;
        handle.stop();
        // Dropped, the handle would cut off what nobody interrupted.
        std::future::pending::<()>().await;
    });
    let began = Instant::now();
    let report = watched(Arc::clone(&gauge), *output, Box::pin(replay.run(mode, restart))).await;
    listening.abort();
    let report = report?;
    output.show(&ReplayView::of(&report, &gauge.reading(), began.elapsed()))?;
    Ok(match report.outcome {
        Outcome::Swapped | Outcome::Equal | Outcome::Past => ExitCode::SUCCESS,
        Outcome::Differs | Outcome::Stopped | Outcome::Abandoned => ExitCode::FAILURE,
    })
}
