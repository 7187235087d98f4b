//! A database and a topic prefix of a bench's own.

use balances::infrastructure::BalancesAudit;
use shared_kernel::application::Ids as _;
use shared_kernel::infrastructure::kafka::{KafkaSettings, TopicPlan, delete_topics};
use shared_kernel::infrastructure::postgres::DatabaseSettings;
use shared_kernel::infrastructure::postgres::scratch::{create_database, drop_database};
use shared_kernel::infrastructure::system::SystemIds;

use crate::config::{ContextName, ServerArguments};

/// Name of the database: one bench at a time.
const NAME: &str = "codepix_bench_replay";

/// Where a bench works.
pub(super) struct Scratch {
    server: DatabaseSettings,
    pub(super) database: DatabaseSettings,
    pub(super) kafka: KafkaSettings,
}

impl Scratch {
    /// A fresh database and prefix; what a bench left that was killed goes first.
    pub(super) async fn create(servers: &ServerArguments) -> anyhow::Result<Self> {
        let server = servers.database(ContextName::Balances)?;
        let mut kafka = servers.kafka()?;
        kafka.topic_prefix = format!("bench-{}.", SystemIds.random().simple());
        drop_database(&server, NAME).await?;
        let database = create_database(&server, NAME).await?;
        Ok(Self { server, database, kafka })
    }

    /// What a side has taken in.
    pub(super) fn audit(&self) -> anyhow::Result<BalancesAudit> {
        Ok(BalancesAudit::new(&self.database)?)
    }

    /// Removes both; what cannot be removed is named in the log.
    pub(super) async fn drop(self, topics: &[TopicPlan]) {
        if let Err(error) = delete_topics(&self.kafka, topics).await {
            tracing::warn!(%error, "topics of the bench are left");
        }
        if let Err(error) = drop_database(&self.server, NAME).await {
            tracing::warn!(%error, "the database of the bench is left");
        }
    }
}
