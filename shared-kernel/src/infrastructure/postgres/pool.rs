//! Connections to the database of one context.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::application::StoreError;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::stall;
use crate::infrastructure::postgres::statement::statement;

/// Where the database is and how much of it a context takes.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `postgres://user:password@host:port/database`.
    pub url: String,
    /// Most connections of this context.
    pub connections_max: usize,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DatabaseSettings")
            .field("url", &without_password(&self.url))
            .field("connections_max", &self.connections_max)
            .finish()
    }
}

/// A database URL that may be shown.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(unreadable)".into() };
    match rest.rsplit_once('@') {
        None => url.to_owned(),
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user, |(name, _)| name);
            format!("{scheme}://{user}@{host}")
        }
    }
}

/// A pool of connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    url: String,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Database")
            .field("url", &without_password(&self.url))
            .finish_non_exhaustive()
    }
}

/// What every connection of a pool is told.
///
/// Statements are prepared once per connection, most of them while their tables are still empty,
/// and the plan is kept: a scan of an empty table is cheap, and ruins every batch once it is large
/// (until statistics are gathered, which comes a minute late). Every statement of ours has an
/// index to use; so scans are discouraged, and with them the compilation of their plans, which a
/// discouraged scan would look expensive enough for.
///
/// Some errors that pass are known by their text alone, which has to be English then. Only a
/// superuser, or who was granted it, may choose the language; whoever may not keeps the server's.
const SETUP: &str = "SET enable_seqscan = off; SET jit = off; SET random_page_cost = 1.1; \
                     SET plan_cache_mode = force_generic_plan; \
                     DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); \
                     EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

async fn establish(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let mut connection = standing(url).await?;
    let said = async {
        connection.batch_execute(SETUP).await?;
        connection.batch_execute(STATEMENT_LIMITS).await
    };
    said.await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// A connection that ends by itself when its process stands still.
async fn standing(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(&stall::watched(url)).await?;
    connection
        .batch_execute(stall::LIMITS)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// How long a statement of a pool waits for a row, and how long it may take. What gives up is
/// tried again, and meanwhile holds no connection.
const STATEMENT_LIMITS: &str = "SET lock_timeout = '10s'; SET statement_timeout = '60s'";

/// How long a transaction waits for a free connection.
const WAIT: Duration = Duration::from_secs(10);

impl Database {
    /// A pool that connects when first used.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] when the settings make no pool.
    pub fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(|url| Box::pin(establish(url)));
        let manager = AsyncDieselConnectionManager::new_with_config(&settings.url, config);
        let pool = Pool::builder(manager)
            .max_size(settings.connections_max.max(2))
            .runtime(deadpool_runtime())
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .build()
            .map_err(|error| StoreError::Rejected(error.to_string()))?;
        Ok(Self { pool, url: settings.url.clone() })
    }

    /// A connection from the pool.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none can be had in time.
    pub async fn connection(&self) -> Result<Object<AsyncPgConnection>, StoreError> {
        self.pool.get().await.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Asks the database for the simplest answer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        statement("SELECT 1").execute(&mut connection).await.map(drop).map_err(store_error)
    }

    /// A connection of its own, for a session lock or for reading whole tables. One that asks
    /// nothing for a minute is ended, and its locks with it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn session(&self) -> Result<AsyncPgConnection, StoreError> {
        let mut session = self.listener().await?;
        session.batch_execute(stall::SESSION_LIMITS).await.map_err(store_error)?;
        Ok(session)
    }

    /// A connection of its own that only listens: it asks nothing, however long nothing happens,
    /// and holds nothing that anybody could wait for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn listener(&self) -> Result<AsyncPgConnection, StoreError> {
        let unavailable = |error: ConnectionError| StoreError::Unavailable(error.to_string());
        standing(&self.url).await.map_err(unavailable)
    }
}

fn deadpool_runtime() -> deadpool::Runtime {
    deadpool::Runtime::Tokio1
}
