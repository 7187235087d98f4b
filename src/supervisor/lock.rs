//! File locks: the kernel drops them when their holder dies, however it dies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use super::SupervisorError;
use super::clock::{self, Moment};
use super::error::io_error;
use super::paths::Layout;

/// Somebody who only looks whether a lock is held holds it for an instant: a failure counts only
/// when it lasts this long.
const GLANCE: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(20);
/// How long a hub waits for a supervisor that is about to end.
const LEASE_LIMIT: Duration = Duration::from_mins(2);

/// A lock on a file, held until dropped.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shared,
    Exclusive,
}

impl Held {
    fn try_take(path: &Path, kind: Kind) -> Result<Option<Self>, SupervisorError> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(io_error("open", path))?;
            let taken = match kind {
                Kind::Shared => file.try_lock_shared(),
                Kind::Exclusive => file.try_lock(),
            };
            match taken {
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(cause)) => return Err(io_error("lock", path)(cause)),
                Ok(()) => {}
            }
            let held = Self { file, path: path.to_path_buf() };
            if held.is_in_place() {
                return Ok(Some(held));
            }
        }
    }

    /// The file is still the one at its path: nobody deleted the data folder under us.
    pub(super) fn is_in_place(&self) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::metadata(&self.path)) {
            (Ok(ours), Ok(theirs)) => identity(ours) == identity(theirs),
            _ => false,
        }
    }
}

/// The right and duty to run the servers of a data folder.
#[derive(Debug)]
pub(super) struct SupervisorLock(Held);

impl SupervisorLock {
    /// Takes the lock and leaves our process id in it.
    pub(super) fn take(layout: &Layout) -> Result<Self, SupervisorError> {
        let path = layout.lock();
        let mut held = persist(|| Held::try_take(&path, Kind::Exclusive))?
            .ok_or_else(|| SupervisorError::AlreadySupervised { path: layout.root().to_owned() })?;
        let written = held.file.set_len(0).and_then(|()| {
            held.file.rewind()?;
            write!(held.file, "{}", process::id())
        });
        written.map_err(io_error("write", &path))?;
        Ok(Self(held))
    }

    /// Nobody deleted the data folder under us.
    pub(super) fn is_in_place(&self) -> bool {
        self.0.is_in_place()
    }
}

/// The process id of the living supervisor.
pub(super) fn supervisor_of(layout: &Layout) -> Result<Option<u32>, SupervisorError> {
    let path = layout.lock();
    if !is_held(&path)? {
        return Ok(None);
    }
    Ok(fs::read_to_string(&path).ok().and_then(|pid| pid.trim().parse().ok()))
}

/// A supervisor lives, or is just ending.
pub(super) fn is_supervised(layout: &Layout) -> Result<bool, SupervisorError> {
    is_held(&layout.lock())
}

/// Some hub uses the servers.
pub(super) fn is_used(layout: &Layout) -> Result<bool, SupervisorError> {
    Ok(layout.users().exists() && no_lease(layout)?.is_none())
}

/// Looks without creating the file and without keeping the lock.
fn is_held(path: &Path) -> Result<bool, SupervisorError> {
    if !path.exists() {
        return Ok(false);
    }
    Held::try_take(path, Kind::Shared).map(|held| held.is_none())
}

/// A hub's word that it uses the servers; dropping it, or dying, takes it back.
#[derive(Debug)]
pub(crate) struct Lease {
    _held: Held,
}

impl Lease {
    /// Waits while a supervisor that gave up on us ends.
    pub(super) fn take(
        layout: &Layout,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, SupervisorError> {
        let path = layout.users();
        let started = Moment::now();
        let mut said = false;
        loop {
            if let Some(held) = Held::try_take(&path, Kind::Shared)? {
                return Ok(Self { _held: held });
            }
            if started.elapsed() > LEASE_LIMIT {
                return Err(SupervisorError::StopTimeout {
                    pid: supervisor_of(layout)?.unwrap_or(0),
                    path: layout.root().to_owned(),
                    seconds: LEASE_LIMIT.as_secs(),
                });
            }
            if !said && started.elapsed() > GLANCE {
                progress("waiting for the previous servers to end");
                said = true;
            }
            clock::pause(STEP);
        }
    }
}

/// Proof that no hub uses the servers; as long as it is held, new hubs wait.
#[derive(Debug)]
pub(super) struct NoLease {
    _held: Held,
}

/// The proof, if it can be had at this moment.
pub(super) fn no_lease(layout: &Layout) -> Result<Option<NoLease>, SupervisorError> {
    Ok(Held::try_take(&layout.users(), Kind::Exclusive)?.map(|held| NoLease { _held: held }))
}

fn persist(
    mut attempt: impl FnMut() -> Result<Option<Held>, SupervisorError>,
) -> Result<Option<Held>, SupervisorError> {
    let started = Moment::now();
    loop {
        let held = attempt()?;
        if held.is_some() || started.elapsed() > GLANCE {
            return Ok(held);
        }
        clock::pause(STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(folder.path()).unwrap();
        (folder, layout)
    }

    #[test]
    fn one_supervisor_at_a_time() {
        let (_folder, layout) = layout();
        assert!(!is_supervised(&layout).unwrap());
        let lock = SupervisorLock::take(&layout).unwrap();
        assert!(lock.is_in_place());
        assert_eq!(supervisor_of(&layout).unwrap(), Some(process::id()));
        assert_eq!(SupervisorLock::take(&layout).unwrap_err().code(), "already_supervised");
        drop(lock);
        assert_eq!(supervisor_of(&layout).unwrap(), None);
        assert!(SupervisorLock::take(&layout).is_ok());
    }

    #[test]
    fn leases_are_shared_and_exclude_an_end() {
        let (_folder, layout) = layout();
        let mut quiet = |_: &str| {};
        let one = Lease::take(&layout, &mut quiet).unwrap();
        let two = Lease::take(&layout, &mut quiet).unwrap();
        drop(one);
        assert!(no_lease(&layout).unwrap().is_none());
        assert!(is_used(&layout).unwrap());
        drop(two);
        assert!(no_lease(&layout).unwrap().is_some());
        assert!(!is_used(&layout).unwrap());
    }

    #[test]
    fn a_deleted_folder_is_noticed() {
        let (_folder, layout) = layout();
        let lock = SupervisorLock::take(&layout).unwrap();
        fs::remove_file(layout.lock()).unwrap();
        assert!(!lock.is_in_place());
        assert!(!is_supervised(&layout).unwrap());
        fs::write(layout.lock(), "").unwrap();
        assert!(!lock.is_in_place());
    }
}
