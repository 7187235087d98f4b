//! Why the servers could not be had: one sentence each, with what to do, and a stable code.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong between us and the embedded servers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SupervisorError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or folder, or with which program.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// Another supervisor holds the data folder.
    #[error("another supervisor already runs the servers of {}", path.display())]
    AlreadySupervised {
        /// The data folder.
        path: PathBuf,
    },
    /// The wanted port is taken.
    #[error(
        "port {port} for {server} is busy: end the program that listens there, or choose another \
         port with {flag} or {variable}"
    )]
    PortBusy {
        /// What would have listened there.
        server: &'static str,
        /// The port.
        port: u16,
        /// The command line's setting.
        flag: &'static str,
        /// The environment's setting.
        variable: &'static str,
    },
    /// No port could be had at all.
    #[error("no free port was found for {server} on 127.0.0.1")]
    NoFreePort {
        /// What would have listened there.
        server: &'static str,
    },
    /// A program that we need is not installed.
    #[error("{tool} was not found: {advice}")]
    ToolMissing {
        /// The program.
        tool: &'static str,
        /// How to get it.
        advice: &'static str,
    },
    /// A program that we ran failed.
    #[error("{what} failed ({reason}); the last lines of {} are:\n{tail}", log.display())]
    ToolFailed {
        /// What was being done.
        what: String,
        /// How the program ended.
        reason: String,
        /// Where it wrote to.
        log: PathBuf,
        /// The last lines of that file.
        tail: String,
    },
    /// The data belong to another major version of PostgreSQL.
    #[error(
        "the data in {} were made by PostgreSQL {data} and only PostgreSQL {found} is here: \
         install PostgreSQL {data}, or delete the data with `codepix reset`", path.display()
    )]
    PostgresVersion {
        /// The cluster's folder.
        path: PathBuf,
        /// Its major version.
        data: u32,
        /// The major version of the newest PostgreSQL that was found.
        found: u32,
    },
    /// A server did not come up.
    #[error("{server} did not start: {reason}; the last lines of {} are:\n{tail}", log.display())]
    StartFailed {
        /// The server.
        server: &'static str,
        /// How it failed.
        reason: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// A signal asked us to end.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The supervisor, another process, reported this.
    #[error("{message}")]
    Reported {
        /// The code of its error.
        code: String,
        /// Its sentence.
        message: String,
    },
    /// The supervisor did not end.
    #[error(
        "the supervisor (process {pid}) of {} did not end in {seconds} s; look at supervisor.log \
         there", path.display()
    )]
    StopTimeout {
        /// Its process id.
        pid: u32,
        /// The data folder.
        path: PathBuf,
        /// How long it was given.
        seconds: u64,
    },
    /// The folder is not one of ours.
    #[error("{} is left alone: {reason}", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Why we think so.
        reason: &'static str,
    },
    /// Only one of two addresses was given.
    #[error("{given} is set and {missing} is not: set both, or none to use the embedded servers")]
    HalfGiven {
        /// The setting that is there.
        given: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A hidden subcommand was called by someone else than us.
    #[error("this subcommand is internal: {reason}")]
    Arguments {
        /// What is wrong with the arguments.
        reason: String,
    },
}

impl SupervisorError {
    /// The stable name of this kind of error.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Io { .. } => "io",
            Self::AlreadySupervised { .. } => "already_supervised",
            Self::PortBusy { .. } => "port_busy",
            Self::NoFreePort { .. } => "no_free_port",
            Self::ToolMissing { .. } => "tool_missing",
            Self::ToolFailed { .. } => "tool_failed",
            Self::PostgresVersion { .. } => "postgres_version",
            Self::StartFailed { .. } => "start_failed",
            Self::Interrupted => "interrupted",
            Self::Reported { code, .. } => code,
            Self::StopTimeout { .. } => "stop_timeout",
            Self::NotOurs { .. } => "not_ours",
            Self::HalfGiven { .. } => "half_given",
            Self::Arguments { .. } => "arguments",
        }
    }
}

/// Adds what was tried, and on what, to an error of the system.
pub(super) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> SupervisorError {
    let path = path.to_path_buf();
    move |cause| SupervisorError::Io { action, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_names_both_settings() {
        let error = SupervisorError::PortBusy {
            server: "PostgreSQL",
            port: 5433,
            flag: "--postgres-port",
            variable: "CODEPIX_POSTGRES_PORT",
        };
        let sentence = error.to_string();
        assert!(sentence.contains("5433"));
        assert!(sentence.contains("--postgres-port"));
        assert!(sentence.contains("CODEPIX_POSTGRES_PORT"));
        assert_eq!(error.code(), "port_busy");
    }

    #[test]
    fn another_version_names_both() {
        let error =
            SupervisorError::PostgresVersion { path: PathBuf::from("/d"), data: 14, found: 18 };
        assert!(error.to_string().contains("PostgreSQL 14"));
        assert!(error.to_string().contains("PostgreSQL 18"));
    }
}
