//! How the context starts.

use std::sync::Arc;

use axum::Router;
use shared_kernel::infrastructure::kafka::{Retention, Subscription, TopicPlan};
use shared_kernel::infrastructure::{
    ContextPlan, ContextSettings, ContextStart, Stage, StartError, Worker,
};

use crate::application::Balances;
use crate::infrastructure::graphql::{GraphSchema, schema};
use crate::infrastructure::grpc::BalancesServices;
use crate::infrastructure::kafka::inbound::{self, WALLET_ACCOUNTS, WALLET_BALANCES};
use crate::infrastructure::kafka::{
    ACCOUNTS_TOPIC, AccountFeed, AccountsConsumer, READERS, TRANSFERS_TOPIC, TransfersConsumer,
    live,
};
use crate::infrastructure::postgres::{CommitFeed, MIGRATIONS, PgBalancesReads, SCHEMA};
use crate::infrastructure::rest::routes;
use crate::infrastructure::wallet_core::{WalletCoreConsumer, WalletCoreTopics, write_fixtures};

const NAME: &str = "balances";

/// What this context is told beside the settings of every context.
#[derive(Clone, Debug, Default)]
pub struct BalancesSettings {
    /// The topics of Wallet Core; none where it is not listened to.
    pub wallet_core: Option<WalletCoreTopics>,
    /// Begins with the accounts of Wallet Core's course: where that runs, and not Banking.
    pub wallet_core_fixtures: bool,
}

/// The context at work.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Running {
    /// For the gRPC server.
    pub services: BalancesServices,
    /// For the joined graph.
    pub graph: GraphSchema,
    /// For an HTTP listener of its own.
    pub rest: Router,
    /// For callers in the same process.
    pub facade: Arc<Balances>,
    /// For whoever supervises the process.
    pub workers: Vec<Worker>,
}

/// The topics that must exist before the context starts. It owns none: these are made as their
/// owners make them, so that either may start first.
pub fn topics() -> Vec<TopicPlan> {
    [ACCOUNTS_TOPIC, TRANSFERS_TOPIC].map(|name| TopicPlan::new(name, Retention::Forever)).into()
}

/// Migrates the schema, joins the groups and wires the use cases.
///
/// # Errors
/// [`StartError`] says which of database and log does not answer.
pub async fn start(
    settings: &ContextSettings,
    own: BalancesSettings,
) -> Result<Running, StartError> {
    let wallet_core = own.wallet_core.as_ref();
    let external = wallet_core.map(WalletCoreTopics::plans).unwrap_or_default();
    let plan = ContextPlan {
        name: NAME,
        schema: SCHEMA,
        source: "/codepix/balances",
        migrations: MIGRATIONS,
        topics: topics().into_iter().chain(external).collect(),
        readers: READERS,
    };
    let mut start = ContextStart::begin(settings, plan).await?;
    let reads = PgBalancesReads::new(start.sessions.database.clone());
    let commits = CommitFeed::default();
    let (database, stop) = (start.sessions.database.clone(), settings.stop_work.clone());
    let listening = commits.clone().run(database, stop);
    start.worker("commits", Stage::Work, async move {
        listening.await;
        Ok(())
    });
    let clock = Arc::clone(&start.clock);
    let facade = Arc::new(Balances::new(Arc::new(reads), Arc::new(commits), clock));
    let store = Arc::new(start.sessions.clone());
    let accounts = Arc::new(AccountsConsumer::new(store.clone()));
    start.consumer(&Subscription::of(&inbound::ACCOUNTS), accounts)?;
    let transfers = Arc::new(TransfersConsumer::new(store));
    start.consumer(&Subscription::of(&inbound::TRANSFERS), transfers)?;
    if let Some(topics) = wallet_core {
        listen_to_wallet_core(&mut start, topics)?;
    }
    if own.wallet_core_fixtures {
        let store = |error| StartError::Store { context: NAME, error };
        write_fixtures(&start.sessions).await.map_err(store)?;
    }
    let feed = AccountFeed::new(settings.stop_work.clone());
    start.listen(&live::READER, &[Arc::new(feed.clone())])?;
    let graph = schema(&facade, feed);
    let services =
        BalancesServices::new(Arc::clone(&facade), Arc::clone(&start.callers), start.ids.clone());
    let rest = routes(Arc::clone(&facade), Arc::clone(&start.callers));
    Ok(Running { services, graph, rest, facade, workers: start.finish() })
}

fn listen_to_wallet_core(
    start: &mut ContextStart,
    topics: &WalletCoreTopics,
) -> Result<(), StartError> {
    let store = Arc::new(start.sessions.clone());
    let accounts = start.kafka().named(&topics.accounts);
    let consumer = Arc::new(WalletCoreConsumer::new(store, accounts));
    let subscription = Subscription::of(&inbound::WALLET_CORE)
        .named(WALLET_BALANCES, &topics.balances)
        .named(WALLET_ACCOUNTS, &topics.accounts);
    start.consumer(&subscription, consumer).map(drop)
}
