//! Migrations at start: each once, in order, under an advisory lock.
//!
//! Running hubs go on meanwhile. A migration that needs a table for itself waits for it in turns:
//! whoever asks for the table after it waits behind it, so after [`LOCK_WAIT`] it steps back.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    TransactionManager,
};

use crate::application::StoreError;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::lock::lock_key;
use crate::infrastructure::postgres::pool::Database;
use crate::infrastructure::postgres::statement::{Bind, statement};
use crate::infrastructure::postgres::tables::Tables;

/// One step of a schema: `migrations/<context>/<name>/up.sql`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Folder name: `<yyyy-mm-dd>_<what>`.
    pub name: &'static str,
    /// The SQL.
    pub up: &'static str,
}

/// Names a migration of a context by its folder under `migrations/`.
#[macro_export]
macro_rules! migration {
    ($context:literal, $name:literal) => {
        $crate::infrastructure::postgres::Migration {
            name: $name,
            up: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../migrations/",
                $context,
                "/",
                $name,
                "/up.sql"
            )),
        }
    };
}

/// How long a migration keeps others waiting while it waits for a table.
const LOCK_WAIT: &str = "SET lock_timeout = '1s'";
/// How long others have before it waits again.
const LOCK_PAUSE: Duration = Duration::from_millis(500);
/// How often it tries before the start fails.
const LOCK_TURNS_MAX: u32 = 40;

/// What is done in one transaction.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// The kernel's tables, where they are missing.
    Kernel,
    /// A migration of the context.
    Context(&'a Migration),
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Brings the schema of `tables` to the last of `migrations`.
///
/// # Errors
/// [`StoreError::Unavailable`] when the database does not answer, [`StoreError::Rejected`] when it
/// refuses a migration (nothing of that migration stays).
pub async fn migrate(
    database: &Database,
    tables: &Tables,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let mut connection = database.session().await?;
    statement("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(lock_key(&format!("codepix migration {}", tables.schema)))
        .execute(&mut connection)
        .await
        .map_err(store_error)?;
    connection.batch_execute(LOCK_WAIT).await.map_err(store_error)?;
    in_turns(&mut connection, tables, Step::Kernel).await?;
    let known: Vec<Known> =
        statement(tables.known_migrations).load(&mut connection).await.map_err(store_error)?;
    for migration in migrations {
        if known.iter().any(|known| known.name == migration.name) {
            continue;
        }
        in_turns(&mut connection, tables, Step::Context(migration)).await?;
        tracing::info!(schema = tables.schema, migration = migration.name, "migrated");
    }
    // The session ends here, and its lock with it.
    Ok(())
}

/// One migration in a transaction of its own.
async fn apply(
    connection: &mut AsyncPgConnection,
    tables: &Tables,
    migration: &Migration,
) -> Result<(), StoreError> {
    AnsiTransactionManager::begin_transaction(connection).await.map_err(store_error)?;
    let applied = async {
        connection.batch_execute(migration.up).await.map_err(|error| match store_error(error) {
            StoreError::Rejected(reason) | StoreError::Conflict(reason) => {
                StoreError::Rejected(format!("migration {}: {reason}", migration.name))
            }
            passing @ (StoreError::Unavailable(_) | StoreError::Fenced) => passing,
        })?;
        statement(tables.record_migration)
            .bind::<Text, _>(migration.name)
            .execute(connection)
            .await
            .map(drop)
            .map_err(store_error)
    };
    if let Err(error) = applied.await {
        AnsiTransactionManager::rollback_transaction(connection).await.map_err(store_error)?;
        return Err(error);
    }
    AnsiTransactionManager::commit_transaction(connection).await.map_err(store_error)
}

/// Does a step, which leaves nothing when it fails, again while a table that it needs is in use.
async fn in_turns(
    connection: &mut AsyncPgConnection,
    tables: &Tables,
    step: Step<'_>,
) -> Result<(), StoreError> {
    let mut turn = 1_u32;
    loop {
        let done = match step {
            Step::Kernel => connection.batch_execute(tables.create).await.map_err(store_error),
            Step::Context(migration) => apply(connection, tables, migration).await,
        };
        match done {
            Err(StoreError::Unavailable(reason))
                if turn < LOCK_TURNS_MAX && reason.contains("lock timeout") =>
            {
                tracing::info!(schema = tables.schema, "waiting for a table that is in use");
                turn = turn.saturating_add(1);
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            done => return done,
        }
    }
}
