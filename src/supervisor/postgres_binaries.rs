//! Where PostgreSQL is installed: PATH, then the usual folders, then the cache.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SupervisorError;
use super::maven;
use super::supervise::Context;
use super::tool;
use super::user::{self, ServerUser};

/// The SQL of the contexts stays within this version.
const MAJOR_MIN: u32 = 15;
/// Debian, Red Hat, Alpine, source builds, Homebrew on three platforms, Postgres.app.
const USUAL: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/latest/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// A folder with `postgres` and `initdb` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    /// The folder.
    pub(super) programs: PathBuf,
    /// The version.
    pub(super) version: Version,
}

/// A version such as `15.13`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// As PostgreSQL writes it.
    pub(super) text: String,
    /// Its first number: data of another one cannot be read.
    pub(super) major: u32,
    minor: u32,
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
    fn parse(line: &str) -> Option<Self> {
        let text = line.split_whitespace().find(|word| word.starts_with(char::is_numeric))?;
        let mut numbers = text.split(|character: char| !character.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
        Some(Self { text: text.to_owned(), major, minor })
    }
}

/// The installation to use: the first of the data's major version, or without data the first one,
/// or else the one of the cache.
pub(super) fn find(
    context: &Context<'_>,
    data: Option<u32>,
) -> Result<Installation, SupervisorError> {
    let user = context.user.as_ref();
    let installed = installed(user);
    let found = choose(&installed, data).cloned();
    match (found, data) {
        (Some(found), _) => Ok(found),
        (None, Some(data)) if data != maven::POSTGRES_MAJOR => {
            let newest = installed.iter().map(|found| found.version.major).max();
            Err(SupervisorError::PostgresVersion {
                path: context.layout.postgres(),
                data,
                found: newest.unwrap_or(maven::POSTGRES_MAJOR),
            })
        }
        (None, _) => {
            let programs = maven::postgres_programs(context)?;
            look(&programs, user).ok_or(SupervisorError::ToolMissing {
                tool: "PostgreSQL 15 or later",
                advice: "the one that Maven fetched does not run here; install it with the \
                         system's package manager, or set DATABASE_URL and KAFKA_BROKERS",
            })
        }
    }
}

fn choose(installed: &[Installation], data: Option<u32>) -> Option<&Installation> {
    installed.iter().find(|found| data.is_none_or(|data| data == found.version.major))
}

/// Those on PATH, then those of the usual folders, newest first.
fn installed(user: Option<&ServerUser>) -> Vec<Installation> {
    let on_path = tool::on_path("postgres")
        .into_iter()
        .filter_map(|program| Some(program.canonicalize().ok()?.parent()?.to_path_buf()));
    let mut found = on_path.filter_map(|folder| look(&folder, user)).collect::<Vec<_>>();
    let usual = USUAL.iter().flat_map(|pattern| tool::matching(pattern));
    let mut others = usual.filter_map(|folder| look(&folder, user)).collect::<Vec<_>>();
    others.sort_by_key(|found| Reverse((found.version.major, found.version.minor)));
    found.extend(others);
    found
}

/// A folder that the servers' user can run both programs from, of a version that we support.
fn look(folder: &Path, user: Option<&ServerUser>) -> Option<Installation> {
    let server = folder.join("postgres");
    if !user::can_run(user, &server) || !user::can_run(user, &folder.join("initdb")) {
        return None;
    }
    let output = Command::new(&server).arg("--version").stdin(Stdio::null()).output().ok()?;
    let version = Version::parse(&String::from_utf8_lossy(&output.stdout))?;
    (version.major >= MAJOR_MIN).then(|| Installation { programs: folder.to_path_buf(), version })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn version(line: &str) -> Option<(u32, u32)> {
        Version::parse(line).map(|version| (version.major, version.minor))
    }

    #[test]
    fn versions_of_all_packagers_are_read() {
        assert_eq!(version("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"), Some((15, 13)));
        assert_eq!(version("postgres (PostgreSQL) 18.4"), Some((18, 4)));
        assert_eq!(version("postgres (PostgreSQL) 19beta1"), Some((19, 0)));
        assert_eq!(version("postgres (PostgreSQL) 18devel"), Some((18, 0)));
        assert_eq!(version("sh: not found"), None);
    }

    fn installation(folder: &Path, name: &str, answer: &str) -> Option<Installation> {
        let programs = folder.join(name);
        fs::create_dir(&programs).unwrap();
        for program in ["postgres", "initdb"] {
            let path = programs.join(program);
            fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {answer}'\n"))
                .unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        look(&programs, None)
    }

    #[test]
    fn data_decide_the_version() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(installation(folder.path(), "old", "14.9"), None);
        let found = [("a", "15.3"), ("b", "17.2"), ("c", "17.1")]
            .map(|(name, answer)| installation(folder.path(), name, answer).unwrap());
        let chosen = |data| choose(&found, data).map(|found| found.version.text.as_str());
        assert_eq!(chosen(None), Some("15.3"));
        assert_eq!(chosen(Some(17)), Some("17.2"));
        assert_eq!(chosen(Some(16)), None);
    }

    #[test]
    fn half_an_installation_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(installation(folder.path(), "whole", "16.1").is_some());
        fs::remove_file(folder.path().join("whole/initdb")).unwrap();
        assert_eq!(look(&folder.path().join("whole"), None), None);
    }
}
