//! What the words of `codepix bench` do.

use super::command::BenchCommand;
use super::report::BenchReport;
use super::{graph, lookup, replay, transfers};
use crate::cli::output::Output;
use crate::client::ClientOptions;

/// Runs `codepix bench` and prints its report, which is also the answer.
///
/// # Errors
/// [`ClientError`](crate::client::ClientError) when the hub or its Kafka does not answer, or when
/// accounts and keys cannot be prepared. A report that is not valid is no error.
pub async fn run(
    command: BenchCommand,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<BenchReport> {
    let report = match command {
        BenchCommand::Transfers(bench) => {
            BenchReport::Transfers(transfers::run(bench, client, output).await?)
        }
        BenchCommand::Graph(bench) => BenchReport::Graph(graph::run(bench, client, output).await?),
        BenchCommand::Replay(bench) => BenchReport::Replay(replay::run(bench, output).await?),
        BenchCommand::Lookup(bench) => {
            BenchReport::Lookup(lookup::run(bench, client, output).await?)
        }
    };
    output.show(&report)?;
    Ok(report)
}
