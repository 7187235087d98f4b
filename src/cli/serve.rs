//! `codepix serve`: contexts against servers that are already there.

use clap::Args;
use serde::Serialize;
use shared_kernel::infrastructure::postgres::pool::without_password;

use crate::cli::output::{Fields, Output, Paint, Shown};
use crate::client::ClientOptions;
use crate::compose::{Addresses, Hub, Listeners};
use crate::config::{ClassicBanks, HubArguments, ServerArguments};
use crate::demo_data::DemoData;
use crate::telemetry;

/// Settings of `codepix serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArguments {
    #[command(flatten)]
    servers: ServerArguments,
    #[command(flatten)]
    hub: HubArguments,
    /// Opens the fixture banks 001 and 002 with their accounts, and John's and Jane's at Wallet
    /// Core's bank.
    #[arg(long, env = "CODEPIX_DEMO_DATA")]
    demo_data: bool,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// A setting that cannot be, a server that does not answer, or a part of the hub that failed.
pub async fn run(arguments: ServeArguments, output: &Output) -> anyhow::Result<()> {
    let ServeArguments { servers, mut hub, demo_data } = arguments;
    hub.demo_data = demo_data;
    let classic = hub.classic.banks.clone().unwrap_or_default();
    let listeners = Listeners::bind(&hub, false).await?;
    let running = Hub::start(&servers, &hub, listeners, telemetry::metrics()?).await?;
    announce(output, running.addresses, &servers)?;
    if demo_data {
        fill_demo_data(&running, classic);
    }
    running.run_until(interrupted()).await
}

/// Where a hub listens and what it stands on.
#[derive(Debug, Serialize)]
struct Announcement {
    grpc: String,
    http: String,
    internal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    balances: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<String>,
    database_url: String,
    kafka_brokers: String,
}

impl Shown for Announcement {
    fn text(&self, paint: Paint) -> String {
        let balances = self.balances.as_ref();
        let balances = balances.map(|it| format!("http://{it}/docs  balances and statements"));
        let graph = self.graph.as_ref();
        let graph = graph.map(|it| format!("http://{it}/graphql  all contexts, with a playground"));
        Fields::default()
            .field_if("graph", graph)
            .field("gRPC", format!("http://{}  native services, health, reflection", self.grpc))
            .field("HTTP", format!("http://{}/docs  health, Wallet Core's API", self.http))
            .field("metrics", format!("http://{}/metrics", self.internal))
            .field_if("balances", balances)
            .field("PostgreSQL", self.database_url.clone())
            .field("Kafka", self.kafka_brokers.clone())
            .render(paint)
    }
}

/// Says where the hub listens: lines for people, one JSON object for programs.
pub(crate) fn announce(
    output: &Output,
    addresses: Addresses,
    servers: &ServerArguments,
) -> anyhow::Result<()> {
    output.show(&Announcement {
        grpc: addresses.grpc.to_string(),
        http: addresses.http.to_string(),
        internal: addresses.internal.to_string(),
        balances: addresses.balances.map(|address| address.to_string()),
        graph: addresses.graph.map(|address| address.to_string()),
        database_url: servers.database_url.as_deref().map(without_password).unwrap_or_default(),
        kafka_brokers: servers.kafka_brokers.clone().unwrap_or_default(),
    })
}

/// A client of this process's own hub.
pub(crate) fn own_client(hub: &Hub) -> ClientOptions {
    let mut address = hub.addresses.grpc;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    ClientOptions { hub: format!("http://{address}"), token: hub.own_token.clone() }
}

/// Fills the demo data in while the hub already serves; `classic` are the banks whose books are
/// to be outside.
pub(crate) fn fill_demo_data(hub: &Hub, classic: ClassicBanks) {
    let client = own_client(hub);
    tokio::spawn(async move {
        match DemoData::fill(&client, &classic, &mut |_step| {}).await {
            Ok(_) => tracing::info!("the demo data are there"),
            Err(error) => tracing::error!(%error, "the demo data could not be written"),
        }
    });
}

/// Resolves when the process is asked to end.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard; use Ctrl-C");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminated => {}
        heard = tokio::signal::ctrl_c() => {
            if let Err(error) = heard {
                tracing::warn!(%error, "Ctrl-C cannot be heard");
            }
        }
    }
}
