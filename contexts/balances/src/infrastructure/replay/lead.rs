//! The one replay of a database, and how it stays that while it works.
//!
//! It holds a lock of its session, which it asks nothing of its own; a session that asks nothing
//! for a minute is ended, so it is asked something all the while. A replay whose session is lost
//! ends: another may have begun.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::infrastructure::postgres::{statement, store_error};

/// How often the session is asked something: well within the minute that it may be silent.
const PING: Duration = Duration::from_secs(10);

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// Becomes the one replay of this database, until it resigns or its session ends.
pub(super) async fn lead(session: &mut AsyncPgConnection) -> Result<bool, StoreError> {
    let sql =
        "SELECT pg_try_advisory_lock(hashtextextended('codepix replay balances', 0)) AS answer";
    let led: Answer = statement(sql).get_result(session).await.map_err(store_error)?;
    Ok(led.answer)
}

/// Lets the next replay lead. Where that fails, the end of the session does.
pub(super) async fn resign(session: &mut AsyncPgConnection) {
    let sql = "SELECT pg_advisory_unlock(hashtextextended('codepix replay balances', 0)) AS answer";
    let resigned: Result<Answer, _> = statement(sql).get_result(session).await;
    if let Err(error) = resigned {
        tracing::debug!(%error, "the replay's lock ends with its session");
    }
}

/// Works while the session lives.
///
/// # Errors
/// The work's own; the store's when the session is lost before the work is done.
pub(super) async fn leading<T, E: From<StoreError>>(
    session: &mut AsyncPgConnection,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let lost = async {
        loop {
            tokio::time::sleep(PING).await;
            let alive = statement("SELECT").execute(session).await;
            if let Err(error) = alive {
                return store_error(error);
            }
        }
    };
    tokio::select! {
        outcome = work => outcome,
        error = lost => Err(error.into()),
    }
}
