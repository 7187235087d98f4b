//! Servers that outlived their supervisor.
//!
//! After kill -9 of a supervisor the kernel signals its servers, which then need a moment, and
//! PostgreSQL refuses to start while the process of `postmaster.pid` lives. That file may also name
//! a process that has ended and whose id went to somebody else, or one that nobody reaps. So: wait
//! for a living server of ours, end it if it does not end, and remove what the dead left.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::SupervisorError;
use super::clock::Moment;
use super::files;
use super::interrupt::Interrupt;
use super::state::Reporter;

/// What a server gets for ending by itself, and once more after SIGKILL.
const PATIENCE: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(50);

/// By what a server is known after its supervisor died.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// Its name, for messages.
    pub(super) server: &'static str,
    /// An argument that no other process has.
    pub(super) identity: OsString,
    /// The file with its process id.
    pub(super) pid_file: PathBuf,
    /// Signals that end it, from gentle to rough; SIGKILL follows.
    pub(super) stop: &'static [(Signal, Duration)],
    /// Its log.
    pub(super) log: PathBuf,
}

/// Waits until the server of an earlier supervisor has ended, and removes its pid file. The caller
/// holds the supervisor's lock: nobody else starts servers on this folder.
pub(super) fn end(
    trace: &Trace,
    interrupt: &Interrupt,
    reporter: &Reporter,
) -> Result<(), SupervisorError> {
    if let Some(pid) = pid_in(&trace.pid_file) {
        let lives = || is_alive(pid) && is_server(pid, &trace.identity);
        let number = pid.as_raw_pid();
        if lives() {
            let server = trace.server;
            reporter.step(&format!("waiting for the old {server} (process {number}) to end"));
        }
        let mut signals = trace.stop.iter().map(|(signal, _)| *signal).chain([Signal::KILL]);
        while !ends_within(PATIENCE, lives, interrupt)? {
            let Some(signal) = signals.next() else {
                return Err(SupervisorError::StartFailed {
                    server: trace.server,
                    reason: format!("its old process {number} does not end"),
                    log: trace.log.clone(),
                    tail: files::tail(&trace.log, 0),
                });
            };
            kill_process(pid, signal).ok();
        }
    }
    files::delete(&trace.pid_file)
}

fn ends_within(
    limit: Duration,
    lives: impl Fn() -> bool,
    interrupt: &Interrupt,
) -> Result<bool, SupervisorError> {
    let started = Moment::now();
    while lives() {
        if started.elapsed() > limit {
            return Ok(false);
        }
        interrupt.pause(STEP)?;
    }
    Ok(true)
}

/// The first line of a pid file; PostgreSQL negates it while it runs single-user.
fn pid_in(path: &Path) -> Option<Pid> {
    let text = fs::read_to_string(path).ok()?;
    let number = text.lines().next()?.trim().parse::<i32>().ok()?;
    Pid::from_raw(number.checked_abs()?)
}

/// The process exists and is more than an entry that nobody reaped.
fn is_alive(pid: Pid) -> bool {
    if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return false;
    }
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid()));
    !stat.is_ok_and(|stat| is_dead(&stat))
}

/// The state stands behind the name, which is in parentheses and may hold some itself.
fn is_dead(stat: &str) -> bool {
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('Z' | 'X'))
}

/// One of the process's arguments is the one that only our server has.
#[cfg(target_os = "linux")]
fn is_server(pid: Pid, identity: &OsStr) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_pid())).unwrap_or_default();
    let identity = identity.as_encoded_bytes();
    line.split(|byte| *byte == 0).any(|argument| argument == identity)
}

#[cfg(not(target_os = "linux"))]
use self::is_server_by_ps as is_server;

/// The same where there is no `/proc`; of a dead process `ps` shows no arguments.
#[cfg(any(test, not(target_os = "linux")))]
fn is_server_by_ps(pid: Pid, identity: &OsStr) -> bool {
    let pid = pid.as_raw_pid().to_string();
    let line =
        std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid]).output();
    let identity = identity.as_encoded_bytes();
    line.is_ok_and(|line| line.stdout.windows(identity.len()).any(|part| part == identity))
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_pid_file_may_be_anything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postmaster.pid");
        assert_eq!(pid_in(&path), None);
        for (text, pid) in [("17\n/data\n", Some(17)), ("-17", Some(17)), ("", None), ("x", None)] {
            fs::write(&path, text).unwrap();
            assert_eq!(pid_in(&path).map(Pid::as_raw_pid), pid, "{text}");
        }
    }

    #[test]
    fn a_state_behind_an_odd_name_is_read() {
        assert!(is_dead("12 (post) gres) Z 1 12"));
        assert!(!is_dead("12 (postgres) S 1 12"));
        assert!(!is_dead(""));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_zombie_is_dead() {
        let mut child = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let started = Moment::now();
        while is_alive(pid) {
            assert!(started.elapsed() < Duration::from_secs(10));
            super::super::clock::pause(STEP);
        }
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_reused_id_is_not_our_server() {
        let ourselves = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let first = std::env::args_os().next().unwrap();
        assert!(is_alive(ourselves));
        assert!(!is_server(ourselves, OsStr::new("/data/postgres")));
        assert!(is_server(ourselves, &first));
        if !super::super::tool::on_path("ps").is_empty() {
            assert!(!is_server_by_ps(ourselves, OsStr::new("/data/postgres")));
            assert!(is_server_by_ps(ourselves, &first));
        }
    }
}
