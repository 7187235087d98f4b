//! How the context starts.

use std::sync::Arc;

use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};
use shared_kernel::infrastructure::{
    ContextPlan, ContextSettings, ContextStart, StartError, Worker,
};

use crate::application::Balances;
use crate::infrastructure::grpc::BalancesServices;
use crate::infrastructure::kafka::{ACCOUNTS_TOPIC, AccountsConsumer};
use crate::infrastructure::postgres::{MIGRATIONS, PgBalancesReads, SCHEMA};

/// The consumer group.
const GROUP: &str = "codepix.balances";

/// The context at work.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Running {
    /// For the gRPC server.
    pub services: BalancesServices,
    /// For callers in the same process.
    pub facade: Arc<Balances>,
    /// For whoever supervises the process.
    pub workers: Vec<Worker>,
}

/// The topics that must exist before the context starts. It owns none: this one is made as its
/// owner makes it, so that either may start first.
pub fn topics() -> Vec<TopicPlan> {
    vec![TopicPlan::new(ACCOUNTS_TOPIC, Retention::Forever)]
}

/// Migrates the schema, joins the group and wires the use cases.
///
/// # Errors
/// [`StartError`] says which of database and log does not answer.
pub async fn start(settings: &ContextSettings) -> Result<Running, StartError> {
    let plan = ContextPlan {
        name: "balances",
        schema: SCHEMA,
        source: "/codepix/balances",
        migrations: MIGRATIONS,
        topics: topics(),
    };
    let mut start = ContextStart::begin(settings, plan).await?;
    let reads = PgBalancesReads::new(start.sessions.database.clone());
    let facade = Arc::new(Balances::new(Arc::new(reads)));
    let consumer = Arc::new(AccountsConsumer::new(Arc::new(start.sessions.clone())));
    start.consumer(GROUP, &[ACCOUNTS_TOPIC.to_owned()], consumer)?;
    let services =
        BalancesServices::new(Arc::clone(&facade), Arc::clone(&start.callers), start.ids.clone());
    Ok(Running { services, facade, workers: start.finish() })
}
