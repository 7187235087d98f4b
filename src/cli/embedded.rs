//! The embedded servers as settings of a command: named servers are used, missing ones started.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::cli::output::Output;
use crate::client::KafkaOptions;
use crate::config::ServerArguments;
use crate::supervisor::{
    self, Endpoints, PortChoice, Running, ServersConfig, ensure_running, resolve_data_dir,
};

/// Where embedded servers keep their data and listen.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Embedded servers (when no URLs are set)")]
pub struct EmbeddedArguments {
    /// Folder for data and logs; `./.codepix`, or the system's state folder when root.
    #[arg(long, env = "CODEPIX_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Port of `PostgreSQL`.
    #[arg(long, env = "CODEPIX_POSTGRES_PORT", default_value_t = 5433)]
    pub postgres_port: u16,
    /// Port of Kafka.
    #[arg(long, env = "CODEPIX_KAFKA_PORT", default_value_t = 9092)]
    pub kafka_port: u16,
    /// Port of Kafka's controller.
    #[arg(long, env = "CODEPIX_KAFKA_CONTROLLER_PORT", default_value_t = 9093)]
    pub kafka_controller_port: u16,
}

impl EmbeddedArguments {
    /// The folder, and a remark when it is not the usual one.
    ///
    /// # Errors
    /// When no folder can be used.
    pub fn folder(&self, output: &Output) -> anyhow::Result<PathBuf> {
        let here = std::env::current_dir().context("the current folder is gone")?;
        let found = resolve_data_dir(self.data_dir.as_deref(), &here)?;
        if let Some(notice) = &found.notice {
            output.remark(notice);
        }
        Ok(found.path)
    }

    /// What is asked of the supervisor; with `or_free`, free ports where the wanted are busy.
    ///
    /// # Errors
    /// As [`Self::folder`].
    pub(crate) fn config(&self, or_free: bool, output: &Output) -> anyhow::Result<ServersConfig> {
        let choice = if or_free { PortChoice::WantedOrFree } else { PortChoice::Wanted };
        Ok(ServersConfig {
            postgres_port: choice(self.postgres_port),
            kafka_port: choice(self.kafka_port),
            kafka_controller_port: choice(self.kafka_controller_port),
            ..ServersConfig::new(self.folder(output)?)
        })
    }

    /// Makes sure that servers run and names them in `servers`. They live as long as the answer.
    ///
    /// # Errors
    /// What kept them from starting, with the last lines of their log.
    pub(crate) async fn provide(
        &self,
        servers: &mut ServerArguments,
        or_free: bool,
        output: &Output,
    ) -> anyhow::Result<Running> {
        let config = ServersConfig {
            database_url: servers.database_url.clone(),
            kafka_brokers: servers.kafka_brokers.clone(),
            ..self.config(or_free, output)?
        };
        let is_ours = config.kafka_brokers.is_none();
        let output = *output;
        let starting = tokio::task::spawn_blocking(move || {
            ensure_running(&config, &mut |step| output.remark(step))
        });
        let running = starting.await.context("starting the servers was cut off")??;
        for notice in &running.notices {
            output.remark(notice);
        }
        servers.database_url = Some(running.endpoints.database_url.clone());
        servers.kafka_brokers = Some(running.endpoints.kafka_brokers.clone());
        if is_ours {
            // It is one broker.
            servers.kafka_replication.get_or_insert(1);
        }
        Ok(running)
    }
}

/// The servers of this repository, if they run: for commands that are told no address.
fn published() -> Option<Endpoints> {
    let here = std::env::current_dir().ok()?;
    let asked = std::env::var_os("CODEPIX_DATA_DIR").map(PathBuf::from);
    let folder = resolve_data_dir(asked.as_deref(), &here).ok()?;
    Some(supervisor::status(&folder.path).ok()?.published?.endpoints)
}

/// Names the embedded Kafka where none is named.
pub(crate) fn find_kafka(kafka: &mut KafkaOptions) {
    if kafka.brokers.is_none() {
        kafka.brokers = published().map(|endpoints| endpoints.kafka_brokers);
    }
}

/// Names the embedded database and Kafka where none are named.
pub(crate) fn find_servers(servers: &mut ServerArguments) {
    find_database(servers);
    if servers.kafka_brokers.is_none() {
        servers.kafka_brokers = published().map(|endpoints| endpoints.kafka_brokers);
    }
}

/// Names the embedded database where none is named.
pub(crate) fn find_database(servers: &mut ServerArguments) {
    if servers.database_url.is_none() {
        servers.database_url = published().map(|endpoints| endpoints.database_url);
    }
}
