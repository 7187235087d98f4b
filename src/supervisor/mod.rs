//! Real PostgreSQL and real Kafka as child processes, for whoever gives us no URLs.
//!
//! **Who is who.** A *hub* (any process of ours that needs servers) calls [`ensure_running`]. It
//! takes a lease on the data folder and either finds live servers or starts `codepix supervisor`,
//! a process of its own session that outlives a killed hub. The supervisor is the parent of both
//! servers: it restarts the one that dies, and when it dies itself, even by kill -9, the kernel
//! ends them (the hidden `exec-server` asks for that; elsewhere than on Linux a watchdog pipe
//! does). Without any lease for `idle_seconds` it stops Kafka, then PostgreSQL, and ends.
//!
//! **What coordinates them** are files of the data folder, so that nothing has to be cleaned up
//! after kill -9: `lock` (exclusive lock = a supervisor lives), `users` (shared lock = a lease;
//! the exclusive one = nobody uses the servers), `progress.json` and `endpoints.json` (replaced
//! atomically, believed only while `lock` is held by the process that wrote them).
//!
//! **Blocking on purpose.** The kernel's parent-death signal follows the spawning *thread*, so the
//! supervisor is one plain thread, the one that called [`run_hidden`]; call that first in `main`,
//! before any runtime starts.
//!
//! **Platforms.** Run on Linux x86-64. Written for macOS and arm64 and untested there; the watchdog
//! itself is tested on Linux.

mod child;
mod client;
mod clock;
mod config;
mod error;
mod exec;
mod files;
mod fresh;
mod hidden;
mod interrupt;
mod java;
mod kafka;
mod lock;
mod maven;
mod orphan;
mod paths;
mod ports;
mod postgres;
mod postgres_binaries;
mod probe;
mod server;
mod state;
mod supervise;
mod tool;
mod user;

pub(crate) use client::{Running, ensure_running, reset, status, stop};
pub(crate) use config::{Endpoints, ServersConfig};
pub(crate) use error::SupervisorError;
pub(crate) use fresh::{exit_code, run_with_fresh_servers};
pub(crate) use hidden::run_hidden;
pub(crate) use paths::resolve_data_dir;
pub(crate) use ports::PortChoice;
