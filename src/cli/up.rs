//! `codepix up`: the servers and the hub, until Ctrl-C.

use clap::Args;

use crate::cli::embedded::EmbeddedArguments;
use crate::cli::output::Output;
use crate::cli::serve::{announce, fill_demo_data, interrupted};
use crate::compose::{Hub, Listeners};
use crate::config::{HubArguments, ServerArguments};
use crate::telemetry;

/// Settings of `codepix up`.
#[derive(Args, Clone, Debug)]
pub struct UpArguments {
    #[command(flatten)]
    servers: ServerArguments,
    #[command(flatten)]
    embedded: EmbeddedArguments,
    #[command(flatten)]
    hub: HubArguments,
    /// Starts without the fixture banks 001 and 002, and without John and Jane.
    #[arg(long, env = "CODEPIX_NO_DEMO_DATA")]
    no_demo_data: bool,
}

/// Serves until Ctrl-C or SIGTERM. The servers outlive the hub by a minute.
///
/// # Errors
/// A setting that cannot be, a server that does not start, or a part of the hub that failed.
pub async fn run(arguments: UpArguments, output: &Output) -> anyhow::Result<()> {
    let UpArguments { mut servers, embedded, mut hub, no_demo_data } = arguments;
    hub.demo_data = !no_demo_data;
    let classic = hub.classic.banks.clone().unwrap_or_default();
    let listeners = Listeners::bind(&hub, false).await?;
    let lease = embedded.provide(&mut servers, false, output).await?;
    let running = Hub::start(&servers, &hub, listeners, telemetry::metrics()?).await?;
    announce(output, running.addresses, &servers)?;
    if !no_demo_data {
        fill_demo_data(&running, classic);
    }
    output.remark("Ctrl-C stops the hub; its servers stop a minute after the last one");
    running.run_until(interrupted()).await?;
    drop(lease);
    Ok(())
}
