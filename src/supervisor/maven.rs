//! What is fetched by Maven coordinates, once per machine: Kafka's jars, and PostgreSQL where the
//! system has none. Maven knows the user's mirrors and proxies, so no address stands here.
//!
//! Each artifact gets a folder of its own in the cache, made beside and renamed: a folder that is
//! there is whole, and of two processes that fetch at once either may win.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use super::SupervisorError;
use super::error::io_error;
use super::files;
use super::kafka::KAFKA_VERSION;
use super::supervise::Context;
use super::tool;

const POM: &str = include_str!("../../deploy/embedded/pom.xml");
const LOG4J: &str = include_str!("../../deploy/embedded/log4j2.xml");
/// The newest version that is there for Linux and macOS, x86-64 and arm64.
const POSTGRES_VERSION: &str = "18.4.0";
const POSTGRES_ARTIFACT: &str = "io.zonky.test.postgres:embedded-postgres-binaries";
/// Its major version.
pub(super) const POSTGRES_MAJOR: u32 = 18;
const SYSTEM_CACHE: &str = "/var/cache/codepix";

/// The folder with Kafka's jars and their logging settings.
pub(super) fn kafka_jars(context: &Context<'_>) -> Result<PathBuf, SupervisorError> {
    let digest = files::short_hash([POM, LOG4J].concat().as_bytes());
    fetched(context, &format!("kafka-{KAFKA_VERSION}-{digest}"), |new| {
        context
            .reporter
            .step(&format!("first start: downloading Kafka {KAFKA_VERSION} (43 MB) with Maven"));
        let pom = new.join("pom.xml");
        files::write_atomically(&pom, POM.as_bytes())?;
        let jars = new.join("whole");
        let output = format!("-DoutputDirectory={}", jars.display());
        let goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", &output];
        maven(context, &pom, &goal, "the download of Kafka")?;
        files::write_atomically(&jars.join("log4j2.xml"), LOG4J.as_bytes())?;
        Ok(jars)
    })
}

/// The folder of PostgreSQL's programs.
pub(super) fn postgres_programs(context: &Context<'_>) -> Result<PathBuf, SupervisorError> {
    let platform = platform(env::consts::OS, env::consts::ARCH, is_alpine()).ok_or(NO_POSTGRES)?;
    let name = format!("postgres-{POSTGRES_VERSION}-{platform}");
    let folder = fetched(context, &name, |new| {
        context.reporter.step(&format!(
            "first start: downloading PostgreSQL {POSTGRES_VERSION} (15 to 33 MB) with Maven"
        ));
        let pom = new.join("pom.xml");
        files::write_atomically(&pom, POM.as_bytes())?;
        let jar = new.join("jar");
        let artifact = format!("-Dartifact={POSTGRES_ARTIFACT}-{platform}:{POSTGRES_VERSION}");
        let output = format!("-DoutputDirectory={}", jar.display());
        let goal = ["dependency:unpack", &artifact, &output];
        maven(context, &pom, &goal, "the download of PostgreSQL")?;
        let whole = new.join("whole");
        files::create_folders(&whole)?;
        unpack(context, &jar, &whole)?;
        Ok(whole)
    })?;
    Ok(folder.join("bin"))
}

const NO_POSTGRES: SupervisorError = SupervisorError::ToolMissing {
    tool: "PostgreSQL 15 or later",
    advice: "install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install \
             postgresql@18; Alpine: apk add postgresql), or set DATABASE_URL and KAFKA_BROKERS",
};

/// The name of this platform in the artifacts' names.
fn platform(os: &str, arch: &str, alpine: bool) -> Option<&'static str> {
    match (os, arch, alpine) {
        ("linux", "x86_64", false) => Some("linux-amd64"),
        ("linux", "x86_64", true) => Some("linux-amd64-alpine"),
        ("linux", "aarch64", false) => Some("linux-arm64v8"),
        ("macos", "x86_64", false) => Some("darwin-amd64"),
        ("macos", "aarch64", false) => Some("darwin-arm64v8"),
        _ => None,
    }
}

fn is_alpine() -> bool {
    Path::new("/etc/alpine-release").exists()
}

/// The jar holds one compressed tar. `-o` keeps root from restoring the packer's user ids.
fn unpack(context: &Context<'_>, jar: &Path, to: &Path) -> Result<(), SupervisorError> {
    let archive = files::entries(jar)?
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "txz"))
        .ok_or_else(|| SupervisorError::NotOurs {
            path: jar.to_path_buf(),
            reason: "the PostgreSQL jar holds no .txz file",
        })?;
    if tool::on_path("xz").is_empty() && cfg!(target_os = "linux") {
        return Err(SupervisorError::ToolMissing {
            tool: "xz",
            advice: "it unpacks PostgreSQL; install xz-utils (apt-get) or xz (dnf, apk, pacman)",
        });
    }
    let mut tar = Command::new("tar");
    tar.args(["-x", "-J", "-o", "-f"]).arg(archive).arg("-C").arg(to);
    tool::run(&mut tar, "unpacking PostgreSQL", &context.layout.log("tools"), context.interrupt)
}

fn maven(
    context: &Context<'_>,
    pom: &Path,
    goal: &[&str],
    what: &str,
) -> Result<(), SupervisorError> {
    let program = tool::on_path("mvn").into_iter().next().ok_or(SupervisorError::ToolMissing {
        tool: "Maven (mvn)",
        advice: "it fetches Kafka; install it (apt-get, dnf, apk, pacman or brew install maven), \
                 or set DATABASE_URL and KAFKA_BROKERS",
    })?;
    let mut command = Command::new(program);
    command.args(["-q", "-B", "-f"]).arg(pom).args(goal);
    tool::run(&mut command, what, &context.layout.log("tools"), context.interrupt)
}

/// A folder of the cache; `make` fills one below the folder that it is given and names it.
fn fetched(
    context: &Context<'_>,
    name: &str,
    make: impl FnOnce(&Path) -> Result<PathBuf, SupervisorError>,
) -> Result<PathBuf, SupervisorError> {
    let cache = cache(context)?;
    let whole = cache.join(name);
    if whole.is_dir() {
        return Ok(whole);
    }
    let new = cache.join(format!("{name}.{}.new", process::id()));
    files::delete(&new)?;
    files::create_folders(&new)?;
    let placed = make(&new).and_then(|built| {
        files::share_tree(&built)?;
        match std::fs::rename(&built, &whole) {
            Err(_) if whole.is_dir() => Ok(()),
            renamed => renamed.map_err(io_error("put in place", &whole)),
        }
    });
    let cleared = files::delete(&new);
    placed.and(cleared).map(|()| whole)
}

/// The cache folder, which the servers' user must be able to read.
fn cache(context: &Context<'_>) -> Result<PathBuf, SupervisorError> {
    let asked = context.config.cache_dir.clone();
    let folder = match (&context.user, asked) {
        (Some(user), Some(asked)) if user.blocked_at(&asked).is_none() => asked,
        (Some(_), _) => PathBuf::from(SYSTEM_CACHE),
        (None, Some(asked)) => asked,
        (None, None) => user_cache(env::var_os("XDG_CACHE_HOME").map(PathBuf::from))
            .unwrap_or_else(|| context.layout.root().join("cache")),
    };
    files::create_folders(&folder)?;
    folder.canonicalize().map_err(io_error("find", &folder))
}

fn user_cache(configured: Option<PathBuf>) -> Option<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cache"));
    let cache = configured.filter(|cache| cache.is_absolute()).or_else(home)?;
    Some(cache.join("codepix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_have_the_names_of_the_artifacts() {
        assert_eq!(platform("linux", "x86_64", false), Some("linux-amd64"));
        assert_eq!(platform("macos", "aarch64", false), Some("darwin-arm64v8"));
        assert_eq!(platform("linux", "aarch64", true), None);
        assert_eq!(platform("freebsd", "x86_64", false), None);
    }

    #[test]
    fn a_relative_cache_folder_is_ignored_as_the_standard_says() {
        let cache = user_cache(Some(PathBuf::from("/c")));
        assert_eq!(cache, Some(PathBuf::from("/c/codepix")));
        assert_ne!(user_cache(Some(PathBuf::from("c"))), Some(PathBuf::from("c/codepix")));
    }

    #[test]
    fn the_pom_has_the_version_that_we_name() {
        assert!(POM.contains(&format!("<kafka.version>{KAFKA_VERSION}</kafka.version>")));
    }
}
