//! What a hub asks of the supervisor, and the addresses that it gets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SupervisorError;
use super::ports::PortChoice;

/// How long servers live on without any hub, unless configured otherwise.
const IDLE_SECONDS: u64 = 60;

/// Where the servers answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// PostgreSQL, as a URL.
    pub(crate) database_url: String,
    /// Kafka, as a bootstrap list.
    pub(crate) kafka_brokers: String,
}

/// Which servers are wanted, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServersConfig {
    /// Where data, logs and coordination files live; see [`super::resolve_data_dir`].
    pub(crate) data_dir: PathBuf,
    /// PostgreSQL's port.
    pub(crate) postgres_port: PortChoice,
    /// Kafka's port for clients.
    pub(crate) kafka_port: PortChoice,
    /// Kafka's port for its own controller.
    pub(crate) kafka_controller_port: PortChoice,
    /// How long the servers live on without any lease.
    pub(crate) idle_seconds: u64,
    /// The user's own PostgreSQL; needs `kafka_brokers` too.
    pub(crate) database_url: Option<String>,
    /// The user's own Kafka; needs `database_url` too.
    pub(crate) kafka_brokers: Option<String>,
    /// Where downloads are kept; the user's (as root: the system's) cache folder when absent.
    pub(crate) cache_dir: Option<PathBuf>,
    /// The supervisor deletes the data folder when it ends.
    pub(crate) delete_at_end: bool,
    /// The program with our hidden subcommands; this program when absent.
    pub(crate) program: Option<PathBuf>,
    /// Ends the servers by a watchdog pipe instead of the kernel's parent-death signal.
    pub(crate) watchdog: bool,
}

impl ServersConfig {
    /// The defaults of `codepix up`: our usual ports, a minute of patience.
    pub(crate) fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            postgres_port: PortChoice::Wanted(5433),
            kafka_port: PortChoice::Wanted(9092),
            kafka_controller_port: PortChoice::Wanted(9093),
            idle_seconds: IDLE_SECONDS,
            database_url: None,
            kafka_brokers: None,
            cache_dir: None,
            delete_at_end: false,
            program: None,
            watchdog: !cfg!(target_os = "linux"),
        }
    }

    /// The same servers on whatever ports are free.
    pub(crate) fn on_free_ports(self) -> Self {
        Self {
            postgres_port: PortChoice::Free,
            kafka_port: PortChoice::Free,
            kafka_controller_port: PortChoice::Free,
            ..self
        }
    }

    /// The addresses that the user gave, if any; one without the other is a mistake.
    pub(super) fn given(&self) -> Result<Option<Endpoints>, SupervisorError> {
        match (&self.database_url, &self.kafka_brokers) {
            (Some(database_url), Some(kafka_brokers)) => Ok(Some(Endpoints {
                database_url: database_url.clone(),
                kafka_brokers: kafka_brokers.clone(),
            })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(half_given("DATABASE_URL", "KAFKA_BROKERS")),
            (None, Some(_)) => Err(half_given("KAFKA_BROKERS", "DATABASE_URL")),
        }
    }

    /// As an argument of the hidden process.
    pub(super) fn to_argument(&self) -> Result<String, SupervisorError> {
        serde_json::to_string(self).map_err(|error| bad_argument(&error))
    }

    /// The inverse of [`Self::to_argument`].
    pub(super) fn from_argument(text: &str) -> Result<Self, SupervisorError> {
        serde_json::from_str(text).map_err(|error| bad_argument(&error))
    }
}

fn half_given(given: &'static str, missing: &'static str) -> SupervisorError {
    SupervisorError::HalfGiven { given, missing }
}

fn bad_argument(error: &serde_json::Error) -> SupervisorError {
    SupervisorError::Arguments { reason: format!("its configuration cannot be read: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ServersConfig {
        ServersConfig::new(PathBuf::from("/data"))
    }

    #[test]
    fn survives_the_way_to_the_supervisor() {
        let sent = ServersConfig { kafka_port: PortChoice::WantedOrFree(9092), ..config() };
        let text = sent.to_argument().unwrap();
        assert_eq!(ServersConfig::from_argument(&text).unwrap(), sent);
    }

    #[test]
    fn a_stranger_is_refused() {
        let error = ServersConfig::from_argument("{\"data_dir\":\"/\"}").unwrap_err();
        assert_eq!(error.code(), "arguments");
    }

    #[test]
    fn given_addresses_come_in_pairs() {
        assert_eq!(config().given().unwrap(), None);
        let half = ServersConfig { database_url: Some("postgres://x".to_owned()), ..config() };
        let error = half.given().unwrap_err();
        assert_eq!(error.code(), "half_given");
        assert!(error.to_string().contains("KAFKA_BROKERS is not"));
        let both = ServersConfig { kafka_brokers: Some("x:9092".to_owned()), ..half };
        assert_eq!(both.given().unwrap().unwrap().kafka_brokers, "x:9092");
    }

    #[test]
    fn free_ports_replace_all_three() {
        let free = config().on_free_ports();
        assert_eq!(free.postgres_port, PortChoice::Free);
        assert_eq!(free.kafka_port, PortChoice::Free);
        assert_eq!(free.kafka_controller_port, PortChoice::Free);
    }
}
