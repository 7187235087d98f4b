//! Real servers for adapter tests: a database and a topic prefix of a test's own.
//!
//! `./codepix test` starts the servers and names them in the environment.

use std::sync::Arc;

use diesel_async::SimpleAsyncConnection;

use crate::application::{Clock, Ids};
use crate::infrastructure::kafka::KafkaSettings;
use crate::infrastructure::postgres::outbox::OutboxSignal;
use crate::infrastructure::postgres::session::Sessions;
use crate::infrastructure::postgres::{Database, DatabaseSettings, Migration, Tables, migrate};
use crate::infrastructure::system::{SystemClock, SystemIds};
use crate::testing::leftovers;

/// Variable that names the `PostgreSQL` of the tests.
pub const DATABASE_VARIABLE: &str = "CODEPIX_TEST_DATABASE_URL";
/// Variable that names the Kafka of the tests.
pub const KAFKA_VARIABLE: &str = "CODEPIX_TEST_KAFKA_BROKERS";

/// What one test may use; nobody else sees it.
#[derive(Clone, Debug)]
pub struct TestServers {
    /// URL of a fresh database.
    pub database_url: String,
    /// Kafka, with a fresh topic prefix.
    pub kafka: KafkaSettings,
}

#[expect(clippy::expect_used, reason = "a test without its servers has failed")]
impl TestServers {
    /// A fresh database and prefix on the servers of the environment.
    ///
    /// # Panics
    /// When the servers are not there: run the tests with `./codepix test`.
    pub async fn fresh() -> Self {
        let variable =
            |name: &str| std::env::var(name).expect("adapter tests run under `./codepix test`");
        let admin = variable(DATABASE_VARIABLE);
        let name = leftovers::name(&SystemIds.random().simple().to_string());
        let settings = DatabaseSettings { url: admin.clone(), connections_max: 2 };
        let database = Database::new(&settings).expect("settings of the test database");
        let mut kafka = KafkaSettings::new(variable(KAFKA_VARIABLE));
        leftovers::sweep(&database, &kafka).await;
        // Only now: a sweep may take longer than a session may be idle.
        let mut connection = database.session().await.expect("the test PostgreSQL answers");
        connection
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a fresh database");
        let base = admin.rsplit_once('/').map_or(admin.as_str(), |(base, _)| base);
        kafka.topic_prefix = format!("{name}.");
        Self { database_url: format!("{base}/{name}"), kafka }
    }

    /// Migrated sessions of one context on that database.
    ///
    /// # Panics
    /// When a migration fails: that is the test's failure.
    pub async fn sessions(
        &self,
        schema: &'static str,
        source: &'static str,
        migrations: &[Migration],
    ) -> Sessions {
        let settings = DatabaseSettings { url: self.database_url.clone(), connections_max: 8 };
        let database = Database::new(&settings).expect("settings of the test database");
        let tables = Tables::of(schema);
        migrate(&database, &tables, migrations).await.expect("migrations apply");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        Sessions {
            database,
            tables,
            topic_prefix: self.kafka.topic_prefix.clone(),
            source,
            shards: 1,
            signal: Arc::new(OutboxSignal::default()),
            clock,
            ids,
        }
    }
}
