//! Programs that run to their end: found on PATH, awaited, and quoted when they fail.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::SupervisorError;
use super::error::io_error;
use super::files;
use super::interrupt::Interrupt;

const STEP: Duration = Duration::from_millis(20);

/// What a program does and where it writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    /// What it does, as the beginning of "… failed".
    pub(super) what: &'a str,
    /// Where it writes.
    pub(super) log: &'a Path,
    /// How long that file was before.
    pub(super) from: u64,
}

/// Runs a program as ourselves.
pub(super) fn run(
    command: &mut Command,
    what: &str,
    log: &Path,
    interrupt: &Interrupt,
) -> Result<(), SupervisorError> {
    let output = files::open_log(log)?;
    let errors = output.try_clone().map_err(io_error("open", log))?;
    let from = files::length(log);
    let program = PathBuf::from(command.get_program());
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let mut child = command.spawn().map_err(io_error("start", &program))?;
    finish(&mut child, interrupt, &Task { what, log, from })
}

/// Waits for a program; a signal to us ends it too.
pub(super) fn finish(
    child: &mut Child,
    interrupt: &Interrupt,
    task: &Task<'_>,
) -> Result<(), SupervisorError> {
    loop {
        let status = child.try_wait().map_err(io_error("wait for", Path::new(task.what)))?;
        if let Some(status) = status {
            return if status.success() {
                Ok(())
            } else {
                Err(SupervisorError::ToolFailed {
                    what: task.what.to_owned(),
                    reason: status.to_string(),
                    log: task.log.to_path_buf(),
                    tail: files::tail(task.log, task.from),
                })
            };
        }
        if let Err(interrupted) = interrupt.pause(STEP) {
            child.kill().and_then(|()| child.wait()).ok();
            return Err(interrupted);
        }
    }
}

/// The places where PATH has a program of this name, in its order.
pub(super) fn on_path(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .filter(|program| program.is_file())
        .collect()
}

/// The folders that match a path with one `*` in one of its names.
pub(super) fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let (suffix, rest) = after.split_once('/').unwrap_or((after, ""));
    let fits = |name: &str| {
        name.strip_prefix(prefix).is_some_and(|end| end.len() >= suffix.len())
            && name.ends_with(suffix)
    };
    files::entries(Path::new(parent))
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| entry.file_name().and_then(|name| name.to_str()).is_some_and(fits))
        .map(|entry| if rest.is_empty() { entry } else { entry.join(rest) })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_star_stands_for_a_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pgsql-15", "pgsql-18", "pgsql", "mysql-8"] {
            fs::create_dir_all(folder.path().join(name).join("bin")).unwrap();
        }
        let root = folder.path().display();
        let found = matching(&format!("{root}/pgsql-*/bin"));
        let expected = ["pgsql-15/bin", "pgsql-18/bin"].map(|name| folder.path().join(name));
        assert_eq!(found, expected);
        assert_eq!(matching(&format!("{root}/*-8")), [folder.path().join("mysql-8")]);
        assert!(matching(&format!("{root}/absent/*/bin")).is_empty());
        assert_eq!(matching("/usr/bin"), [PathBuf::from("/usr/bin")]);
    }

    #[test]
    fn a_failure_quotes_the_programs_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("tools.log");
        fs::write(&log, "of an earlier run\n").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such artifact; exit 3"]);
        let error = run(&mut command, "the download", &log, &Interrupt::never()).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains("the download failed (exit status: 3)"), "{sentence}");
        assert!(sentence.ends_with("no such artifact"), "{sentence}");
    }

    #[test]
    fn a_success_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("tools.log");
        run(&mut Command::new("true"), "nothing", &log, &Interrupt::never()).unwrap();
        assert!(!on_path("sh").is_empty());
        assert!(on_path("no-such-program").is_empty());
    }
}
