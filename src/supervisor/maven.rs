//! What is fetched by Maven coordinates, once per machine: Kafka's jars, and PostgreSQL where the
//! system has none. Maven knows the user's mirrors and proxies, so no address stands here.
//!
//! Each artifact gets a folder of its own in the cache, made beside and renamed: a folder that is
//! there is whole, and of two processes that fetch at once either may win.

use std::env;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use lzma_rust2::XzReader;

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
    let plain = decompressed(&archive)?;
    let mut tar = Command::new("tar");
    tar.args(["-x", "-o", "-f"]).arg(plain).arg("-C").arg(to);
    tool::run(&mut tar, "unpacking PostgreSQL", &context.layout.log("tools"), context.interrupt)
}

/// The same without its compression, beside it. No tool is asked: not every system has xz.
fn decompressed(archive: &Path) -> Result<PathBuf, SupervisorError> {
    let plain = archive.with_extension("tar");
    let packed = File::open(archive).map_err(io_error("open", archive))?;
    let mut unpacked = File::create(&plain).map_err(io_error("create", &plain))?;
    let mut reader = XzReader::new(BufReader::new(packed), true);
    io::copy(&mut reader, &mut unpacked).map_err(io_error("unpack", archive))?;
    Ok(plain)
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

    /// `codepix` and a line feed, 1,000 times, as `xz` packs it.
    const PACKED: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21,
        0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x1f, 0x3f, 0x00, 0x30, 0x5d,
        0x00, 0x31, 0x9b, 0xc8, 0xb0, 0x57, 0x5c, 0x87, 0x13, 0x74, 0x2a, 0x3c, 0x54, 0x81, 0x4c,
        0x44, 0xe6, 0xbd, 0x28, 0x4b, 0x10, 0xa5, 0xf2, 0x30, 0x8b, 0xd5, 0x8c, 0xfe, 0xf4, 0x92,
        0x6c, 0xb0, 0x8e, 0x81, 0x43, 0xf9, 0xd3, 0x4f, 0x51, 0xa8, 0x72, 0x1e, 0x60, 0xc5, 0x3b,
        0xb7, 0x32, 0xae, 0x00, 0x00, 0x83, 0x0e, 0xeb, 0x21, 0xe4, 0xa5, 0xc3, 0xc5, 0x00, 0x01,
        0x4c, 0xc0, 0x3e, 0x00, 0x00, 0x00, 0x83, 0x79, 0x2e, 0x42, 0xb1, 0xc4, 0x67, 0xfb, 0x02,
        0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
    ];

    #[test]
    fn an_archive_is_unpacked_and_a_torn_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive.txz");
        std::fs::write(&archive, PACKED).unwrap();
        let plain = decompressed(&archive).unwrap();
        assert_eq!(std::fs::read_to_string(plain).unwrap(), "codepix\n".repeat(1_000));
        std::fs::write(&archive, &PACKED[..PACKED.len() - 20]).unwrap();
        assert!(decompressed(&archive).unwrap_err().to_string().contains("archive.txz"));
    }

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
