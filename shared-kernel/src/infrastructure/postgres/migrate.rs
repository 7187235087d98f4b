//! Migrations at start: each once, in order, under an advisory lock.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{
    AnsiTransactionManager, RunQueryDsl, SimpleAsyncConnection, TransactionManager,
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
    connection.batch_execute(tables.create).await.map_err(store_error)?;
    let known: Vec<Known> =
        statement(tables.known_migrations).load(&mut connection).await.map_err(store_error)?;
    for migration in migrations {
        if known.iter().any(|known| known.name == migration.name) {
            continue;
        }
        AnsiTransactionManager::begin_transaction(&mut connection).await.map_err(store_error)?;
        connection.batch_execute(migration.up).await.map_err(|error| {
            StoreError::Rejected(format!("migration {}: {error}", migration.name))
        })?;
        statement(tables.record_migration)
            .bind::<Text, _>(migration.name)
            .execute(&mut connection)
            .await
            .map_err(store_error)?;
        AnsiTransactionManager::commit_transaction(&mut connection).await.map_err(store_error)?;
        tracing::info!(schema = tables.schema, migration = migration.name, "migrated");
    }
    // The session ends here, and its lock with it.
    Ok(())
}
