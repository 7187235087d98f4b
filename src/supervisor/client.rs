//! What a hub does: have servers, look at them, stop them, delete their data.

use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::SupervisorError;
use super::child;
use super::clock::{self, Moment};
use super::config::{Endpoints, ServersConfig};
use super::error::io_error;
use super::files;
use super::hidden;
use super::lock::{self, Lease};
use super::paths::Layout;
use super::probe;
use super::state::{Progress, Published};

const STEP: Duration = Duration::from_millis(40);
/// No news for so long while servers start or are downloaded means that something hangs.
const START_LIMIT: Duration = Duration::from_mins(15);
/// Published servers that are down this long are not coming back by themselves.
const ANSWER_LIMIT: Duration = Duration::from_mins(3);
/// Kafka's and PostgreSQL's own limits together, and some.
const STOP_LIMIT: Duration = Duration::from_secs(90);
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Servers that may be used until this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where they answer.
    pub(crate) endpoints: Endpoints,
    /// What the user should know, such as a default port that was busy.
    pub(crate) notices: Vec<String>,
    /// Keeps them alive; none if they are the user's own.
    pub(crate) lease: Option<Lease>,
}

/// Gives servers that answer: the user's own if configured, else the live ones of the data folder,
/// else new ones. Blocks, minutes long when they are downloaded for the first time; `progress`
/// hears what is being done.
///
/// # Errors
/// Whatever kept the servers from coming up, with the end of the log that tells.
pub(crate) fn ensure_running(
    config: &ServersConfig,
    progress: &mut dyn FnMut(&str),
) -> Result<Running, SupervisorError> {
    if let Some(endpoints) = config.given()? {
        return Ok(Running { endpoints, notices: Vec::new(), lease: None });
    }
    let layout = Layout::prepare(&config.data_dir)?;
    let lease = Lease::take(&layout, progress)?;
    let mut start = Start::new(config, &layout);
    loop {
        if let Some(found) = start.look(progress)? {
            start.leave();
            return Ok(Running {
                endpoints: found.endpoints,
                notices: found.notices,
                lease: Some(lease),
            });
        }
        clock::pause(STEP);
    }
}

/// The wait for servers that answer.
struct Start<'a> {
    config: &'a ServersConfig,
    layout: &'a Layout,
    supervisor: Option<Child>,
    log_from: u64,
    reporting: u32,
    reported: usize,
    said_down: bool,
    last_news: Moment,
}

impl<'a> Start<'a> {
    fn new(config: &'a ServersConfig, layout: &'a Layout) -> Self {
        Self {
            config,
            layout,
            supervisor: None,
            log_from: files::length(&layout.log("supervisor")),
            reporting: 0,
            reported: 0,
            said_down: false,
            last_news: Moment::now(),
        }
    }

    fn look(
        &mut self,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Option<Published>, SupervisorError> {
        if !lock::is_supervised(self.layout)? {
            self.spawn_or_judge()?;
            return Ok(None);
        }
        let pid = lock::supervisor_of(self.layout)?;
        let published = pid.and_then(|pid| Published::by(self.layout, pid));
        let limit = match &published {
            Some(found) if is_answering(found) => return Ok(published),
            Some(_) => {
                self.say_that_they_are_down(progress);
                ANSWER_LIMIT
            }
            None => {
                self.report(pid, progress);
                START_LIMIT
            }
        };
        if self.last_news.elapsed() > limit {
            return Err(self.failed(format!("no answer for {} s", limit.as_secs())));
        }
        Ok(None)
    }

    /// Nobody supervises: start a supervisor, or learn why ours ended.
    fn spawn_or_judge(&mut self) -> Result<(), SupervisorError> {
        let Some(supervisor) = &mut self.supervisor else {
            self.supervisor = Some(self.spawn()?);
            return Ok(());
        };
        let log = self.layout.log("supervisor");
        match supervisor.try_wait().map_err(io_error("wait for", &log))? {
            None => Ok(()),
            Some(status) => {
                let id = supervisor.id();
                self.supervisor = None;
                self.judge(id, status)
            }
        }
    }

    /// Another one was quicker: fine, look again. Anything else is an error.
    fn judge(&self, id: u32, status: ExitStatus) -> Result<(), SupervisorError> {
        let failure = Progress::read(self.layout)
            .filter(|progress| progress.supervisor == id)
            .and_then(|progress| progress.failure);
        match (failure, status.code()) {
            (Some(failure), _) => Err(failure.into()),
            (None, Some(hidden::ALREADY_SUPERVISED)) => Ok(()),
            (None, Some(0)) => Err(self.failed("it was asked to stop".to_owned())),
            (None, _) => Err(self.failed(format!("it ended ({status})"))),
        }
    }

    fn failed(&self, reason: String) -> SupervisorError {
        let log = self.layout.log("supervisor");
        let tail = files::tail(&log, self.log_from);
        SupervisorError::StartFailed { server: "the supervisor", reason, log, tail }
    }

    /// Starts a supervisor, which makes a session of its own: it outlives us.
    fn spawn(&self) -> Result<Child, SupervisorError> {
        let ours = child::our_program(self.config.program.as_deref())?;
        let config =
            ServersConfig { data_dir: self.layout.root().to_path_buf(), ..self.config.clone() };
        let path = self.layout.log("supervisor");
        let log = files::open_log(&path)?;
        let errors = log.try_clone().map_err(io_error("open", &path))?;
        child::our_command(&ours)
            .args([hidden::SUPERVISOR, hidden::CONFIG, &config.to_argument()?])
            .current_dir(self.layout.root())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(io_error("start", &ours))
    }

    fn say_that_they_are_down(&mut self, progress: &mut dyn FnMut(&str)) {
        if !self.said_down {
            progress("a server is down; waiting for the supervisor to restart it");
            self.said_down = true;
            self.last_news = Moment::now();
        }
    }

    /// Passes on what the supervisor began since we last looked; of one that was there before us,
    /// only its last step.
    fn report(&mut self, supervisor: Option<u32>, progress: &mut dyn FnMut(&str)) {
        let found = Progress::read(self.layout);
        let Some(found) = found.filter(|found| Some(found.supervisor) == supervisor) else {
            return;
        };
        if found.supervisor != self.reporting {
            let new = self.supervisor.as_ref().is_some_and(|ours| ours.id() == found.supervisor);
            let known = if new { 0 } else { found.steps.len().saturating_sub(1) };
            (self.reporting, self.reported) = (found.supervisor, known);
        }
        for step in found.steps.iter().skip(self.reported) {
            progress(step);
            self.last_news = Moment::now();
        }
        self.reported = found.steps.len();
    }

    /// Lets go of a supervisor that we started: whenever it ends, somebody must take note.
    fn leave(self) {
        if let Some(mut supervisor) = self.supervisor {
            thread::spawn(move || supervisor.wait());
        }
    }
}

fn is_answering(found: &Published) -> bool {
    probe::postgres_answers(found.postgres.port) && probe::kafka_answers(found.kafka.port)
}

/// What is known of the servers of a data folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Status {
    /// The living supervisor's process.
    pub(crate) supervisor: Option<u32>,
    /// What it published; none while it starts or ends.
    pub(crate) published: Option<Published>,
    /// PostgreSQL serves queries.
    pub(crate) postgres_answers: bool,
    /// Kafka serves requests.
    pub(crate) kafka_answers: bool,
    /// Some hub has a lease.
    pub(crate) in_use: bool,
}

/// Looks at the servers of a data folder, without starting any.
///
/// # Errors
/// `io` if the folder cannot be read.
pub(crate) fn status(data_dir: &Path) -> Result<Status, SupervisorError> {
    let Some(layout) = Layout::existing(data_dir) else {
        return Ok(Status {
            supervisor: None,
            published: None,
            postgres_answers: false,
            kafka_answers: false,
            in_use: false,
        });
    };
    let supervisor = lock::supervisor_of(&layout)?;
    let published = supervisor.and_then(|pid| Published::by(&layout, pid));
    let answers = |of: fn(&Published) -> bool| published.as_ref().is_some_and(of);
    Ok(Status {
        supervisor,
        postgres_answers: answers(|found| probe::postgres_answers(found.postgres.port)),
        kafka_answers: answers(|found| probe::kafka_answers(found.kafka.port)),
        in_use: lock::is_used(&layout)?,
        published,
    })
}

/// Asks the supervisor of a data folder to stop its servers and waits until they are down. False
/// if there was none.
///
/// # Errors
/// `stop_timeout` if it does not end; it is then killed, which ends its servers too.
pub(crate) fn stop(data_dir: &Path) -> Result<bool, SupervisorError> {
    let Some(layout) = Layout::existing(data_dir) else { return Ok(false) };
    let Some(pid) = lock::supervisor_of(&layout)? else { return Ok(false) };
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| {
        SupervisorError::NotOurs { path: layout.lock(), reason: "it holds no process id" }
    })?;
    let send = |signal| match kill_process(process, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(io_error("signal the supervisor of", layout.root())(errno.into())),
    };
    send(Signal::TERM)?;
    if is_free_within(&layout, STOP_LIMIT)? {
        return Ok(true);
    }
    send(Signal::KILL)?;
    is_free_within(&layout, KILL_LIMIT)?;
    let seconds = STOP_LIMIT.as_secs();
    Err(SupervisorError::StopTimeout { pid, path: layout.root().to_path_buf(), seconds })
}

fn is_free_within(layout: &Layout, limit: Duration) -> Result<bool, SupervisorError> {
    let started = Moment::now();
    while lock::is_supervised(layout)? {
        if started.elapsed() > limit {
            return Ok(false);
        }
        clock::pause(STEP);
    }
    Ok(true)
}

/// Stops the servers of a data folder and deletes their data. False if there was nothing.
///
/// # Errors
/// `not_ours` if the folder does not carry our mark; nothing is deleted then.
pub(crate) fn reset(data_dir: &Path) -> Result<bool, SupervisorError> {
    let Some(layout) = Layout::existing(data_dir) else {
        if files::entries(data_dir)?.is_empty() {
            return Ok(false);
        }
        return Err(SupervisorError::NotOurs {
            path: data_dir.to_path_buf(),
            reason: "it does not hold our file `codepix-data`",
        });
    };
    stop(layout.root())?;
    let lock = lock::SupervisorLock::take(&layout)?;
    layout.delete()?;
    drop(lock);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_users_own_servers_are_taken_as_they_are() {
        let config = ServersConfig {
            database_url: Some("postgres://a".to_owned()),
            kafka_brokers: Some("b:9092".to_owned()),
            ..ServersConfig::new(PathBuf::from("/nowhere"))
        };
        let running = ensure_running(&config, &mut |_| {}).unwrap();
        assert_eq!(running.endpoints.kafka_brokers, "b:9092");
        assert!(running.lease.is_none());
    }

    #[test]
    fn nothing_is_neither_stopped_nor_reset() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        assert_eq!(status(&absent).unwrap().supervisor, None);
        assert!(!stop(&absent).unwrap());
        assert!(!reset(&absent).unwrap());
        assert!(!absent.exists());
    }

    #[test]
    fn a_folder_without_our_mark_is_not_deleted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("postgres")).unwrap();
        assert_eq!(reset(folder.path()).unwrap_err().code(), "not_ours");
        assert!(folder.path().join("postgres").exists());
    }

    #[test]
    fn our_folder_is_deleted_whole() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let layout = Layout::prepare(&data).unwrap();
        fs::create_dir(layout.kafka()).unwrap();
        assert!(reset(&data).unwrap());
        assert!(!data.exists());
    }
}
