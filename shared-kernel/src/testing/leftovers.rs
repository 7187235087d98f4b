//! Removes what test processes that ended left on the servers: databases and topics.
//!
//! Nothing is removed while its test may still look at it: names carry the process, and only those
//! of processes that are gone are swept, once, before the first test of the next process. Where
//! processes cannot be told (no `/proc`), nothing is.

use std::path::Path;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::metadata::MetadataTopic;
use tokio::sync::OnceCell;

use crate::infrastructure::kafka::KafkaSettings;
use crate::infrastructure::postgres::{self, statement};

const PROCESSES: &str = "/proc";
const ASK: Duration = Duration::from_secs(10);

static SWEPT: OnceCell<()> = OnceCell::const_new();

#[derive(QueryableByName)]
struct Database {
    #[diesel(sql_type = Text)]
    datname: String,
}

/// A name that nobody else has, and that says whose it is: `test_<process>_<unique>`.
pub(super) fn name(unique: &str) -> String {
    format!("test_{}_{unique}", std::process::id())
}

/// Whether a database or topic belongs to a test process that is gone.
fn is_left_over(name: &str) -> bool {
    let process = name.strip_prefix("test_").and_then(|rest| rest.split_once('_'));
    let gone = |process: u32| !Path::new(PROCESSES).join(process.to_string()).exists();
    process.and_then(|(process, _)| process.parse().ok()).is_some_and(gone)
}

/// Sweeps once per process. What cannot be removed now is left to the next process.
pub(super) async fn sweep(database: &postgres::Database, kafka: &KafkaSettings) {
    let sweeping = async {
        if !Path::new(PROCESSES).join("self").exists() {
            return;
        }
        if let Ok(mut admin) = database.session().await {
            drop_databases(&mut admin).await;
        }
        delete_topics(kafka).await;
    };
    SWEPT.get_or_init(|| sweeping).await;
}

async fn drop_databases(admin: &mut AsyncPgConnection) {
    let all = statement("SELECT datname::text FROM pg_database").load(admin).await;
    let all: Vec<Database> = all.unwrap_or_default();
    for Database { datname } in all.into_iter().filter(|it| is_left_over(&it.datname)) {
        // One that is still connected to stays.
        let dropped = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {datname}")).await;
        if let Err(error) = dropped {
            tracing::debug!(datname, %error, "a database was left over");
        }
    }
}

async fn delete_topics(kafka: &KafkaSettings) {
    let admin: Result<AdminClient<DefaultClientContext>, _> = kafka.client(&[]).create();
    let Ok(admin) = admin else { return };
    let Ok(metadata) = admin.inner().fetch_metadata(None, ASK) else { return };
    let names = metadata.topics().iter().map(MetadataTopic::name);
    let left_over: Vec<&str> = names.filter(|name| is_left_over(name)).collect();
    if left_over.is_empty() {
        return;
    }
    let options = AdminOptions::new().operation_timeout(Some(ASK));
    if let Err(error) = admin.delete_topics(&left_over, &options).await {
        tracing::debug!(%error, "topics were left over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_processes_that_are_gone_have_named_is_left_over() {
        assert!(!is_left_over(&name("0")), "this process runs");
        assert!(!is_left_over("codepix.transfers"));
        assert!(!is_left_over("test_by_hand"));
        assert!(is_left_over("test_4294967295_0.codepix.transfers"));
    }
}
