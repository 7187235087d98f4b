//! Reads the command line and hands over to the command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cli::output::Output;
use crate::cli::{
    account, bank, bench, demo, dlq, doctor, embedded, events, health, key, position, replay,
    serve, servers, transfer, up,
};
use crate::client::ClientOptions;
use crate::supervisor;
use crate::telemetry::{self, TelemetryArguments};

/// An instant-payment hub with its banks in one binary.
#[derive(Debug, Parser)]
#[command(name = "codepix", version, about, max_term_width = 100)]
#[command(after_help = "Start here:  codepix demo\nThen:        codepix up, and codepix account, \
    key, transfer … against it")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    telemetry: TelemetryArguments,
    #[command(flatten)]
    client: ClientOptions,
    /// Prints JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts everything, fills in two banks and moves money before your eyes.
    Demo(demo::DemoArguments),
    /// Starts PostgreSQL, Kafka and the hub, and serves until Ctrl-C.
    Up(up::UpArguments),
    /// Serves contexts against the PostgreSQL and Kafka that are named.
    Serve(serve::ServeArguments),
    /// Runs only PostgreSQL and Kafka, or a command beside fresh ones.
    Servers(servers::ServersArguments),
    /// Stops the embedded servers and deletes their data.
    Reset(servers::ResetArguments),
    /// Checks the invariants of money on live data.
    Doctor(doctor::DoctorArguments),
    /// Asks a hub whether it serves.
    Health,
    /// Rebuilds read sides from the log.
    #[command(subcommand)]
    Replay(replay::ReplayCommand),
    /// Lists, shows and redrives dead letters.
    #[command(subcommand)]
    Dlq(dlq::DlqCommand),
    /// Events on the log, as they arrive.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Accounts of the banks.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Participants of the hub.
    #[command(subcommand)]
    Bank(bank::BankCommand),
    /// Pix keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Transfers by Pix key.
    #[command(subcommand)]
    Transfer(transfer::TransferCommand),
    /// Settlement positions of the participants.
    #[command(subcommand)]
    Position(position::PositionCommand),
    /// Measures a running hub with an open loop.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

/// The whole process.
pub fn main() -> ExitCode {
    // Before any runtime or thread: a server's parent-death signal follows the spawning thread.
    if let Some(code) = supervisor::run_hidden(std::env::args_os()) {
        return code;
    }
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli, &output) {
        Ok(code) => code,
        Err(error) => output.fail(&error),
    }
}

fn run(cli: Cli, output: &Output) -> anyhow::Result<ExitCode> {
    // Commands that own processes run without a runtime of their own around them, and are traced
    // nowhere.
    let untraced = TelemetryArguments { otlp_endpoint: None, ..cli.telemetry.clone() };
    let command = match cli.command {
        Command::Servers(arguments) => {
            let _telemetry = telemetry::start(&untraced)?;
            return servers::run(arguments, output);
        }
        Command::Reset(arguments) => {
            let _telemetry = telemetry::start(&untraced)?;
            return servers::reset(&arguments, output);
        }
        command @ (Command::Demo(_)
        | Command::Up(_)
        | Command::Serve(_)
        | Command::Doctor(_)
        | Command::Health
        | Command::Replay(_)
        | Command::Dlq(_)
        | Command::Events(_)
        | Command::Account(_)
        | Command::Bank(_)
        | Command::Key(_)
        | Command::Transfer(_)
        | Command::Position(_)
        | Command::Bench(_)) => command,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let telemetry = {
        let _within = runtime.enter();
        telemetry::start(&cli.telemetry)?
    };
    let code = runtime.block_on(dispatch(command, &cli.client, output));
    drop(telemetry);
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

async fn dispatch(
    command: Command,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(arguments) => return demo::run(arguments, output).await,
        Command::Up(arguments) => up::run(arguments, output).await?,
        Command::Serve(arguments) => serve::run(arguments, output).await?,
        Command::Doctor(arguments) => return doctor::run(arguments, output).await,
        Command::Health => return health::run(client, output).await,
        Command::Replay(command) => return replay::run(command, output).await,
        Command::Dlq(mut command) => {
            embedded::find_kafka(command.kafka_mut());
            dlq::run(command, output).await?;
        }
        Command::Events(mut command) => {
            embedded::find_kafka(command.kafka_mut());
            events::run(command, output).await?;
        }
        Command::Account(command) => account::run(command, client, output).await?,
        Command::Bank(command) => bank::run(command, client, output).await?,
        Command::Key(command) => key::run(command, client, output).await?,
        Command::Transfer(command) => transfer::run(command, client, output).await?,
        Command::Position(command) => position::run(command, client, output).await?,
        Command::Bench(mut command) => {
            if let Some(kafka) = command.kafka_mut() {
                embedded::find_kafka(kafka);
            }
            let touches_a_hub = !matches!(command, bench::BenchCommand::Replay(_));
            let report = bench::run(command, client, output).await?;
            let sound = !touches_a_hub || doctor::check_if_known(output).await?;
            let good = report.is_valid() && sound;
            return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Servers(_) | Command::Reset(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}
