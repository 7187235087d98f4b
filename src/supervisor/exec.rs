//! The hidden subcommand `exec-server`: the last thing that is us in a server's process.
//!
//! `codepix exec-server [--uid U --gid G] --signal S --parent PID [--watch] -- program args…`
//!
//! The supervisor cannot ask the kernel for a child's parent-death signal without `unsafe` code
//! between fork and exec. So it executes this program again, and here, in a process of one thread,
//! it is three safe calls: change the user (which would clear the signal, so it comes first), set
//! the signal, look whether the supervisor still lives. Then this process becomes the server.
//!
//! With `--watch`, where the kernel has no such signal (macOS), this process stays: it reads a pipe
//! whose other end only the supervisor holds. A byte is a signal to pass on; the end of the pipe is
//! the end of the supervisor, and ends the server.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::SupervisorError;
use super::clock;
use super::error::io_error;
use super::user::ServerUser;

/// The name of the subcommand.
pub(super) const NAME: &str = "exec-server";
/// How long a watched server may take to end after its supervisor.
const WATCHED_END: Duration = Duration::from_secs(20);

/// Which program to become, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// User and group id to change to.
    pub(super) ids: Option<(u32, u32)>,
    /// The signal that ends the server when its supervisor dies.
    pub(super) signal: Signal,
    /// The supervisor.
    pub(super) parent: i32,
    /// Stay as a watchdog instead of becoming the server.
    pub(super) watch: bool,
    /// The server.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
}

impl Order {
    /// The user to change to.
    pub(super) fn ids_of(user: Option<&ServerUser>) -> Option<(u32, u32)> {
        user.map(|user| (user.uid, user.gid))
    }

    /// As arguments of our program.
    pub(super) fn to_arguments(&self) -> Vec<OsString> {
        let mut line = vec![NAME.to_owned()];
        if let Some((uid, gid)) = self.ids {
            line.extend(["--uid".to_owned(), uid.to_string(), "--gid".to_owned(), gid.to_string()]);
        }
        line.extend(["--signal".to_owned(), self.signal.as_raw().to_string()]);
        line.extend(["--parent".to_owned(), self.parent.to_string()]);
        if self.watch {
            line.push("--watch".to_owned());
        }
        line.push("--".to_owned());
        let mut line = line.into_iter().map(OsString::from).collect::<Vec<_>>();
        line.push(self.program.clone().into_os_string());
        line.extend(self.arguments.iter().cloned());
        line
    }

    /// The inverse, without the subcommand's name.
    pub(super) fn parse(
        mut arguments: impl Iterator<Item = OsString>,
    ) -> Result<Self, SupervisorError> {
        let (mut uid, mut gid, mut signal, mut parent, mut watch) = (None, None, None, None, false);
        loop {
            let name = arguments.next().ok_or_else(|| wrong("`--` is missing"))?;
            match name.to_str() {
                Some("--uid") => uid = Some(number(&mut arguments)?),
                Some("--gid") => gid = Some(number(&mut arguments)?),
                Some("--signal") => signal = Some(number(&mut arguments)?),
                Some("--parent") => parent = Some(number(&mut arguments)?),
                Some("--watch") => watch = true,
                Some("--") => break,
                _ => return Err(wrong(&format!("{} is unknown", name.display()))),
            }
        }
        let number = signal.ok_or_else(|| wrong("--signal is missing"))?;
        Ok(Self {
            ids: uid.zip(gid),
            signal: Signal::from_named_raw(number).ok_or_else(|| wrong("no such signal"))?,
            parent: parent.ok_or_else(|| wrong("--parent is missing"))?,
            watch,
            program: arguments.next().ok_or_else(|| wrong("the program is missing"))?.into(),
            arguments: arguments.collect(),
        })
    }
}

fn number<T: std::str::FromStr>(
    arguments: &mut impl Iterator<Item = OsString>,
) -> Result<T, SupervisorError> {
    let text = arguments.next().and_then(|text| text.into_string().ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| wrong("a number is missing"))
}

fn wrong(reason: &str) -> SupervisorError {
    SupervisorError::Arguments { reason: reason.to_owned() }
}

/// Becomes the server, or watches it; returns only if that fails or the watched server ended.
pub(super) fn exec_server(order: &Order) -> Result<ExitCode, SupervisorError> {
    if order.watch { watch(order) } else { Err(become_server(order)) }
}

#[cfg(target_os = "linux")]
fn become_server(order: &Order) -> SupervisorError {
    use rustix::process::{Gid, Uid, getppid, set_parent_process_death_signal};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

    let prepare = || -> io::Result<()> {
        if let Some((uid, gid)) = order.ids {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            set_thread_groups(&[])?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
        }
        set_parent_process_death_signal(Some(order.signal))?;
        Ok(())
    };
    if let Err(cause) = prepare() {
        return io_error("prepare to execute", &order.program)(cause);
    }
    if getppid() != Pid::from_raw(order.parent) {
        return wrong("its supervisor is gone");
    }
    let failure = Command::new(&order.program).args(&order.arguments).exec();
    io_error("execute", &order.program)(failure)
}

#[cfg(not(target_os = "linux"))]
fn become_server(_order: &Order) -> SupervisorError {
    wrong("this system has no parent-death signal; --watch is missing")
}

fn watch(order: &Order) -> Result<ExitCode, SupervisorError> {
    let mut command = Command::new(&order.program);
    command.args(&order.arguments).stdin(Stdio::null());
    if let Some((uid, gid)) = order.ids {
        command.uid(uid).gid(gid);
    }
    let mut server = command.spawn().map_err(io_error("execute", &order.program))?;
    let (pid, last) = (Pid::from_child(&server), order.signal);
    thread::spawn(move || {
        for byte in io::stdin().lock().bytes() {
            let Ok(byte) = byte else { break };
            if let Some(signal) = Signal::from_named_raw(byte.into()) {
                kill_process(pid, signal).ok();
            }
        }
        kill_process(pid, last).ok();
        clock::pause(WATCHED_END);
        kill_process(pid, Signal::KILL).ok();
    });
    let status = server.wait().map_err(io_error("wait for", &order.program))?;
    Ok(ExitCode::from(code_of(status)))
}

/// What a shell would report: the program's code, or 128 and the signal.
pub(super) fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            ids: Some((101, 104)),
            signal: Signal::INT,
            parent: 4711,
            watch: false,
            program: PathBuf::from("/usr/bin/postgres"),
            arguments: vec!["-D".into(), "/data with space".into(), "--uid".into()],
        }
    }

    fn sent(order: &Order) -> Order {
        let mut arguments = order.to_arguments().into_iter();
        assert_eq!(arguments.next().unwrap(), NAME);
        Order::parse(arguments).unwrap()
    }

    #[test]
    fn an_order_arrives_as_it_was_given() {
        assert_eq!(sent(&order()), order());
        let other = Order { ids: None, watch: true, signal: Signal::TERM, ..order() };
        assert_eq!(sent(&other), other);
    }

    #[test]
    fn half_an_order_is_refused() {
        let refused = |words: &[&str]| {
            Order::parse(words.iter().map(OsString::from)).unwrap_err().to_string()
        };
        assert!(refused(&[]).contains("`--` is missing"));
        assert!(refused(&["--signal", "2", "--"]).contains("--parent is missing"));
        assert!(refused(&["--signal", "2", "--parent", "1", "--"]).contains("program"));
        assert!(refused(&["--signal", "9999", "--parent", "1", "--", "x"]).contains("signal"));
        assert!(refused(&["--uid", "x"]).contains("number"));
        assert!(refused(&["--loud"]).contains("--loud is unknown"));
    }

    #[test]
    fn codes_are_those_of_a_shell() {
        assert_eq!(code_of(ExitStatus::from_raw(0)), 0);
        assert_eq!(code_of(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code_of(ExitStatus::from_raw(9)), 137);
    }
}
