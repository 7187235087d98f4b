//! Small things done to files: replace one atomically, read its end, share or delete a tree.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;

use super::SupervisorError;
use super::error::io_error;

/// A log longer than this is put aside when its server starts.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// As much of a log's end as an error quotes.
const TAIL_BYTES_MAX: u64 = 4096;
const TAIL_LINES_MAX: usize = 12;
/// A folder that everybody may enter.
const SHARED_FOLDER: u32 = 0o755;

/// Replaces a file by a whole new one: a reader sees the old or the new, never a part.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), SupervisorError> {
    let next = with_suffix(path, &format!(".{}.new", process::id()));
    let written = File::create(&next).and_then(|mut file| {
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.sync_all()?;
        fs::rename(&next, path)
    });
    written.map_err(io_error("write", path))
}

/// The same path with something behind its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates a folder and what lacks above it, enterable by everybody whatever the umask.
pub(super) fn create_folders(path: &Path) -> Result<(), SupervisorError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folders(parent)?;
    }
    match fs::create_dir(path) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(cause) => Err(io_error("create", path)(cause)),
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(SHARED_FOLDER))
            .map_err(io_error("set the mode of", path)),
    }
}

/// Makes a tree readable by everybody, whatever the umask was when it was made.
pub(super) fn share_tree(path: &Path) -> Result<(), SupervisorError> {
    let metadata = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode();
    let shared = if metadata.is_dir() || mode & 0o100 != 0 { 0o555 } else { 0o444 };
    fs::set_permissions(path, Permissions::from_mode(mode | shared))
        .map_err(io_error("set the mode of", path))?;
    if metadata.is_dir() {
        for entry in entries(path)? {
            share_tree(&entry)?;
        }
    }
    Ok(())
}

/// What stands in a folder, in the order of its names; nothing if there is no such folder.
pub(super) fn entries(path: &Path) -> Result<Vec<PathBuf>, SupervisorError> {
    let found = match fs::read_dir(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(io_error("list", path))?,
    };
    let mut paths = found
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(io_error("list", path))?;
    paths.sort_unstable();
    Ok(paths)
}

/// Deletes a file or a tree; nothing there is fine.
pub(super) fn delete(path: &Path) -> Result<(), SupervisorError> {
    let deleted = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match deleted {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        deleted => deleted.map_err(io_error("delete", path)),
    }
}

/// Opens a log for appending, after putting a long one aside as `<name>.1`.
pub(super) fn open_log(path: &Path) -> Result<File, SupervisorError> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
        fs::rename(path, with_suffix(path, ".1")).map_err(io_error("put aside", path))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(io_error("open", path))
}

/// How long a log is now; what is written later starts there.
pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The last lines of a log that were written behind `from`.
pub(super) fn tail(path: &Path, from: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let end = file.metadata()?.len();
        let from = if from > end { 0 } else { from };
        file.seek(SeekFrom::Start(from.max(end.saturating_sub(TAIL_BYTES_MAX))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(last_lines(&String::from_utf8_lossy(&bytes)))
    };
    read().unwrap_or_else(|error| format!("(unreadable: {error})"))
}

/// Without the colours that some tools write even to a file.
fn last_lines(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    let plain = parts.fold(first, |plain, part| {
        plain
            + part
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == ';')
                .trim_start_matches('m')
    });
    let lines = plain.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
    let skipped = lines.len().saturating_sub(TAIL_LINES_MAX);
    let kept = lines.into_iter().skip(skipped).collect::<Vec<_>>();
    if kept.is_empty() { "(it wrote nothing)".to_owned() } else { kept.join("\n") }
}

/// A short stable name for some bytes (FNV-1a); it separates folders and guards nothing.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoints.json");
        write_atomically(&path, b"first and longer").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(entries(folder.path()).unwrap(), vec![path]);
    }

    #[test]
    fn a_tail_is_short_and_starts_where_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(tail(&path, 0).starts_with("(unreadable"));
        let lines = (1..=40).map(|number| format!("line {number}")).collect::<Vec<_>>();
        fs::write(&path, lines.join("\n")).unwrap();
        let end = tail(&path, 0);
        assert_eq!(end.lines().count(), TAIL_LINES_MAX);
        assert!(end.ends_with("line 40"));
        assert_eq!(tail(&path, length(&path)), "(it wrote nothing)");
        assert!(tail(&path, length(&path) + 1).ends_with("line 40"));
        assert_eq!(last_lines("\u{1b}[0m\u{1b}[1;31mno\u{1b}[m way\n\n"), "no way");
    }

    #[test]
    fn a_long_log_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        File::create(&path).unwrap().set_len(LOG_BYTES_MAX + 1).unwrap();
        drop(open_log(&path).unwrap());
        assert_eq!(length(&path), 0);
        assert_eq!(length(&with_suffix(&path, ".1")), LOG_BYTES_MAX + 1);
    }

    #[test]
    fn a_shared_tree_can_be_read_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        create_folders(&inner).unwrap();
        let file = inner.join("program");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o700)).unwrap();
        share_tree(&inner).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&file)), (0o755, 0o755));
    }

    #[test]
    fn deleting_nothing_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        delete(&folder.path().join("absent")).unwrap();
        assert!(entries(&folder.path().join("absent")).unwrap().is_empty());
    }

    #[test]
    fn hashes_are_stable() {
        assert_eq!(short_hash(b"/srv/ana/codepix"), short_hash(b"/srv/ana/codepix"));
        assert_ne!(short_hash(b"/srv/ana/codepix"), short_hash(b"/srv/rui/codepix"));
        assert_eq!(short_hash(b"x").len(), 8);
    }
}
