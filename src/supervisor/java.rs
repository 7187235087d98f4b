//! Which Java runs Kafka: `JAVA_HOME`, PATH, then the usual folders; 17 or later.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SupervisorError;
use super::tool;
use super::user::{self, ServerUser};

/// Kafka 4 needs it.
const MAJOR_MIN: u32 = 17;
/// Linux packages and Homebrew, which keeps its own off PATH.
const USUAL: [&str; 5] = [
    "/usr/lib/jvm/*/bin/java",
    "/opt/homebrew/opt/openjdk*/bin/java",
    "/usr/local/opt/openjdk*/bin/java",
    "/home/linuxbrew/.linuxbrew/opt/openjdk*/bin/java",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java",
];

/// The first Java that is new enough and that the servers' user can run.
pub(super) fn find(user: Option<&ServerUser>) -> Result<PathBuf, SupervisorError> {
    let home = env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    home.into_iter()
        .chain(tool::on_path("java"))
        .chain(USUAL.iter().flat_map(|pattern| tool::matching(pattern)))
        .filter_map(|program| program.canonicalize().ok())
        .find(|program| {
            user::can_run(user, program) && version(program).is_some_and(|major| major >= MAJOR_MIN)
        })
        .ok_or(SupervisorError::ToolMissing {
            tool: "Java 17 or later",
            advice: "Kafka runs on it; install it (apt-get install openjdk-17-jre-headless, apk \
                     add openjdk17-jre-headless, brew install openjdk) where every user can run \
                     it, or set JAVA_HOME",
        })
}

fn version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("-version").stdin(Stdio::null()).output().ok()?;
    parse(&String::from_utf8_lossy(&output.stderr))
}

/// Reads `openjdk version "17.0.15" 2025-04-15`, whatever the JVM says before it.
fn parse(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once(" version \"")?;
    let mut numbers = rest.split(|character: char| !character.is_ascii_digit());
    let first = numbers.next()?.parse().ok()?;
    if first == 1 { numbers.next()?.parse().ok() } else { Some(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_vendors_are_read() {
        assert_eq!(parse("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK ..."), Some(17));
        assert_eq!(parse("Picked up JAVA_TOOL_OPTIONS: -Xmx1g\njava version \"21\""), Some(21));
        assert_eq!(parse("openjdk version \"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(parse("java version \"1.8.0_392\""), Some(8));
        assert_eq!(parse("The operation couldn't be completed."), None);
    }
}
