//! The repository on disk: its contexts and its files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// Folders that hold no source of ours: build output, history, data of servers.
const SKIPPED: &[&str] = &["target", ".git", ".codepix", "node_modules"];

/// The repository.
#[derive(Debug, Clone)]
pub struct House {
    root: PathBuf,
}

/// One bounded context: a folder under `contexts/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The name of folder and package, as in `pix-keys`.
    pub name: String,
    /// The folder, relative to the repository.
    pub folder: PathBuf,
}

impl Context {
    /// The name as an identifier, as in `pix_keys`: the crate in Rust, the schema in SQL.
    pub fn schema(&self) -> String {
        self.name.replace('-', "_")
    }
}

impl House {
    /// The house at a folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The house that this crate belongs to, two folders up.
    pub fn here() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self::at(own.ancestors().nth(2).unwrap_or(own))
    }

    /// The folder of the repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every context on disk, by name. None at all is an error: nothing would be checked.
    pub fn contexts(&self) -> Result<Vec<Context>> {
        let folder = Path::new("contexts");
        let mut contexts = Vec::new();
        for entry in self.entries(folder)? {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned());
            if let (Some(name), true) = (name, self.root.join(&entry).is_dir()) {
                contexts.push(Context { name, folder: entry });
            }
        }
        if contexts.is_empty() {
            return Err(format!("no context under {}", self.root.join(folder).display()).into());
        }
        Ok(contexts)
    }

    /// The folders that are built in layers: every context, and the shared kernel.
    pub fn layered(&self) -> Result<Vec<PathBuf>> {
        let mut folders: Vec<PathBuf> =
            self.contexts()?.into_iter().map(|context| context.folder).collect();
        folders.push(PathBuf::from("shared-kernel"));
        Ok(folders)
    }

    /// Whether there is something at a path.
    pub fn has(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).exists()
    }

    /// The text of a file.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = path.as_ref();
        fs::read_to_string(self.root.join(path))
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// What lies directly in a folder, sorted; nothing when the folder is absent.
    pub fn entries(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        let absolute = self.root.join(folder);
        if !absolute.is_dir() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&absolute)? {
            found.push(folder.join(entry?.file_name()));
        }
        found.sort();
        Ok(found)
    }

    /// Every file of ours under a folder (`""`: the whole repository), links not followed.
    pub fn files(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![folder.as_ref().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in self.entries(&folder)? {
                let kind = fs::symlink_metadata(self.root.join(&path))?.file_type();
                let skipped = is_skipped(&path);
                if kind.is_dir() && !skipped {
                    folders.push(path);
                } else if kind.is_file() {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Every Rust file under a folder.
    pub fn rust_files(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let mut files = self.files(folder)?;
        files.retain(|path| path.extension() == Some(OsStr::new("rs")));
        Ok(files)
    }
}

/// Whether a folder is left out; inside a `src` none is, whatever its name.
fn is_skipped(folder: &Path) -> bool {
    let in_source = folder.iter().any(|part| part == OsStr::new("src"));
    let name = folder.file_name();
    !in_source && SKIPPED.iter().any(|skipped| name == Some(OsStr::new(skipped)))
}
