//! Which folder holds the data, and what lies where in it.
//!
//! | name | what |
//! |---|---|
//! | `codepix-data` | the mark that the folder is ours and may be deleted |
//! | `lock`, `users` | locks of the supervisor and of the hubs |
//! | `progress.json`, `endpoints.json` | what the supervisor says to the hubs |
//! | `postgres/`, `kafka/` | the servers' data, theirs alone |
//! | `*.log` | what the servers, the tools and the supervisor wrote |
//! | `fresh/` | one data folder per running `servers --fresh` |

use std::env;
use std::path::{Path, PathBuf, absolute};

use rustix::fs::{Access, access};

use super::SupervisorError;
use super::error::io_error;
use super::files;
use super::user::ServerUser;

/// The data folder inside the repository.
const IN_REPOSITORY: &str = ".codepix";
/// Where data are when the servers cannot live in the repository and we are root.
const SYSTEM_STATE: &str = "/var/lib/codepix";
const MARKER: &str = "codepix-data";
const MARKER_TEXT: &str = "CodePix keeps the data of its embedded servers here; \
    `codepix reset` deletes them.\n";
/// Everything that we ever put into a data folder, the mark last.
const OURS: [&str; 20] = [
    "endpoints.json",
    "progress.json",
    "postgres",
    "postgres.new",
    "kafka",
    "kafka.new",
    "kafka.tmp",
    "kafka.pid",
    "kafka.properties",
    "supervisor.log",
    "supervisor.log.1",
    "postgres.log",
    "postgres.log.1",
    "kafka.log",
    "kafka.log.1",
    "tools.log",
    "tools.log.1",
    "users",
    "lock",
    MARKER,
];

/// The chosen data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataDir {
    /// Its absolute path.
    pub(crate) path: PathBuf,
    /// Why it is not the one that was asked for.
    pub(crate) notice: Option<String>,
}

/// Chooses the data folder: the one asked for (`CODEPIX_DATA_DIR`), else `.codepix` of the
/// repository. As root it is a folder below `/var/lib/codepix`, one per repository, also when the
/// servers' user could not reach the one asked for; where we may not write to the repository, one
/// below our own state folder.
///
/// # Errors
/// `io` if the current folder is gone or there is no home folder to fall back to.
pub(crate) fn resolve_data_dir(
    asked: Option<&Path>,
    repository: &Path,
) -> Result<DataDir, SupervisorError> {
    let whole = |path: &Path| absolute(path).map_err(io_error("find", path));
    let repository = repository.canonicalize().map_or_else(|_| whole(repository), Ok)?;
    let asked = asked.map(whole).transpose()?;
    match (ServerUser::detect(), asked) {
        (Some(user), Some(asked)) => Ok(as_root(&user, asked)),
        (Some(_), None) => Ok(DataDir { path: below(SYSTEM_STATE, &repository), notice: None }),
        (None, Some(asked)) => Ok(DataDir { path: asked, notice: None }),
        (None, None) if may_write(&repository) => {
            Ok(DataDir { path: repository.join(IN_REPOSITORY), notice: None })
        }
        (None, None) => {
            let path = below(state_folder()?, &repository);
            let notice = Some(format!(
                "{} cannot be written to; the data are in {}",
                repository.display(),
                path.display()
            ));
            Ok(DataDir { path, notice })
        }
    }
}

fn as_root(user: &ServerUser, asked: PathBuf) -> DataDir {
    let Some(obstacle) = user.blocked_at(&asked) else {
        return DataDir { path: asked, notice: None };
    };
    let path = below(SYSTEM_STATE, &asked);
    let notice = format!(
        "the servers run as {}, whom {} does not let pass; the data are in {} instead of {}",
        user.name,
        obstacle.display(),
        path.display(),
        asked.display()
    );
    DataDir { path, notice: Some(notice) }
}

fn may_write(repository: &Path) -> bool {
    let inside = repository.join(IN_REPOSITORY);
    let folder = if inside.is_dir() { inside } else { repository.to_path_buf() };
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn state_folder() -> Result<PathBuf, SupervisorError> {
    let ours = |state: PathBuf| state.join("codepix");
    let home = || env::home_dir().map(|home| home.join(".local/state"));
    env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|state| state.is_absolute())
        .or_else(home)
        .map(ours)
        .ok_or_else(|| SupervisorError::NotOurs {
            path: PathBuf::from(IN_REPOSITORY),
            reason: "the repository cannot be written to and HOME is not set; \
                     set CODEPIX_DATA_DIR",
        })
}

/// `<parent>/<name>-<short hash of the whole path>`.
fn below(parent: impl AsRef<Path>, path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let plain = name
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || "-_.".contains(*character))
        .collect::<String>();
    let hash = files::short_hash(path.as_os_str().as_encoded_bytes());
    parent.as_ref().join(format!("{}-{hash}", plain.trim_start_matches(['.', '-'])))
}

/// The paths of one data folder.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the folder ours. One that others filled is left alone.
    pub(super) fn prepare(path: &Path) -> Result<Self, SupervisorError> {
        files::create_folders(path)?;
        let root = path.canonicalize().map_err(io_error("find", path))?;
        let layout = Self { root };
        if layout.is_marked() {
            return Ok(layout);
        }
        if ["postgres", "kafka"].iter().any(|name| layout.root.join(name).exists()) {
            return Err(SupervisorError::NotOurs {
                path: layout.root,
                reason: "it holds a folder `postgres` or `kafka` and not our file `codepix-data`",
            });
        }
        files::write_atomically(&layout.root.join(MARKER), MARKER_TEXT.as_bytes())?;
        Ok(layout)
    }

    /// The folder if it exists and is ours.
    pub(super) fn existing(path: &Path) -> Option<Self> {
        let layout = Self { root: path.canonicalize().ok()? };
        layout.is_marked().then_some(layout)
    }

    fn is_marked(&self) -> bool {
        self.root.join(MARKER).is_file()
    }

    /// The folder itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Locked by the supervisor as long as it lives; holds its process id.
    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Locked by every hub that uses the servers.
    pub(super) fn users(&self) -> PathBuf {
        self.root.join("users")
    }

    /// Where the servers answer.
    pub(super) fn endpoints(&self) -> PathBuf {
        self.root.join("endpoints.json")
    }

    /// What the supervisor is doing.
    pub(super) fn progress(&self) -> PathBuf {
        self.root.join("progress.json")
    }

    /// PostgreSQL's cluster.
    pub(super) fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// The cluster while it is being made.
    pub(super) fn postgres_new(&self) -> PathBuf {
        self.root.join("postgres.new")
    }

    /// Kafka's logs.
    pub(super) fn kafka(&self) -> PathBuf {
        self.root.join("kafka")
    }

    /// Kafka's folder while it is being formatted.
    pub(super) fn kafka_new(&self) -> PathBuf {
        self.root.join("kafka.new")
    }

    /// Where Kafka unpacks native libraries; emptied at every start.
    pub(super) fn kafka_tmp(&self) -> PathBuf {
        self.root.join("kafka.tmp")
    }

    /// The process id of the last Kafka.
    pub(super) fn kafka_pid(&self) -> PathBuf {
        self.root.join("kafka.pid")
    }

    /// Kafka's settings.
    pub(super) fn kafka_properties(&self) -> PathBuf {
        self.root.join("kafka.properties")
    }

    /// A log by the name of its writer.
    pub(super) fn log(&self, writer: &str) -> PathBuf {
        self.root.join(format!("{writer}.log"))
    }

    /// Where `servers --fresh` puts data folders of its own.
    pub(super) fn fresh(&self) -> PathBuf {
        self.root.join("fresh")
    }

    /// Deletes what is ours, the mark last, so that an interrupted deletion can be repeated; then
    /// the folder, if nothing else is in it.
    pub(super) fn delete(&self) -> Result<(), SupervisorError> {
        for name in OURS {
            files::delete(&self.root.join(name))?;
        }
        if files::entries(&self.root)?.is_empty() {
            files::delete(&self.root)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn folders_of_two_repositories_differ() {
        let one = below("/var/lib/codepix", Path::new("/srv/ana/codepix"));
        let two = below("/var/lib/codepix", Path::new("/srv/rui/codepix"));
        assert_ne!(one, two);
        assert!(one.to_str().unwrap().starts_with("/var/lib/codepix/codepix-"));
        let odd = below("/s", Path::new("/srv/ana/.code pix, ção"));
        assert!(odd.to_str().unwrap().starts_with("/s/codepixo-"), "{}", odd.display());
        assert!(below("/s", Path::new("/")).to_str().unwrap().starts_with("/s/-"));
    }

    #[test]
    fn a_private_folder_is_not_used_for_another_user() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let asked = folder.join("data");
        let user = ServerUser { name: "postgres".to_owned(), uid: 54_321, gid: 54_321 };
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let chosen = as_root(&user, asked.clone());
        assert!(chosen.path.starts_with(SYSTEM_STATE));
        let notice = chosen.notice.unwrap();
        assert!(notice.contains("postgres") && notice.contains(folder.to_str().unwrap()));
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(as_root(&user, asked.clone()), DataDir { path: asked, notice: None });
    }

    #[test]
    fn only_our_own_folder_is_adopted_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let strange = folder.path().join("strange");
        fs::create_dir_all(strange.join("kafka")).unwrap();
        assert_eq!(Layout::prepare(&strange).unwrap_err().code(), "not_ours");
        assert!(Layout::existing(&strange).is_none());

        let ours = Layout::prepare(&folder.path().join("a/b")).unwrap();
        fs::create_dir_all(ours.postgres().join("base")).unwrap();
        fs::write(ours.root().join("a user's file"), "").unwrap();
        assert!(Layout::existing(ours.root()).is_some());
        assert!(Layout::prepare(ours.root()).is_ok());
        ours.delete().unwrap();
        assert!(!ours.postgres().exists());
        assert!(ours.root().join("a user's file").exists());
        assert!(Layout::existing(ours.root()).is_none());
        fs::remove_file(ours.root().join("a user's file")).unwrap();
        Layout::prepare(ours.root()).unwrap().delete().unwrap();
        assert!(!ours.root().exists());
    }
}
