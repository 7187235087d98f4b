//! A hub of one test: its own database and topics, its own ports, kill and restart.

use std::process::ExitStatus;

use codepix::client::{ClientOptions, Hub};
use serde::Deserialize;
use shared_kernel::testing::TestServers;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::binary::{Process, command};
use super::{Scene, eventually};

/// Tests that run a hub at the same time: each has dozens of connections to the one `PostgreSQL`.
static ROOM: Semaphore = Semaphore::const_new(2);

/// Lines of the log that a failed test shows.
const LOG_LINES_SHOWN: usize = 80;

/// How a hub is started; the defaults are one process with everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct HubOptions {
    /// Names it in its log.
    pub(crate) name: &'static str,
    /// The contexts of the process; all when empty.
    pub(crate) contexts: &'static str,
    /// The only bank that it hosts; all when empty.
    pub(crate) bank: &'static str,
    /// How long a payee's bank may take; 10 minutes when empty, so that only a test that is about
    /// deadlines meets one.
    pub(crate) deadline: &'static str,
    /// Where the directory is; the process's own when empty.
    pub(crate) pix_keys_url: String,
    /// Who may call; everyone when empty.
    pub(crate) tokens: &'static str,
    /// The token of this test's own calls, and of Banking's to the directory.
    pub(crate) token: Option<&'static str>,
    /// Speaks Wallet Core's protocol; off, so that its bank is in the way of no other test.
    pub(crate) wallet_core: bool,
    /// Further settings, by their variables.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// Where a hub listens, as it says itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Addresses {
    /// gRPC.
    pub(crate) grpc: String,
    /// HTTP.
    pub(crate) http: String,
    /// Internal HTTP.
    pub(crate) internal: String,
    /// Balances over HTTP.
    pub(crate) balances: Option<String>,
}

/// A process of the hub and how to reach it.
#[derive(Debug)]
struct Running {
    process: Process,
    addresses: Addresses,
    client: Hub,
}

/// A hub of one test.
#[derive(Debug)]
pub(crate) struct TestHub {
    /// Its database and its topics.
    pub(crate) servers: TestServers,
    options: HubOptions,
    folder: TempDir,
    running: Option<Running>,
    _room: Option<SemaphorePermit<'static>>,
}

impl TestHub {
    /// A hub with everything, on fresh data.
    pub(crate) async fn start() -> Self {
        Self::with(HubOptions::default()).await
    }

    /// A hub on fresh data.
    pub(crate) async fn with(options: HubOptions) -> Self {
        let room = ROOM.acquire().await.unwrap();
        Self::on(TestServers::fresh().await, options, Some(room)).await
    }

    /// A hub on servers that the test has for itself.
    pub(crate) async fn with_servers(servers: TestServers, options: HubOptions) -> Self {
        let room = ROOM.acquire().await.unwrap();
        Self::on(servers, options, Some(room)).await
    }

    /// A further process on the same data.
    pub(crate) async fn beside(&self, options: HubOptions) -> Self {
        Self::on(self.servers.clone(), options, None).await
    }

    async fn on(
        servers: TestServers,
        options: HubOptions,
        room: Option<SemaphorePermit<'static>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut hub = Self { servers, options, folder, running: None, _room: room };
        hub.restart().await;
        hub
    }

    /// The connection.
    pub(crate) fn client(&self) -> &Hub {
        &self.running.as_ref().expect("the hub runs").client
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.running.as_ref().expect("the hub runs").addresses
    }

    /// Its gRPC address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addresses().grpc)
    }

    /// A connection that shows another token, or none.
    pub(crate) async fn client_with(&self, token: Option<&str>) -> Hub {
        connect(&self.addresses().grpc, token).await.unwrap()
    }

    /// Everything on this one process.
    pub(crate) fn scene(&self) -> Scene {
        Scene::on(self.client())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.running.take().expect("the hub runs").process.kill();
    }

    /// Its process stands still: it answers nothing, and closes nothing either.
    pub(crate) fn pause(&self) {
        self.running.as_ref().expect("the hub runs").process.pause();
    }

    /// Its process goes on where it stood still.
    pub(crate) fn resume(&self) {
        self.running.as_ref().expect("the hub runs").process.resume();
    }

    /// Asks it to end and waits for it.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the hub runs");
        running.process.terminate();
        running.process.end().await
    }

    /// Starts it (again) on the same data; returns once it says that it serves.
    pub(crate) async fn restart(&mut self) {
        assert!(self.running.is_none(), "the hub runs already");
        let name = if self.options.name.is_empty() { "hub" } else { self.options.name };
        let command = serve(&self.servers, &self.options, &[]);
        let mut process = Process::start(command, self.folder.path(), name);
        let addresses: Addresses = eventually(async || {
            if let Some(status) = process.ended() {
                panic!("the hub did not start ({status}):\n{}", process.log());
            }
            serde_json::from_str(&process.printed())
        })
        .await;
        let token = self.options.token;
        let client = eventually(async || serving(&addresses.grpc, token).await).await;
        self.running = Some(Running { process, addresses, client });
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(status) = self.running.take().and_then(|mut it| it.process.ended()) {
            println!("--- the hub had ended by itself: {status}");
        }
        for entry in std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default())
                .into_owned();
            let lines: Vec<&str> = text.lines().collect();
            let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
            println!("--- {} (last lines)", entry.path().display());
            lines[from..].iter().for_each(|line| println!("{line}"));
        }
    }
}

/// The settings of a hub's listeners.
pub(crate) const ADDRESSES: [&str; 4] = [
    "CODEPIX_GRPC_ADDRESS",
    "CODEPIX_HTTP_ADDRESS",
    "CODEPIX_INTERNAL_ADDRESS",
    "CODEPIX_BALANCES_ADDRESS",
];

/// `codepix serve` on these servers, on free ports unless `words` say otherwise.
pub(crate) fn serve(
    servers: &TestServers,
    options: &HubOptions,
    words: &[&str],
) -> std::process::Command {
    let mut command = command(&["serve", "--json"]);
    command
        .args(words)
        .env("DATABASE_URL", &servers.database_url)
        .env("KAFKA_BROKERS", &servers.kafka.brokers)
        .env("CODEPIX_KAFKA_REPLICATION", "1")
        .env("CODEPIX_TOPIC_PREFIX", &servers.kafka.topic_prefix)
        .env("CODEPIX_LOG", "info");
    for name in ADDRESSES {
        command.env(name, "127.0.0.1:0");
    }
    let deadline = if options.deadline.is_empty() { "10m" } else { options.deadline };
    let settings = [
        ("CODEPIX_CONTEXTS", options.contexts),
        ("CODEPIX_BANKS", options.bank),
        ("CODEPIX_TRANSFER_DEADLINE", deadline),
        ("PIX_KEYS_URL", &options.pix_keys_url),
        ("PIX_KEYS_TOKEN", options.token.unwrap_or_default()),
        ("CODEPIX_TOKENS", options.tokens),
    ];
    for (name, value) in settings.into_iter().filter(|(_, value)| !value.is_empty()) {
        command.env(name, value);
    }
    command.env("CODEPIX_WALLET_CORE", options.wallet_core.to_string());
    command.envs(options.variables.iter().map(|(name, value)| (name, value)));
    command
}

/// A connection to a hub.
pub(crate) async fn connect(grpc: &str, token: Option<&str>) -> Result<Hub, String> {
    let options = ClientOptions { hub: grpc.to_owned(), token: token.map(str::to_owned) };
    options.connect().await.map_err(|error| error.to_string())
}

/// A connection to a hub that says that it serves.
async fn serving(grpc: &str, token: Option<&str>) -> Result<Hub, String> {
    let hub = connect(grpc, token).await?;
    let asked = HealthCheckRequest { service: String::new() };
    let answer = HealthClient::new(hub.channel()).check(asked).await;
    let status = answer.map_err(|status| status.to_string())?.into_inner().status();
    if status == ServingStatus::Serving { Ok(hub) } else { Err(format!("{status:?}")) }
}
