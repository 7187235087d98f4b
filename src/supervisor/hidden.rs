//! The two subcommands that only we call. They come before every other thing in `main`: before a
//! runtime has threads and before the command line is parsed.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use rustix::process::setsid;
use tracing::Level;

use super::SupervisorError;
use super::config::ServersConfig;
use super::exec::{self, Order, exec_server};
use super::supervise::supervise;

/// The subcommand that runs the servers.
pub(super) const SUPERVISOR: &str = "supervisor";
/// Its one option, whose value is JSON.
pub(super) const CONFIG: &str = "--config";
/// Its exit code when another supervisor was there before (`EX_TEMPFAIL`).
pub(super) const ALREADY_SUPERVISED: i32 = 75;
const ALREADY_SUPERVISED_CODE: u8 = 75;

/// Runs `codepix supervisor --config JSON` or `codepix exec-server …` if these are our arguments
/// (the program's name first). `None`: go on with the ordinary command line.
pub(crate) fn run_hidden(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let subcommand = arguments.nth(1)?;
    if subcommand == SUPERVISOR {
        return Some(run_supervisor(arguments));
    }
    (subcommand == exec::NAME).then(|| {
        Order::parse(arguments).and_then(|order| exec_server(&order)).unwrap_or_else(|error| {
            // Standard error is the server's log here.
            writeln!(io::stderr(), "codepix {}: {error}", exec::NAME).ok();
            ExitCode::FAILURE
        })
    })
}

fn run_supervisor(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(io::stderr)
        .with_max_level(Level::INFO)
        .with_target(false)
        .try_init()
        .ok();
    // It fails for a process that leads its group already, which needs it no more.
    setsid().ok();
    let config = match (arguments.next(), arguments.next().map(OsString::into_string)) {
        (Some(name), Some(Ok(json))) if name == CONFIG => ServersConfig::from_argument(&json),
        _ => Err(SupervisorError::Arguments { reason: format!("{CONFIG} is missing") }),
    };
    match config.and_then(|config| supervise(&config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ SupervisorError::AlreadySupervised { .. }) => {
            tracing::info!("{error}");
            ExitCode::from(ALREADY_SUPERVISED_CODE)
        }
        Err(error) => {
            tracing::error!(code = error.code(), "{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Option<ExitCode> {
        run_hidden(words.iter().map(OsString::from))
    }

    #[test]
    fn ordinary_subcommands_pass() {
        assert_eq!(run(&["codepix"]), None);
        assert_eq!(run(&["codepix", "demo", "--once"]), None);
        assert_eq!(run(&["codepix", "--config", "supervisor"]), None);
    }

    #[test]
    fn strangers_are_refused() {
        assert_eq!(run(&["codepix", "exec-server", "--", "true"]), Some(ExitCode::FAILURE));
    }

    #[test]
    fn both_numbers_are_one() {
        assert_eq!(i32::from(ALREADY_SUPERVISED_CODE), ALREADY_SUPERVISED);
    }
}
