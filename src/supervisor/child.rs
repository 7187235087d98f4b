//! One child process of the supervisor: how it is started, signalled and awaited.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, io};

use rustix::process::{Pid, Signal, kill_process};

use super::SupervisorError;
use super::clock::{self, Moment};
use super::error::io_error;
use super::exec::Order;
use super::files;
use super::interrupt::Interrupt;
use super::tool;
use super::user::ServerUser;

const STEP: Duration = Duration::from_millis(20);

/// Everything that it takes to start a program as the servers' user, tied to our life.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    /// Our own program, for `exec-server`.
    pub(super) ours: PathBuf,
    /// The program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// Its current folder.
    pub(super) folder: PathBuf,
    /// Where it writes to.
    pub(super) log: PathBuf,
    /// Whom it runs as; ourselves if absent.
    pub(super) user: Option<ServerUser>,
    /// What ends it when we die.
    pub(super) death_signal: Signal,
    /// By a watchdog pipe instead of the kernel.
    pub(super) watchdog: bool,
}

impl Launch {
    /// Starts it. The calling thread must live as long as the supervisor: the kernel takes the
    /// thread's end for the parent's.
    pub(super) fn spawn(&self) -> Result<ServerProcess, SupervisorError> {
        let order = Order {
            ids: Order::ids_of(self.user.as_ref()),
            signal: self.death_signal,
            parent: i32::try_from(process::id()).unwrap_or(0),
            watch: self.watchdog,
            program: self.program.clone(),
            arguments: self.arguments.clone(),
        };
        let log = files::open_log(&self.log)?;
        let errors = log.try_clone().map_err(io_error("open", &self.log))?;
        let mut command = our_command(&self.ours);
        command
            .args(order.to_arguments())
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("LC_ALL", "C")
            .stdin(if self.watchdog { Stdio::piped() } else { Stdio::null() })
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        let mut child = command.spawn().map_err(io_error("start", &self.program))?;
        let watchdog = child.stdin.take();
        Ok(ServerProcess { child, watchdog })
    }

    /// Runs it to its end, `what` being what it does.
    pub(super) fn run(&self, what: &str, interrupt: &Interrupt) -> Result<(), SupervisorError> {
        let from = files::length(&self.log);
        let mut process = self.spawn()?;
        tool::finish(&mut process.child, interrupt, &tool::Task { what, log: &self.log, from })
    }
}

/// This program, even if its file was replaced since it started.
pub(super) fn our_program(configured: Option<&Path>) -> Result<PathBuf, SupervisorError> {
    let ourselves = Path::new("/proc/self/exe");
    match configured {
        Some(program) => Ok(program.to_path_buf()),
        None if ourselves.exists() => Ok(ourselves.to_path_buf()),
        None => env::current_exe().map_err(io_error("find", Path::new("our own program"))),
    }
}

/// A command that shows as `codepix`, wherever the program lies.
pub(super) fn our_command(ours: &Path) -> Command {
    let mut command = Command::new(ours);
    command.arg0("codepix");
    command
}

/// A started program.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    watchdog: Option<ChildStdin>,
}

impl ServerProcess {
    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Sends a signal, unless it has ended: only we reap it, so until then its id is its own.
    pub(super) fn signal(&mut self, signal: Signal) {
        if !matches!(self.ended(), Ok(None)) {
            return;
        }
        let sent = match (&mut self.watchdog, u8::try_from(signal.as_raw())) {
            (Some(pipe), Ok(byte)) => pipe.write_all(&[byte]),
            _ => kill_process(Pid::from_child(&self.child), signal).map_err(io::Error::from),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "signal not delivered");
        }
    }

    /// Waits at most this long for its end.
    pub(super) fn ends_within(&mut self, limit: Duration) -> bool {
        let started = Moment::now();
        loop {
            match self.ended() {
                Ok(None) if started.elapsed() < limit => clock::pause(STEP),
                Ok(status) => return status.is_some(),
                Err(_) => return true,
            }
        }
    }
}
