//! A process of a test: asked to end when it is dropped, so that it ends its own children too.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long anything may take before the test fails; generous, for machines under load.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// How long between two looks.
pub(crate) const LOOK: Duration = Duration::from_millis(50);
/// How long it may take to end.
const ENDING: Duration = Duration::from_secs(10);

/// A running process, and what it said.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(folder.path().join(name)).unwrap();
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("log"));
        let started = command.spawn();
        let child = started.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, folder }
    }

    /// What `read` finds in what the process has printed, once it finds it.
    pub(crate) async fn says<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let printed = self.file("out");
            if let Some(found) = read(&printed) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            let goes_on = ended.is_none() && started.elapsed() <= PATIENCE;
            assert!(goes_on, "it did not start ({ended:?}): {printed}{}", self.file("log"));
            tokio::time::sleep(LOOK).await;
        }
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    #[expect(clippy::disallowed_methods, reason = "a drop cannot await")]
    fn drop(&mut self) {
        let asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let started = Instant::now();
        while asked.is_ok() && started.elapsed() < ENDING {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
