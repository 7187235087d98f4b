//! `codepix servers` and `codepix reset`: the embedded servers by themselves.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use clap::Args;
use serde::Serialize;

use crate::cli::embedded::EmbeddedArguments;
use crate::cli::output::{Fields, Output, Paint, Shown};
use crate::supervisor::{Endpoints, ensure_running, exit_code, run_with_fresh_servers};

/// Settings of `codepix servers`.
#[derive(Args, Clone, Debug)]
pub struct ServersArguments {
    #[command(flatten)]
    embedded: EmbeddedArguments,
    /// Runs the command beside servers made for it on free ports, which are gone afterwards. It
    /// finds them in `CODEPIX_TEST_DATABASE_URL` and `CODEPIX_TEST_KAFKA_BROKERS`.
    #[arg(long, requires = "command")]
    fresh: bool,
    /// The command, after `--`. Without `--fresh` it finds `DATABASE_URL`, `KAFKA_BROKERS` and
    /// `CODEPIX_KAFKA_REPLICATION`.
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// Settings of `codepix reset`.
#[derive(Args, Clone, Debug)]
pub struct ResetArguments {
    #[command(flatten)]
    embedded: EmbeddedArguments,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

/// What a program needs to know of the servers, as settings of the environment. They are one
/// broker, which cannot keep the copies that a hub asks of a Kafka of others.
fn environment(endpoints: &Endpoints) -> [(&'static str, &str); 3] {
    [
        ("DATABASE_URL", &endpoints.database_url),
        ("KAFKA_BROKERS", &endpoints.kafka_brokers),
        ("CODEPIX_KAFKA_REPLICATION", "1"),
    ]
}

#[derive(Debug, Serialize)]
struct Shows<'a>(&'a Endpoints);

impl Shown for Shows<'_> {
    fn text(&self, paint: Paint) -> String {
        let fields = environment(self.0).into_iter();
        let add = |fields: Fields, (name, value): (_, &str)| fields.field(name, value.to_owned());
        fields.fold(Fields::default(), add).render(paint)
    }
}

/// Runs the servers until Ctrl-C, or until a command that uses them ends.
///
/// # Errors
/// What kept the servers or the command from starting.
pub fn run(arguments: ServersArguments, output: &Output) -> anyhow::Result<ExitCode> {
    let ServersArguments { embedded, fresh, command } = arguments;
    let mut progress = |step: &str| output.remark(step);
    let mut words = command.into_iter();
    let command = words.next().map(|program| {
        let mut command = Command::new(program);
        command.args(words);
        command
    });
    let (fresh, command) = match command {
        Some(command) if fresh => (Some(command), None),
        command => (None, command),
    };
    if let Some(mut command) = fresh {
        let config = embedded.config(true, output)?.on_free_ports();
        let status = run_with_fresh_servers(&config, &mut command, &mut progress)?;
        return Ok(ExitCode::from(exit_code(status)));
    }
    let running = ensure_running(&embedded.config(false, output)?, &mut progress)?;
    if let Some(mut command) = command {
        command.envs(environment(&running.endpoints));
        return Ok(ExitCode::from(exit_code(command.status()?)));
    }
    output.show(&Shows(&running.endpoints))?;
    output.remark("Ctrl-C lets them go; they stop when no hub has used them for a minute");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(crate::cli::serve::interrupted());
    Ok(ExitCode::SUCCESS)
}

/// Stops the servers and deletes their data.
///
/// # Errors
/// A folder that is not ours, or servers that do not stop.
pub fn reset(arguments: &ResetArguments, output: &Output) -> anyhow::Result<ExitCode> {
    let folder = arguments.embedded.folder(output)?;
    let question = format!("Delete all data of the embedded servers in {}?", folder.display());
    if !arguments.yes && output.confirm(&question)? != Some(true) {
        output.remark("nothing was deleted; pass --yes to delete without being asked");
        return Ok(ExitCode::FAILURE);
    }
    let deleted = crate::supervisor::reset(&folder)?;
    let said = if deleted { "deleted" } else { "there was nothing in" };
    output.line(&format!("{said} {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
