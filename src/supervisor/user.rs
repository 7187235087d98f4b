//! Whom the servers run as, and where that user can go.
//!
//! PostgreSQL refuses to run as root. When we are root, both servers run as `postgres` where the
//! system has that user, else as `nobody`; everything on the way to their programs and data must
//! let that user pass. Otherwise they run as ourselves.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::geteuid;

use super::SupervisorError;
use super::error::io_error;
use super::files;

/// The user that every Unix has.
const NOBODY: u32 = 65_534;

/// An unprivileged user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerUser {
    /// Its name, for messages.
    pub(super) name: String,
    /// Its user id.
    pub(super) uid: u32,
    /// Its group id; it has no other groups.
    pub(super) gid: u32,
}

impl ServerUser {
    /// The user for the servers if we are root, else none: they run as ourselves.
    pub(super) fn detect() -> Option<Self> {
        geteuid().is_root().then(|| {
            let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
            Self::in_passwd(&passwd, "postgres").unwrap_or_else(|| Self {
                name: "nobody".to_owned(),
                uid: NOBODY,
                gid: NOBODY,
            })
        })
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let user = fields.next().filter(|user| *user == name)?;
            let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self { name: user.to_owned(), uid, gid })
        })
    }

    /// The first folder on the way to `path` that does not let this user pass. What does not exist
    /// yet is no obstacle: we will make it.
    pub(super) fn blocked_at(&self, path: &Path) -> Option<PathBuf> {
        let existing = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok())?;
        let folders = existing.ancestors().collect::<Vec<_>>();
        folders
            .into_iter()
            .rev()
            .find(|folder| {
                fs::metadata(folder)
                    .map_or(true, |metadata| metadata.is_dir() && !self.may_execute(&metadata))
            })
            .map(Path::to_path_buf)
    }

    fn may_execute(&self, metadata: &fs::Metadata) -> bool {
        let bit = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        metadata.mode() & bit != 0
    }
}

/// Whether the servers' user (none: we) can execute this program.
pub(super) fn can_run(user: Option<&ServerUser>, program: &Path) -> bool {
    program.is_file()
        && match user {
            None => access(program, Access::EXEC_OK).is_ok(),
            Some(user) => {
                user.blocked_at(program).is_none()
                    && fs::metadata(program).is_ok_and(|metadata| user.may_execute(&metadata))
            }
        }
}

/// Gives a tree to the servers' user; one that is already theirs is left as it is.
pub(super) fn hand_over(user: Option<&ServerUser>, path: &Path) -> Result<(), SupervisorError> {
    let Some(user) = user else { return Ok(()) };
    let owner = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
    if owner.uid() == user.uid && owner.gid() == user.gid {
        return Ok(());
    }
    give_tree(user, path)
}

/// Children first, so that a tree whose top is theirs is theirs wholly, whenever we were killed.
fn give_tree(user: &ServerUser, path: &Path) -> Result<(), SupervisorError> {
    let metadata = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
    if metadata.is_dir() {
        for entry in files::entries(path)? {
            give_tree(user, &entry)?;
        }
    }
    let give = if metadata.is_symlink() { lchown } else { chown };
    give(path, Some(user.uid), Some(user.gid)).map_err(io_error("change the owner of", path))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        postgresql:x:7:7::/:/bin/sh\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n";

    fn stranger() -> ServerUser {
        ServerUser { name: "stranger".to_owned(), uid: 54_321, gid: 54_321 }
    }

    #[test]
    fn the_user_is_found_by_its_whole_name() {
        let user = ServerUser::in_passwd(PASSWD, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert_eq!(ServerUser::in_passwd("postgres:x:bad:1::/:/bin/sh", "postgres"), None);
        assert_eq!(ServerUser::in_passwd("postgres:x", "postgres"), None);
        assert_eq!(ServerUser::in_passwd("postgres:x:0:0::/:/bin/sh", "postgres"), None);
        assert_eq!(ServerUser::in_passwd("", "postgres"), None);
    }

    #[test]
    fn a_private_folder_blocks_a_stranger() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let mode = |mode| fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        let program = folder.join("program");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        mode(0o700);
        assert_eq!(stranger().blocked_at(&folder.join("a/b")), Some(folder.clone()));
        assert!(!can_run(Some(&stranger()), &program));
        mode(0o755);
        assert_eq!(stranger().blocked_at(&folder.join("a/b")), None);
        assert!(can_run(Some(&stranger()), &program));
        assert!(can_run(None, &program));
        fs::set_permissions(&program, Permissions::from_mode(0o644)).unwrap();
        assert!(!can_run(Some(&stranger()), &program));
        assert!(!can_run(Some(&stranger()), &folder));
    }

    #[test]
    fn the_owner_needs_the_owners_bit() {
        let folder = tempfile::tempdir().unwrap();
        let owner = fs::metadata(folder.path()).unwrap();
        let user = ServerUser { name: "owner".to_owned(), uid: owner.uid(), gid: owner.gid() };
        fs::set_permissions(folder.path(), Permissions::from_mode(0o011)).unwrap();
        let blocked = user.may_execute(&fs::metadata(folder.path()).unwrap());
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!blocked);
    }
}
