//! A database of one's own, beside one that is there: for measurements that must touch nothing.

use diesel_async::SimpleAsyncConnection;

use crate::application::StoreError;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::pool::{Database, DatabaseSettings};

/// The URL of another database on the same server.
fn beside(url: &str, name: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, ""), |(base, rest)| (base, rest));
    let server = base.rsplit_once('/').map_or(base, |(server, _)| server);
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{server}/{name}{mark}{options}")
}

/// Creates the database `name` on the server of `settings`; answers its settings.
///
/// # Errors
/// [`StoreError`] when the server does not answer or its user may not.
pub async fn create_database(
    settings: &DatabaseSettings,
    name: &'static str,
) -> Result<DatabaseSettings, StoreError> {
    let mut session = Database::new(settings)?.session().await?;
    session.batch_execute(&format!("CREATE DATABASE {name}")).await.map_err(store_error)?;
    Ok(DatabaseSettings { url: beside(&settings.url, name), ..settings.clone() })
}

/// Drops the database `name` on the server of `settings`, whoever is connected to it.
///
/// # Errors
/// As [`create_database`].
pub async fn drop_database(
    settings: &DatabaseSettings,
    name: &'static str,
) -> Result<(), StoreError> {
    let mut session = Database::new(settings)?.session().await?;
    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    session.batch_execute(&sql).await.map_err(store_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_keeps_server_and_options() {
        assert_eq!(beside("postgres://a:b@h:1/codepix", "x"), "postgres://a:b@h:1/x");
        let url = "postgres://h/codepix?sslmode=require";
        assert_eq!(beside(url, "x"), "postgres://h/x?sslmode=require");
    }
}
