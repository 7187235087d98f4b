//! What the supervisor says to the hubs, through two files that are always whole.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use serde::{Deserialize, Serialize};

use super::SupervisorError;
use super::config::Endpoints;
use super::files;
use super::paths::Layout;

/// One running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedServer {
    /// Its process; while it is being restarted, the last one.
    pub(crate) pid: u32,
    /// Its port on 127.0.0.1.
    pub(crate) port: u16,
    /// Its version.
    pub(crate) version: String,
}

/// The content of `endpoints.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    /// The addresses.
    pub(crate) endpoints: Endpoints,
    /// The supervisor's process.
    pub(crate) supervisor: u32,
    /// PostgreSQL.
    pub(crate) postgres: PublishedServer,
    /// Kafka.
    pub(crate) kafka: PublishedServer,
    /// Kafka's port for its controller.
    pub(crate) kafka_controller_port: u16,
    /// What users should know, such as a default port that was busy.
    pub(crate) notices: Vec<String>,
}

impl Published {
    /// What the living supervisor `pid` published, if it has.
    pub(super) fn by(layout: &Layout, pid: u32) -> Option<Self> {
        Self::read(&layout.endpoints()).filter(|found| found.supervisor == pid)
    }

    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Replaces the file.
    pub(super) fn write(&self, layout: &Layout) -> Result<(), SupervisorError> {
        files::write_atomically(&layout.endpoints(), &to_json(self))
    }
}

/// The content of `progress.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Whose progress it is.
    pub(super) supervisor: u32,
    /// What was begun, in order.
    pub(super) steps: Vec<String>,
    /// Why the start was given up.
    pub(super) failure: Option<Failure>,
}

/// An error on its way to another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    code: String,
    message: String,
}

impl From<Failure> for SupervisorError {
    fn from(failure: Failure) -> Self {
        Self::Reported { code: failure.code, message: failure.message }
    }
}

impl Progress {
    /// The progress of whoever wrote last.
    pub(super) fn read(layout: &Layout) -> Option<Self> {
        serde_json::from_slice(&fs::read(layout.progress()).ok()?).ok()
    }
}

/// Tells the log and the waiting hubs what happens.
#[derive(Debug)]
pub(super) struct Reporter {
    path: PathBuf,
    progress: RefCell<Progress>,
}

impl Reporter {
    /// Begins a new report.
    pub(super) fn new(layout: &Layout) -> Self {
        let progress = Progress { supervisor: process::id(), ..Progress::default() };
        let reporter = Self { path: layout.progress(), progress: RefCell::new(progress) };
        reporter.write();
        reporter
    }

    /// Something begins that may take a while.
    pub(super) fn step(&self, step: &str) {
        tracing::info!("{step}");
        self.progress.borrow_mut().steps.push(step.to_owned());
        self.write();
    }

    /// The start is given up.
    pub(super) fn failed(&self, error: &SupervisorError) {
        self.progress.borrow_mut().failure =
            Some(Failure { code: error.code().to_owned(), message: error.to_string() });
        self.write();
    }

    /// A report that cannot be written stops nothing.
    fn write(&self) {
        let content = to_json(&*self.progress.borrow());
        if let Err(error) = files::write_atomically(&self.path, &content) {
            tracing::warn!(%error, "progress cannot be reported");
        }
    }
}

/// Our own types have string keys and no maps: they always become JSON.
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Published {
        let server = |pid, port| PublishedServer { pid, port, version: "15.13".to_owned() };
        Published {
            endpoints: Endpoints {
                database_url: "postgres://codepix@127.0.0.1:5433/codepix".to_owned(),
                kafka_brokers: "127.0.0.1:9092".to_owned(),
            },
            supervisor: 41,
            postgres: server(42, 5433),
            kafka: server(43, 9092),
            kafka_controller_port: 9093,
            notices: vec!["Kafka: wanted port 9092, took 20001".to_owned()],
        }
    }

    #[test]
    fn endpoints_come_back_as_they_went() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(folder.path()).unwrap();
        assert_eq!(Published::by(&layout, 41), None);
        published().write(&layout).unwrap();
        assert_eq!(Published::by(&layout, 41), Some(published()));
        let text = fs::read_to_string(layout.endpoints()).unwrap();
        assert!(text.contains("\"database_url\": \"postgres://codepix@127.0.0.1:5433/codepix\""));
    }

    #[test]
    fn another_supervisors_endpoints_are_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(folder.path()).unwrap();
        published().write(&layout).unwrap();
        assert_eq!(Published::by(&layout, 42), None);
        fs::write(layout.endpoints(), "{\"half\":").unwrap();
        assert_eq!(Published::by(&layout, 41), None);
    }

    #[test]
    fn a_failure_reaches_the_hub_with_its_code() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(folder.path()).unwrap();
        let reporter = Reporter::new(&layout);
        reporter.step("starting Kafka");
        reporter.failed(&SupervisorError::NoFreePort { server: "Kafka" });
        let progress = Progress::read(&layout).unwrap();
        assert_eq!(progress.supervisor, process::id());
        assert_eq!(progress.steps, ["starting Kafka"]);
        let error = SupervisorError::from(progress.failure.unwrap());
        assert_eq!(error.code(), "no_free_port");
        assert!(error.to_string().contains("Kafka"));
    }
}
