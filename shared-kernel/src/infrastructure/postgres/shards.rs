//! How many shards an outbox has: one number for every process of a context.
//!
//! Two processes with two numbers would put the records of one key into two shards, and two relays
//! would send them in any order. So the number changes only while nothing waits and nobody relays.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, SmallInt};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::application::StoreError;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::lock::relay_lock;
use crate::infrastructure::postgres::statement::{Bind, statement};
use crate::infrastructure::postgres::tables::Tables;

#[derive(QueryableByName)]
struct Shards {
    #[diesel(sql_type = SmallInt)]
    shards: i16,
}

impl Shards {
    fn count(&self) -> u16 {
        u16::try_from(self.shards).unwrap_or(1)
    }
}

#[derive(QueryableByName)]
struct Relayed {
    #[diesel(sql_type = Bool)]
    relayed: bool,
}

/// The number of shards in force: `wanted`, unless rows spread over another number still wait.
///
/// # Errors
/// [`StoreError::Rejected`] when it would change under a process that relays;
/// [`StoreError::Unavailable`] when the database does not answer.
pub async fn settle_shards(
    connection: &mut AsyncPgConnection,
    tables: &Tables,
    wanted: u16,
) -> Result<u16, StoreError> {
    let wanted = wanted.max(1);
    let known: Vec<Shards> =
        statement(tables.known_shards).load(connection).await.map_err(store_error)?;
    if let Some(known) = known.iter().map(Shards::count).find(|known| *known != wanted)
        && is_relayed(connection, tables, known).await?
    {
        return Err(StoreError::Rejected(format!(
            "a running process relays the {known} outbox shards of schema {}, and this one wants \
             {wanted}: set CODEPIX_OUTBOX_SHARDS to {known}, or stop every process of the context \
             first",
            tables.schema
        )));
    }
    let settled: Shards = statement(tables.settle_shards)
        .bind::<SmallInt, _>(i16::try_from(wanted).unwrap_or(i16::MAX))
        .get_result(connection)
        .await
        .map_err(store_error)?;
    Ok(settled.count())
}

/// Whether somebody holds the lock of a relay.
async fn is_relayed(
    connection: &mut AsyncPgConnection,
    tables: &Tables,
    shards: u16,
) -> Result<bool, StoreError> {
    let locks: Vec<i64> = (0..shards).map(|shard| relay_lock(tables.schema, shard)).collect();
    let held: Relayed = statement(
        "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database \
         WHERE locktype = 'advisory' AND granted AND datname = current_database() \
         AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = ANY($1)) AS relayed",
    )
    .bind::<Array<BigInt>, _>(locks)
    .get_result(connection)
    .await
    .map_err(store_error)?;
    Ok(held.relayed)
}
