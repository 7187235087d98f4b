//! The only place that names every context: builds a hub from its settings and runs it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use banking::infrastructure::{WalletCoreSettings, WalletCoreTopics, wallet_core};
use federation::Federated;
use metrics_exporter_prometheus::PrometheusHandle;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer as _};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{
    ApplicationError, Caller, Ids as _, StopHandle, StopSignal, TraceParent,
};
use shared_kernel::domain::BankCode;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::kafka::{KafkaSettings, KafkaWriter};
use shared_kernel::infrastructure::postgres::Database;
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::infrastructure::{ContextSettings, Stage, Worker};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::service::RoutesBuilder;
use transfers::application::Transfers;
use transfers::application::command::EnrolParticipant;
use transfers::domain::{LimitWish, ParticipantName};

use crate::browser::Tokens;
use crate::config::{ContextName, HubArguments, ServerArguments};
use crate::graph::{Door, Parts};
use crate::workers::{Stops, Workers};
use crate::{demo_data, docs, grpc, http, limits};

/// Pause before a bank that could not be enrolled is enrolled again.
const BANK_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// What readiness asks.
pub struct Probe {
    /// The databases of this process's contexts.
    pub databases: Vec<(&'static str, Database)>,
    /// The joined graph, where this process serves it.
    pub graph: Option<Federated>,
    producer: Arc<BaseProducer>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Probe").field("databases", &self.databases).finish_non_exhaustive()
    }
}

impl Probe {
    /// A probe of these databases and of the log.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub(crate) fn new(
        databases: Vec<(&'static str, Database)>,
        graph: Option<Federated>,
        kafka: &KafkaSettings,
    ) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &kafka.brokers);
        for (name, value) in &kafka.properties {
            config.set(name, value);
        }
        Ok(Self { databases, graph, producer: Arc::new(config.create()?) })
    }

    /// Asks the log for its metadata.
    ///
    /// # Errors
    /// What the log said, or that it did not answer.
    pub async fn log_answers(&self) -> Result<(), String> {
        let producer = Arc::clone(&self.producer);
        let asked = tokio::task::spawn_blocking(move || {
            producer.client().fetch_metadata(None, std::time::Duration::from_secs(1)).map(drop)
        });
        match asked.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Where a hub listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// gRPC.
    pub grpc: SocketAddr,
    /// HTTP.
    pub http: SocketAddr,
    /// Internal HTTP.
    pub internal: SocketAddr,
    /// Balances over HTTP, where this process serves them.
    pub balances: Option<SocketAddr>,
    /// The joined graph and its playground, where this process serves them.
    pub graph: Option<SocketAddr>,
}

/// The sockets of a hub, bound before anything else starts.
#[derive(Debug)]
pub struct Listeners {
    grpc: TcpListener,
    http: TcpListener,
    internal: TcpListener,
    balances: Option<TcpListener>,
    /// Wanted addresses that were busy, each with what was taken instead.
    pub moved: Vec<(&'static str, SocketAddr, SocketAddr)>,
}

impl Listeners {
    /// Binds the wanted addresses; with `or_free`, a free port where one is busy.
    ///
    /// # Errors
    /// A busy or forbidden address, by the name of its setting.
    pub async fn bind(hub: &HubArguments, or_free: bool) -> anyhow::Result<Self> {
        let mut moved = Vec::new();
        let grpc = bind("CODEPIX_GRPC_ADDRESS", hub.grpc_address, or_free, &mut moved).await?;
        let http = bind("CODEPIX_HTTP_ADDRESS", hub.http_address, or_free, &mut moved).await?;
        let internal =
            bind("CODEPIX_INTERNAL_ADDRESS", hub.internal_address, or_free, &mut moved).await?;
        let balances = if hub.contexts.contains(&ContextName::Balances) {
            let name = "CODEPIX_BALANCES_ADDRESS";
            Some(bind(name, hub.balances_address, or_free, &mut moved).await?)
        } else {
            None
        };
        Ok(Self { grpc, http, internal, balances, moved })
    }

    /// Where they listen.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn addresses(&self) -> anyhow::Result<Addresses> {
        Ok(Addresses {
            grpc: self.grpc.local_addr()?,
            http: self.http.local_addr()?,
            internal: self.internal.local_addr()?,
            balances: self.balances.as_ref().map(TcpListener::local_addr).transpose()?,
            graph: None,
        })
    }
}

async fn bind(
    setting: &'static str,
    wanted: SocketAddr,
    or_free: bool,
    moved: &mut Vec<(&'static str, SocketAddr, SocketAddr)>,
) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(error) if or_free && error.kind() == std::io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind(SocketAddr::new(wanted.ip(), 0)).await?;
            moved.push((setting, wanted, listener.local_addr()?));
            Ok(listener)
        }
        Err(error) => Err(error).with_context(|| {
            format!("{setting} is {wanted}, which is not free; set {setting} to another address")
        }),
    }
}

/// A hub that serves.
#[derive(Debug)]
pub struct Hub {
    /// Where it listens.
    pub addresses: Addresses,
    /// The token of its calls to itself, where tokens are asked for.
    pub own_token: Option<String>,
    workers: Workers,
    edges: JoinSet<anyhow::Result<()>>,
    stop_edges: StopHandle,
}

/// What the contexts of this process brought.
struct Contexts {
    routes: RoutesBuilder,
    services: Vec<&'static str>,
    descriptors: Vec<&'static [u8]>,
    others: Vec<grpc::Other>,
    workers: Vec<Worker>,
    databases: Vec<(&'static str, Database)>,
    balances: Option<Router>,
    wallet_core: Option<Router>,
    graph: Parts,
}

impl Hub {
    /// Migrates, wires and serves the wanted contexts.
    ///
    /// # Errors
    /// Settings that contradict each other, and servers that do not answer.
    pub async fn start(
        servers: &ServerArguments,
        hub: &HubArguments,
        listeners: Listeners,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let (callers, own_token) = callers(hub)?;
        hub.classic.check()?;
        let addresses = listeners.addresses()?;
        let kafka = servers.kafka()?;
        let stops = Stops::new();
        let (stop_edges, stopped) = stop_pair();
        let callers = Arc::new(callers);
        let of_metrics = hub.callers_of_metrics(&callers);
        let wiring = Wiring {
            servers,
            hub,
            addresses,
            directory: hub.remote_directory()?,
            callers: Arc::clone(&callers),
            own_token: own_token.clone(),
            writer: Arc::new(KafkaWriter::new(&kafka)?),
            stop_edges: stopped.clone(),
            stop_work: stops.work.1.clone(),
            stop_relays: stops.relays.1.clone(),
        };
        let contexts = wiring.start_contexts().await?;
        let graph = contexts.graph.join(&hub.graph)?;
        let addresses = Addresses { graph: graph.as_ref().map(|_| addresses.http), ..addresses };
        let probe = Arc::new(Probe::new(contexts.databases, graph.clone(), &kafka)?);
        let tokens = if callers.is_open() { Tokens::NotAsked } else { Tokens::Asked };
        let mut public = http::public(probe).merge(docs::routes(contexts.wallet_core.is_some()));
        if let Some(wallet_core) = contexts.wallet_core {
            public = public.merge(limits::commands(wallet_core));
        }
        if let Some(graph) = graph {
            public = public.merge(contexts.graph.routes(graph));
        }
        let public = http::own_pages(public, tokens);
        let internal = http::internal(metrics, of_metrics).merge(contexts.graph.endpoints());
        let internal = http::own_pages(internal, tokens);
        let mut edges = JoinSet::new();
        edges.spawn(grpc::serve(
            listeners.grpc,
            contexts.routes,
            grpc::Described {
                services: contexts.services,
                descriptors: contexts.descriptors,
                others: contexts.others,
            },
            until(stopped.clone()),
        ));
        edges.spawn(http::serve(listeners.http, public, until(stopped.clone())));
        if let (Some(listener), Some(routes)) = (listeners.balances, contexts.balances) {
            let routes = http::own_pages(limits::reads(routes), tokens);
            edges.spawn(http::serve(listener, routes, until(stopped.clone())));
        }
        edges.spawn(http::serve(listeners.internal, internal, until(stopped)));
        let workers = Workers::start(contexts.workers, stops);
        Ok(Self { addresses, own_token, workers, edges, stop_edges })
    }

    /// Runs until `stop` resolves, then ends gracefully: no new calls, consumers, relays.
    ///
    /// # Errors
    /// When a part of it failed.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let outcome = tokio::select! {
            () = stop => Ok(()),
            failed = self.workers.failed() => failed,
            Some(edge) = self.edges.join_next() => match edge {
                Ok(Ok(())) => Err(anyhow::anyhow!("a listener ended by itself")),
                Ok(Err(error)) => Err(error),
                Err(panic) => Err(panic.into()),
            },
        };
        tracing::info!("stopping");
        self.stop_edges.stop();
        let closing = async { while self.edges.join_next().await.is_some() {} };
        // A client that watches a stream does not keep the hub from ending.
        if tokio::time::timeout(std::time::Duration::from_secs(3), closing).await.is_err() {
            self.edges.abort_all();
        }
        self.workers.stop().await;
        outcome
    }
}

/// The configured callers; where tokens are asked for, also a token that this process makes for
/// its calls to itself and tells nobody.
fn callers(hub: &HubArguments) -> anyhow::Result<(Callers, Option<String>)> {
    let callers = hub.callers()?;
    if callers.is_open() {
        return Ok((callers, None));
    }
    let token = format!("{:032x}{:032x}", SystemIds.entropy(), SystemIds.entropy());
    Ok((callers.and(&token, Caller::Operator), Some(token)))
}

async fn until(mut stopped: StopSignal) {
    stopped.stopped().await;
}

/// What every context is started with.
struct Wiring<'a> {
    servers: &'a ServerArguments,
    hub: &'a HubArguments,
    addresses: Addresses,
    /// The directory that Banking and Transfers ask, when it is not this process's own.
    directory: Option<&'a str>,
    callers: Arc<Callers>,
    own_token: Option<String>,
    writer: Arc<KafkaWriter>,
    stop_edges: StopSignal,
    stop_work: StopSignal,
    stop_relays: StopSignal,
}

impl Wiring<'_> {
    fn settings(&self, context: ContextName) -> anyhow::Result<ContextSettings> {
        Ok(ContextSettings {
            database: self.servers.database(context)?,
            kafka: self.servers.kafka()?,
            writer: Arc::clone(&self.writer),
            callers: Arc::clone(&self.callers),
            outbox_shards: self.hub.outbox_shards,
            stop_work: self.stop_work.clone(),
            stop_relays: self.stop_relays.clone(),
        })
    }

    async fn start_contexts(&self) -> anyhow::Result<Contexts> {
        let mut contexts = Contexts {
            routes: RoutesBuilder::default(),
            services: Vec::new(),
            descriptors: Vec::new(),
            others: Vec::new(),
            workers: Vec::new(),
            databases: Vec::new(),
            balances: None,
            wallet_core: None,
            graph: Parts::new(Door {
                callers: Arc::clone(&self.callers),
                ids: Arc::new(SystemIds),
                stop: self.stop_edges.clone(),
            }),
        };
        let mut wanted = self.hub.contexts.clone();
        wanted.sort_unstable();
        wanted.dedup();
        for context in wanted {
            let settings = self.settings(context)?;
            contexts.databases.push((context.as_str(), Database::new(&settings.database)?));
            self.start_one(context, &settings, &mut contexts).await?;
            tracing::info!(context = context.as_str(), "started");
        }
        Ok(contexts)
    }

    async fn start_one(
        &self,
        context: ContextName,
        settings: &ContextSettings,
        into: &mut Contexts,
    ) -> anyhow::Result<()> {
        match context {
            ContextName::PixKeys => {
                use pix_keys::infrastructure::{FILE_DESCRIPTOR_SET, PixKeysSettings, start};
                let own = PixKeysSettings {
                    classic_packages: self.hub.classic.packages.0.clone(),
                    made_up_owners: demo_data::made_up_owners(),
                    ..PixKeysSettings::default()
                };
                let running = start(settings, own).await?;
                running.services.add_to(&mut into.routes);
                into.others.push(grpc::Other::from(&running.classic));
                into.graph.add(context, running.graph);
                into.took_up(
                    "codepix.pix_keys.v1.PixKeysService",
                    FILE_DESCRIPTOR_SET,
                    running.workers,
                );
            }
            ContextName::Transfers => {
                use transfers::infrastructure::{
                    ClassicSettings, FILE_DESCRIPTOR_SET, TransfersSettings, start,
                };
                let own = TransfersSettings {
                    transfer_deadline: self.hub.transfer_deadline,
                    outside_bank_topics: self.hub.classic.bank_topics(),
                    ..TransfersSettings::default()
                };
                let classic = ClassicSettings {
                    topics: self.hub.classic.topics(),
                    pix_keys_url: self.pix_keys_url(),
                    pix_keys_token: self.pix_keys_token(),
                };
                let running = start(settings, own, &classic).await?;
                running.services.add_to(&mut into.routes);
                into.graph.add(context, running.graph);
                if self.hub.wallet_core {
                    into.workers.push(self.wallet_core_bank(running.facade)?);
                }
                into.took_up(
                    "codepix.transfers.v1.TransfersService",
                    FILE_DESCRIPTOR_SET,
                    running.workers,
                );
            }
            ContextName::Banking => self.start_banking(settings, into).await?,
            ContextName::Balances => self.start_balances(settings, into).await?,
        }
        Ok(())
    }

    async fn start_banking(
        &self,
        settings: &ContextSettings,
        into: &mut Contexts,
    ) -> anyhow::Result<()> {
        use banking::infrastructure::{BankingSettings, FILE_DESCRIPTOR_SET, start};
        let own = BankingSettings {
            banks: self.hub.banks.clone(),
            colors: self.hub.bank_colors.clone(),
            transfer_deadline: self.hub.transfer_deadline,
            pix_keys_token: self.pix_keys_token(),
            wallet_core: self.wallet_core()?,
            ..BankingSettings::new(self.pix_keys_url())
        };
        let running = start(settings, own).await?;
        running.services.add_to(&mut into.routes);
        into.graph.add(ContextName::Banking, running.graph);
        into.wallet_core = running.wallet_core;
        into.took_up("codepix.banking.v1.BankingService", FILE_DESCRIPTOR_SET, running.workers);
        Ok(())
    }

    async fn start_balances(
        &self,
        settings: &ContextSettings,
        into: &mut Contexts,
    ) -> anyhow::Result<()> {
        use balances::infrastructure::{BalancesSettings, FILE_DESCRIPTOR_SET, start};
        // Beside Banking its events bring the fixtures.
        let alone = !self.hub.contexts.contains(&ContextName::Banking);
        let own = BalancesSettings {
            wallet_core: self.hub.wallet_core.then(|| self.servers.wallet_core()),
            wallet_core_fixtures: self.hub.wallet_core && self.hub.demo_data && alone,
        };
        let running = start(settings, own).await?;
        running.services.add_to(&mut into.routes);
        into.graph.add(ContextName::Balances, running.graph);
        into.balances = Some(running.rest);
        into.took_up("codepix.balances.v1.BalancesService", FILE_DESCRIPTOR_SET, running.workers);
        Ok(())
    }

    /// Wallet Core's protocol, where this process hosts its bank.
    fn wallet_core(&self) -> anyhow::Result<Option<WalletCoreSettings>> {
        let (ispb, banks) = (wallet_core::ispb()?, &self.hub.banks);
        let is_hosted = banks.is_empty() || banks.contains(&ispb);
        Ok((self.hub.wallet_core && is_hosted).then(|| WalletCoreSettings {
            topics: WalletCoreTopics {
                transactions: self.hub.wallet_core_transactions_topic.clone(),
                balances: self.servers.wallet_core_balances_topic.clone(),
            },
            fixtures: self.hub.demo_data,
        }))
    }

    /// Enrols Wallet Core's bank, whoever hosts it; then waits for the end of the process.
    fn wallet_core_bank(&self, facade: Arc<Transfers>) -> anyhow::Result<Worker> {
        let command = EnrolParticipant {
            caller: Caller::Operator,
            trace: TraceParent::begin(&SystemIds),
            ispb: Some(wallet_core::ispb()?),
            code: BankCode::parse(wallet_core::CODE)?,
            name: ParticipantName::parse(wallet_core::BANK_NAME)?,
            // New it is native and has no limit; what an operator changed stays through a start.
            protocol: None,
            position_limit: LimitWish::AsItIs,
        };
        let mut stop = self.stop_work.clone();
        let run = async move {
            while !stop.is_stopped() {
                match facade.enrol_participant.submit(command.clone()).await {
                    Ok(_) => break,
                    Err(ApplicationError::Unavailable(cause)) => {
                        tracing::warn!(cause, "Wallet Core's bank will be enrolled later");
                    }
                    Err(refused @ ApplicationError::Refused(_)) => {
                        tracing::error!(%refused, "Wallet Core's bank could not be enrolled");
                        break;
                    }
                }
                tokio::select! {
                    () = stop.stopped() => {}
                    () = tokio::time::sleep(BANK_PAUSE) => {}
                }
            }
            stop.stopped().await;
            Ok(())
        };
        let name = "wallet-core bank".to_owned();
        Ok(Worker { name, stage: Stage::Work, run: Box::pin(run) })
    }

    /// The token that Banking and Transfers show to the directory: the process's own to its own.
    fn pix_keys_token(&self) -> Option<String> {
        let named = self.hub.pix_keys_token.clone();
        if self.directory.is_some() { named } else { named.or(self.own_token.clone()) }
    }

    /// The directory that Banking and Transfers ask: the named one, else this process's own
    /// listener.
    fn pix_keys_url(&self) -> String {
        let Some(named) = self.directory else {
            let mut own = self.addresses.grpc;
            if own.ip().is_unspecified() {
                own.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
            }
            return format!("http://{own}");
        };
        named.to_owned()
    }
}

impl Contexts {
    fn took_up(&mut self, service: &'static str, descriptors: &'static [u8], workers: Vec<Worker>) {
        self.services.push(service);
        self.descriptors.push(descriptors);
        self.workers.extend(workers);
    }
}
