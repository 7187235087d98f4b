//! Servers for one command: `codepix servers --fresh -- cargo test`.
//!
//! They have free ports and a data folder of their own, which is gone afterwards: this process
//! deletes it, once the servers are down. If it is killed, the supervisor sees the lease end, stops
//! and deletes; if both are, the next run does. Many tests leave tens of thousands of files, whose
//! deletion may take a slow disk minutes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, kill_process};

use super::SupervisorError;
use super::client::{ensure_running, stop};
use super::config::ServersConfig;
use super::error::io_error;
use super::exec::code_of;
use super::files;
use super::interrupt::Interrupt;
use super::lock::{self, SupervisorLock};
use super::paths::Layout;

/// Nobody comes back to these servers.
const IDLE_SECONDS: u64 = 5;
/// A folder that nobody holds is surely left over when it is this old.
const LEFT_OVER: Duration = Duration::from_mins(10);
const STEP: Duration = Duration::from_millis(50);
const FOLDERS_MAX: u32 = 1000;

/// Runs a command with `CODEPIX_TEST_DATABASE_URL` and `CODEPIX_TEST_KAFKA_BROKERS` of servers
/// made for it, which live below `config.data_dir` and are gone afterwards. SIGINT and SIGTERM
/// are passed on to the command.
///
/// # Errors
/// What keeps servers from starting or stopping, or the command from starting; how the command
/// ends is no error of ours.
pub(crate) fn run_with_fresh_servers(
    config: &ServersConfig,
    command: &mut Command,
    progress: &mut dyn FnMut(&str),
) -> Result<ExitStatus, SupervisorError> {
    let parent = Layout::prepare(&config.data_dir)?;
    sweep(&parent);
    let folder = new_folder(&parent)?;
    let own = ServersConfig {
        data_dir: folder.clone(),
        idle_seconds: IDLE_SECONDS,
        database_url: None,
        kafka_brokers: None,
        delete_at_end: true,
        ..config.clone().on_free_ports()
    };
    let outcome = ensure_running(&own, progress).and_then(|running| {
        command
            .env("CODEPIX_TEST_DATABASE_URL", &running.endpoints.database_url)
            .env("CODEPIX_TEST_KAFKA_BROKERS", &running.endpoints.kafka_brokers);
        let program = PathBuf::from(command.get_program());
        let interrupt = Interrupt::listen().map_err(io_error("hear signals for", &program))?;
        run(command, &interrupt)
    });
    progress("deleting the data of the servers");
    let removed = remove(&folder);
    fs::remove_dir(parent.fresh()).ok();
    outcome.and_then(|status| removed.map(|()| status))
}

/// The exit code for whoever ran us: the command's, or 128 and the signal that ended it.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    code_of(status)
}

fn run(command: &mut Command, interrupt: &Interrupt) -> Result<ExitStatus, SupervisorError> {
    let program = PathBuf::from(command.get_program());
    let mut child = command.spawn().map_err(io_error("start", &program))?;
    loop {
        if let Some(status) = child.try_wait().map_err(io_error("wait for", &program))? {
            return Ok(status);
        }
        if let Some(signal) = interrupt.next(STEP) {
            kill_process(Pid::from_child(&child), signal).ok();
        }
    }
}

fn new_folder(parent: &Layout) -> Result<PathBuf, SupervisorError> {
    let all = parent.fresh();
    files::create_folders(&all)?;
    for number in 0..FOLDERS_MAX {
        let folder = all.join(format!("{}-{number}", process::id()));
        match fs::create_dir(&folder) {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(io_error("create", &folder)(cause)),
            Ok(()) => {
                files::share_tree(&folder)?;
                return Ok(folder);
            }
        }
    }
    Err(SupervisorError::NotOurs { path: all, reason: "it is full of left-overs; delete it" })
}

/// Stops and deletes.
fn remove(folder: &Path) -> Result<(), SupervisorError> {
    stop(folder)?;
    match Layout::existing(folder) {
        Some(layout) => layout.delete(),
        None => files::delete(folder),
    }
}

/// Deletes folders whose run and supervisor were both killed.
fn sweep(parent: &Layout) {
    for folder in files::entries(&parent.fresh()).unwrap_or_default() {
        let swept = sweep_one(&folder);
        if let Err(error) = swept {
            tracing::debug!(%error, folder = %folder.display(), "left over");
        }
    }
}

fn sweep_one(folder: &Path) -> Result<(), SupervisorError> {
    let modified = fs::metadata(folder).and_then(|metadata| metadata.modified());
    let age = modified.map_err(io_error("look at", folder))?.elapsed().unwrap_or_default();
    let Some(layout) = Layout::existing(folder).filter(|_| age > LEFT_OVER) else {
        return Ok(());
    };
    if lock::is_supervised(&layout)? {
        return Ok(());
    }
    let _lock = SupervisorLock::take(&layout)?;
    match lock::no_lease(&layout)? {
        Some(_nobody) => layout.delete(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn folders_are_unique_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let parent = Layout::prepare(folder.path()).unwrap();
        let one = new_folder(&parent).unwrap();
        let two = new_folder(&parent).unwrap();
        assert_ne!(one, two);
        Layout::prepare(&one).unwrap();
        remove(&one).unwrap();
        remove(&two).unwrap();
        assert!(!one.exists() && !two.exists());
    }

    #[test]
    fn only_what_is_old_and_unused_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let parent = Layout::prepare(folder.path()).unwrap();
        let young = new_folder(&parent).unwrap();
        let old = new_folder(&parent).unwrap();
        let used = new_folder(&parent).unwrap();
        for folder in [&young, &old, &used] {
            Layout::prepare(folder).unwrap();
        }
        let lock = SupervisorLock::take(&Layout::existing(&used).unwrap()).unwrap();
        let past = fs::metadata(&old).unwrap().modified().unwrap() - LEFT_OVER - LEFT_OVER;
        for folder in [&old, &used] {
            fs::File::open(folder).unwrap().set_modified(past).unwrap();
        }
        sweep(&parent);
        assert!(young.exists() && used.exists());
        assert!(!old.exists());
        drop(lock);
    }

    #[test]
    fn the_commands_code_is_ours() {
        assert_eq!(exit_code(ExitStatus::from_raw(101 << 8)), 101);
        let never = Interrupt::never();
        let status = run(Command::new("sh").args(["-c", "exit 7"]), &never).unwrap();
        assert_eq!(exit_code(status), 7);
        assert_eq!(run(&mut Command::new("/no/such/program"), &never).unwrap_err().code(), "io");
    }
}
