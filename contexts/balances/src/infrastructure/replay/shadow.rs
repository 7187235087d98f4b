//! The schema that a rebuild writes: the same tables by the same migrations, under another name.

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use shared_kernel::application::log::Position;
use shared_kernel::application::{StoreError, TopicPartition};
use shared_kernel::domain::Timestamp;
use shared_kernel::infrastructure::postgres::outbox::OutboxSignal;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{
    Database, Migration, Tables, instant, migrate, statement, store_error,
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

/// What of other programs' words the log no longer has, or never had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unlogged {
    /// Partitions of topics of balances that begin after their beginning, with where.
    pub(super) balances: Vec<(i32, i64)>,
    /// Whether a topic of accounts begins after its beginning.
    pub(super) accounts: bool,
    /// Only what was said before this.
    pub(super) until: Option<Timestamp>,
}

/// Takes over from the live side, where there is one, what no log can give: fixtures, and words
/// below the beginning of their topics. A word never changes, so it is the same in every rebuild.
pub(super) async fn take_over(
    database: &Database,
    schema: &'static str,
    unlogged: &Unlogged,
) -> Result<(), StoreError> {
    let mut session = database.session().await?;
    if !is_current(&mut session).await? {
        return Ok(());
    }
    let (partitions, lows): (Vec<i32>, Vec<i64>) = unlogged.balances.iter().copied().unzip();
    let until = unlogged.until.map(instant);
    let balances = format!(
        "INSERT INTO {schema}.external_balance SELECT * FROM balances.external_balance AS word \
         WHERE (partition < 0 OR EXISTS (SELECT FROM unnest($1::integer[], $2::bigint[]) \
         AS lost (partition, low) WHERE lost.partition = word.partition \
         AND word.record_offset < lost.low)) AND recorded_at < coalesce($3, 'infinity') \
         ON CONFLICT DO NOTHING"
    );
    diesel::sql_query(balances)
        .bind::<Array<Integer>, _>(partitions)
        .bind::<Array<BigInt>, _>(lows)
        .bind::<Nullable<Timestamptz>, _>(until)
        .execute(&mut session)
        .await
        .map_err(store_error)?;
    if !unlogged.accounts {
        return Ok(());
    }
    // An opening does not say where it was read: all are taken, and those of the log come again.
    let accounts = format!(
        "INSERT INTO {schema}.external_account SELECT * FROM balances.external_account \
         WHERE since < coalesce($1, 'infinity') ON CONFLICT DO NOTHING"
    );
    diesel::sql_query(accounts)
        .bind::<Nullable<Timestamptz>, _>(until)
        .execute(&mut session)
        .await
        .map(drop)
        .map_err(store_error)
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
) -> Result<Vec<StoredPosition>, StoreError> {
    let sql = format!(
        "SELECT topic, partition, next_offset, cluster_id FROM {schema}.consumer_offset \
         WHERE consumer = ANY($1) ORDER BY topic, partition"
    );
    let rows: Vec<Stored> = diesel::sql_query(sql)
        .bind::<Array<Text>, _>(consumers)
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
    .bind::<Array<Text>, _>(names)
    .get_result(connection)
    .await
    .map_err(store_error)?;
    Ok(same.answer)
}
