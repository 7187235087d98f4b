//! The schema that a rebuild writes: the same tables by the same migrations, under another name.

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use shared_kernel::application::log::Position;
use shared_kernel::application::{StoreError, TopicPartition};
use shared_kernel::infrastructure::postgres::outbox::OutboxSignal;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{
    Database, Migration, Tables, migrate, statement, store_error,
};
use shared_kernel::infrastructure::system::{SystemClock, SystemIds};

use crate::infrastructure::postgres::{MIGRATIONS, spelled};

/// A schema of a rebuild.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    /// Its name.
    pub(super) schema: &'static str,
    /// Opens its transactions.
    pub(super) sessions: Sessions,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
    #[diesel(sql_type = BigInt)]
    next_offset: i64,
    #[diesel(sql_type = Text)]
    cluster_id: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// A stored position with the cluster that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredPosition {
    pub(super) position: Position,
    pub(super) cluster_id: String,
}

impl Shadow {
    /// A schema of that name, made if it is not there and gone on with if it is.
    pub(super) async fn open(
        database: &Database,
        schema: &'static str,
        topic_prefix: &str,
    ) -> Result<Self, StoreError> {
        let tables = Tables::of(schema);
        let migrations: Vec<Migration> = MIGRATIONS
            .iter()
            .map(|it| Migration { name: it.name, up: spelled(it.up, schema) })
            .collect();
        migrate(database, &tables, &migrations).await?;
        take_over_fixtures(database, schema).await?;
        let sessions = Sessions {
            database: database.clone(),
            tables,
            topic_prefix: topic_prefix.to_owned(),
            source: "/codepix/balances",
            shards: 1,
            signal: Arc::new(OutboxSignal::default()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        Ok(Self { schema, sessions })
    }

    /// Gathers statistics, so that the first question after the swap is planned as the last.
    pub(super) async fn analyze(&self) -> Result<(), StoreError> {
        let schema = self.schema;
        let sql = format!(
            "ANALYZE {schema}.account_balance, {schema}.account_history, {schema}.transfer, \
             {schema}.external_balance, {schema}.external_account"
        );
        let mut connection = self.sessions.database.session().await?;
        connection.batch_execute(&sql).await.map_err(store_error)
    }
}

/// Fixtures stand in no log: a rebuild has those of the live side, where there is one.
async fn take_over_fixtures(database: &Database, schema: &'static str) -> Result<(), StoreError> {
    let mut connection = database.session().await?;
    if !is_current(&mut connection).await? {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO {schema}.external_balance SELECT * FROM balances.external_balance \
         WHERE partition < 0 ON CONFLICT DO NOTHING"
    );
    connection.batch_execute(&sql).await.map_err(store_error)
}

/// Drops a schema of a rebuild, if it is there.
pub(super) async fn discard(database: &Database, schema: &'static str) -> Result<(), StoreError> {
    let mut connection = database.session().await?;
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    connection.batch_execute(&sql).await.map_err(store_error)
}

/// Where the consumers of these names stand in a schema.
pub(super) async fn positions(
    connection: &mut AsyncPgConnection,
    schema: &str,
    consumers: &[String],
    lock: bool,
) -> Result<Vec<StoredPosition>, StoreError> {
    let lock = if lock { " FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT topic, partition, next_offset, cluster_id FROM {schema}.consumer_offset \
         WHERE consumer = ANY($1) ORDER BY topic, partition{lock}"
    );
    let rows: Vec<Stored> = diesel::sql_query(sql)
        .bind::<diesel::sql_types::Array<Text>, _>(consumers)
        .load(connection)
        .await
        .map_err(store_error)?;
    let position = |row: Stored| StoredPosition {
        position: Position {
            at: TopicPartition { topic: row.topic, partition: row.partition },
            next_offset: row.next_offset,
        },
        cluster_id: row.cluster_id,
    };
    Ok(rows.into_iter().map(position).collect())
}

/// Whether the live side has exactly the migrations of this program.
pub(super) async fn is_current(connection: &mut AsyncPgConnection) -> Result<bool, StoreError> {
    let there: Answer =
        diesel::sql_query("SELECT to_regclass('balances.migration') IS NOT NULL AS answer")
            .get_result(connection)
            .await
            .map_err(store_error)?;
    if !there.answer {
        return Ok(false);
    }
    let names: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
    let same: Answer = statement(
        "SELECT coalesce(array_agg(name ORDER BY name), '{}') = $1 AS answer \
         FROM balances.migration",
    )
    .bind::<diesel::sql_types::Array<Text>, _>(names)
    .get_result(connection)
    .await
    .map_err(store_error)?;
    Ok(same.answer)
}

/// Becomes the one replay of this database, until it resigns or its session ends.
pub(super) async fn lead(connection: &mut AsyncPgConnection) -> Result<bool, StoreError> {
    let sql =
        "SELECT pg_try_advisory_lock(hashtextextended('codepix replay balances', 0)) AS answer";
    let led: Answer = statement(sql).get_result(connection).await.map_err(store_error)?;
    Ok(led.answer)
}

/// Lets the next replay lead. Where that fails, the end of the session does.
pub(super) async fn resign(connection: &mut AsyncPgConnection) {
    let sql = "SELECT pg_advisory_unlock(hashtextextended('codepix replay balances', 0)) AS answer";
    let resigned: Result<Answer, _> = statement(sql).get_result(connection).await;
    if let Err(error) = resigned {
        tracing::debug!(%error, "the replay's lock ends with its session");
    }
}
