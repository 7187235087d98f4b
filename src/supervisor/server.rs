//! One supervised server: started, watched, started again after it died, stopped in order.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

use super::SupervisorError;
use super::child::{Launch, ServerProcess};
use super::clock::Moment;
use super::files;
use super::orphan::Trace;
use super::state::PublishedServer;

/// The pause before a restart; it doubles with each start in a row that failed.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(15);
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// How to run one server.
#[derive(Debug, Clone)]
pub(super) struct ServerPlan {
    /// Its name, its log, how it is found and ended.
    pub(super) trace: Trace,
    /// Its version.
    pub(super) version: String,
    /// Its port for clients.
    pub(super) port: u16,
    /// Its process.
    pub(super) launch: Launch,
    /// The server does not write its pid file, so we do.
    pub(super) we_write_pid_file: bool,
    /// Whether it serves requests on its port.
    pub(super) answers: fn(u16) -> bool,
    /// How long that may take, recovery included.
    pub(super) ready_within: Duration,
}

#[derive(Debug)]
enum State {
    /// Down until this much time has passed.
    Down {
        since: Moment,
        pause: Duration,
    },
    Starting {
        process: ServerProcess,
        since: Moment,
    },
    Ready {
        process: ServerProcess,
    },
}

/// A server and what became of it.
#[derive(Debug)]
pub(super) struct Server {
    plan: ServerPlan,
    state: State,
    last_pid: u32,
    log_from: u64,
    failures: u32,
}

impl Server {
    /// Starts the server for the first time.
    pub(super) fn start(plan: ServerPlan) -> Result<Self, SupervisorError> {
        let state = State::Down { since: Moment::now(), pause: Duration::ZERO };
        let mut server = Self { plan, state, last_pid: 0, log_from: 0, failures: 0 };
        server.launch()?;
        Ok(server)
    }

    fn launch(&mut self) -> Result<(), SupervisorError> {
        self.log_from = files::length(&self.plan.trace.log);
        let process = self.plan.launch.spawn()?;
        self.last_pid = process.id();
        self.state = State::Starting { process, since: Moment::now() };
        if self.plan.we_write_pid_file {
            files::write_atomically(
                &self.plan.trace.pid_file,
                self.last_pid.to_string().as_bytes(),
            )?;
        }
        Ok(())
    }

    /// For the first start: true once it is ready; its end, or no end of waiting, is an error.
    pub(super) fn is_up(&mut self) -> Result<bool, SupervisorError> {
        match self.look() {
            Seen::Nothing => Ok(matches!(self.state, State::Ready { .. })),
            Seen::Ready(took) => {
                tracing::info!(server = self.plan.trace.server, ?took, "ready");
                Ok(true)
            }
            Seen::Lost(reason) => Err(SupervisorError::StartFailed {
                server: self.plan.trace.server,
                reason,
                log: self.plan.trace.log.clone(),
                tail: files::tail(&self.plan.trace.log, self.log_from),
            }),
        }
    }

    /// For the time after: starts it again when it died. True if it came back just now.
    pub(super) fn tend(&mut self) -> bool {
        if let State::Down { since, pause } = &self.state
            && since.elapsed() >= *pause
            && let Err(error) = self.launch()
        {
            tracing::error!(server = self.plan.trace.server, %error, "it cannot be started");
            self.rest();
        }
        match self.look() {
            Seen::Nothing => false,
            Seen::Ready(took) => {
                tracing::info!(
                    server = self.plan.trace.server,
                    pid = self.last_pid,
                    ?took,
                    "it is back"
                );
                true
            }
            Seen::Lost(reason) => {
                let tail = files::tail(&self.plan.trace.log, self.log_from);
                self.rest();
                let (server, port) = (self.plan.trace.server, self.plan.port);
                tracing::error!(server, port, %reason, %tail, "starting it again");
                false
            }
        }
    }

    /// Moves from starting to ready, or to lost; the caller decides what a loss means.
    fn look(&mut self) -> Seen {
        let (process, ready) = match &mut self.state {
            State::Down { .. } => return Seen::Nothing,
            State::Starting { process, .. } => (process, false),
            State::Ready { process } => (process, true),
        };
        match process.ended() {
            Ok(None) if ready => Seen::Nothing,
            Ok(None) => self.ask(),
            Ok(Some(status)) => Seen::Lost(describe(status)),
            Err(error) => Seen::Lost(error.to_string()),
        }
    }

    fn ask(&mut self) -> Seen {
        let down = State::Down { since: Moment::now(), pause: Duration::ZERO };
        match std::mem::replace(&mut self.state, down) {
            State::Starting { process, since } if (self.plan.answers)(self.plan.port) => {
                self.state = State::Ready { process };
                Seen::Ready(since.elapsed())
            }
            State::Starting { mut process, since } if since.elapsed() > self.plan.ready_within => {
                process.signal(Signal::KILL);
                process.ends_within(KILL_LIMIT);
                Seen::Lost(format!("it did not answer within {:?}", self.plan.ready_within))
            }
            other @ (State::Down { .. } | State::Starting { .. } | State::Ready { .. }) => {
                self.state = other;
                Seen::Nothing
            }
        }
    }

    /// Plans the next start, later after each one that failed.
    fn rest(&mut self) {
        let was_ready = matches!(self.state, State::Ready { .. });
        self.failures = if was_ready { 1 } else { self.failures.saturating_add(1) };
        self.state = State::Down { since: Moment::now(), pause: backoff(self.failures) };
    }

    /// Ends it, first gently, in bounded time.
    pub(super) fn stop(&mut self) {
        let (State::Starting { process, .. } | State::Ready { process }) = &mut self.state else {
            return;
        };
        let started = Moment::now();
        let kill = [(Signal::KILL, KILL_LIMIT)];
        for (signal, limit) in self.plan.trace.stop.iter().chain(&kill) {
            process.signal(*signal);
            if process.ends_within(*limit) {
                break;
            }
            tracing::warn!(server = self.plan.trace.server, "it does not end");
        }
        tracing::info!(server = self.plan.trace.server, took = ?started.elapsed(), "stopped");
        if self.plan.we_write_pid_file
            && let Err(error) = files::delete(&self.plan.trace.pid_file)
        {
            tracing::warn!(%error, "its pid file stays");
        }
    }

    /// What `endpoints.json` says of it.
    pub(super) fn published(&self) -> PublishedServer {
        PublishedServer {
            pid: self.last_pid,
            port: self.plan.port,
            version: self.plan.version.clone(),
        }
    }
}

enum Seen {
    Nothing,
    Ready(Duration),
    Lost(String),
}

fn describe(status: ExitStatus) -> String {
    format!("it ended ({status})")
}

fn backoff(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    if failures == 0 {
        Duration::ZERO
    } else {
        BACKOFF_MIN.saturating_mul(doubled).min(BACKOFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_slower_and_never_stop() {
        let pauses = (0..9).map(|failures| backoff(failures).as_millis()).collect::<Vec<_>>();
        assert_eq!(pauses, [0, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }
}
