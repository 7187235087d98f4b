//! Servers of one test alone, which it may kill.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::binary::{BINARY, Process};
use super::{eventually, eventually_within};

/// Servers of their own are heavy: one set at a time.
pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

/// Servers may have to be fetched first.
pub(crate) const START: Duration = Duration::from_mins(10);

/// A server as its supervisor describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    /// Its process.
    pub(crate) pid: u32,
}

/// Where the servers are.
#[derive(Debug, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) database_url: String,
    pub(crate) kafka_brokers: String,
}

/// What the supervisor says of its servers.
#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    pub(crate) endpoints: Endpoints,
    /// The supervisor's process.
    pub(crate) supervisor: u32,
    pub(crate) postgres: Server,
    pub(crate) kafka: Server,
}

/// Servers of one test, which it may kill.
pub(crate) struct OwnServers {
    process: Process,
    folder: TempDir,
}

impl OwnServers {
    /// Starts them beside a command that only waits.
    pub(crate) async fn start() -> (Self, Published) {
        let folder = folder();
        let mut command = Command::new(BINARY);
        command.arg("servers").arg("--fresh").arg("--data-dir").arg(folder.path().join("data"));
        command.args(["--", "tail", "-f", "/dev/null"]);
        let process = Process::start(command, folder.path(), "servers");
        let mut own = Self { process, folder };
        let published = eventually_within(START, async || {
            if let Some(status) = own.process.ended() {
                panic!("the servers did not start ({status}):\n{}", own.process.log());
            }
            own.published()
        })
        .await;
        (own, published)
    }

    fn published(&self) -> Result<Published, String> {
        published(self.folder.path())
    }

    /// `kill -9` of a server; returns once its successor is published.
    pub(crate) async fn kill(&self, which: fn(&Published) -> u32) {
        let victim = which(&self.published().unwrap());
        kill(victim);
        eventually(async || match self.published().map(|published| which(&published)) {
            Ok(pid) if pid != victim => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// Stops them, as Ctrl-C does. The supervisor's log tells why that fails, where it does.
    pub(crate) async fn stop(mut self) {
        self.process.terminate();
        eventually(async || match self.process.ended() {
            Some(_) => Ok(()),
            None => Err(Running {
                client: self.process.log(),
                supervisor: find(self.folder.path(), "supervisor.log")
                    .and_then(|log| std::fs::read_to_string(log).ok()),
            }),
        })
        .await;
    }
}

/// What is known of servers that do not end.
#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Running {
    client: String,
    supervisor: Option<String>,
}

/// A folder in which servers may keep their data: they may run as another user than the test.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    folder
}

/// What the supervisor of a folder says of its servers.
pub(crate) fn published(folder: &Path) -> Result<Published, String> {
    let found = find(folder, "endpoints.json").ok_or("not published yet")?;
    let text = std::fs::read_to_string(found).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// `kill -9`.
pub(crate) fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// The first file of that name below a folder.
pub(crate) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let here = entries.iter().find(|path| path.ends_with(name)).cloned();
    here.or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|path| find(path, name)))
}
