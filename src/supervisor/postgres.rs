//! PostgreSQL: its cluster and how its server is run.
//!
//! Durability is real (`fsync` and `synchronous_commit` on). It listens on loopback alone, where
//! every local user is trusted, and has no socket file, so that no path is too long for it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::SupervisorError;
use super::child::Launch;
use super::error::io_error;
use super::files;
use super::orphan::Trace;
use super::postgres_binaries::{self, Installation};
use super::probe::{self, DATABASE};
use super::server::ServerPlan;
use super::supervise::Context;
use super::user;

/// Crash recovery included.
const READY_LIMIT: Duration = Duration::from_mins(5);
/// Fast shutdown, then immediate shutdown, which recovers at the next start.
const STOP: [(Signal, Duration); 2] =
    [(Signal::INT, Duration::from_secs(20)), (Signal::QUIT, Duration::from_secs(5))];
/// Immediate shutdown: nobody needs what a checkpoint would write, file by file.
const STOP_FOR_GOOD: [(Signal, Duration); 1] = [(Signal::QUIT, Duration::from_secs(5))];
const INITDB: [&str; 7] = [
    "--username",
    DATABASE,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
];
const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "max_connections=300",
    "shared_buffers=128MB",
    "timezone=UTC",
    "log_timezone=UTC",
];

/// Where the server answers.
pub(super) fn url(port: u16) -> String {
    format!("postgres://{DATABASE}@127.0.0.1:{port}/{DATABASE}")
}

/// Finds a PostgreSQL that can serve our data.
pub(super) fn installation(context: &Context<'_>) -> Result<Installation, SupervisorError> {
    postgres_binaries::find(context, data_version(&context.layout.postgres())?)
}

/// The major version that made the cluster; none if there is no cluster.
fn data_version(cluster: &Path) -> Result<Option<u32>, SupervisorError> {
    let file = cluster.join("PG_VERSION");
    if !cluster.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&file).map_err(io_error("read", &file))?;
    match text.trim().parse() {
        Ok(major) => Ok(Some(major)),
        Err(_) => Err(SupervisorError::NotOurs { path: file, reason: "it holds no version" }),
    }
}

/// Makes the cluster if there is none. It is made beside and renamed: half a one is never used.
pub(super) fn prepare(
    context: &Context<'_>,
    installation: &Installation,
) -> Result<(), SupervisorError> {
    let cluster = context.layout.postgres();
    let user = context.user.as_ref();
    if cluster.exists() {
        return user::hand_over(user, &cluster);
    }
    context.reporter.step(&format!(
        "first start: creating the database with PostgreSQL {}",
        installation.version.text
    ));
    let new = context.layout.postgres_new();
    files::delete(&new)?;
    files::create_folders(&new)?;
    user::hand_over(user, &new)?;
    let mut arguments = INITDB.map(OsString::from).to_vec();
    arguments.extend(["-D".into(), new.clone().into_os_string()]);
    let initdb = Launch {
        program: installation.programs.join("initdb"),
        arguments,
        log: context.layout.log("postgres"),
        death_signal: Signal::KILL,
        ..context.launch()
    };
    initdb.run("making the database's folder (initdb)", context.interrupt)?;
    fs::rename(&new, &cluster).map_err(io_error("put in place", &cluster))
}

/// How a server that outlived its supervisor is found.
pub(super) fn trace(context: &Context<'_>) -> Trace {
    let cluster = context.layout.postgres();
    Trace {
        server: "PostgreSQL",
        pid_file: cluster.join("postmaster.pid"),
        identity: cluster.into_os_string(),
        stop: if context.config.delete_at_end { &STOP_FOR_GOOD } else { &STOP },
        log: context.layout.log("postgres"),
    }
}

/// How the server is run on this port.
pub(super) fn plan(context: &Context<'_>, installation: &Installation, port: u16) -> ServerPlan {
    let trace = trace(context);
    let mut arguments = vec!["-D".into(), trace.identity.clone()];
    arguments.extend(["-p".into(), port.to_string().into()]);
    arguments.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), setting.into()]));
    ServerPlan {
        version: installation.version.text.clone(),
        port,
        launch: Launch {
            program: installation.programs.join("postgres"),
            arguments,
            log: trace.log.clone(),
            death_signal: Signal::INT,
            ..context.launch()
        },
        trace,
        we_write_pid_file: false,
        answers: probe::postgres_answers_or_is_completed,
        ready_within: READY_LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clusters_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = folder.path().join("postgres");
        assert_eq!(data_version(&cluster).unwrap(), None);
        fs::create_dir(&cluster).unwrap();
        assert_eq!(data_version(&cluster).unwrap_err().code(), "io");
        fs::write(cluster.join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(data_version(&cluster).unwrap(), Some(15));
        fs::write(cluster.join("PG_VERSION"), "9.6\n").unwrap();
        assert_eq!(data_version(&cluster).unwrap_err().code(), "not_ours");
    }

    #[test]
    fn the_url_names_user_port_and_database() {
        assert_eq!(url(5433), "postgres://codepix@127.0.0.1:5433/codepix");
    }
}
