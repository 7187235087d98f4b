//! `eventcatalog/` in memory: what is committed, and what the code says it should be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Folders that others fill: packages, and what the site's build makes.
const OTHERS: &[&str] = &["node_modules", "dist", ".eventcatalog-core", ".astro", "pagefind"];

/// Text files by their path from the catalogue's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

/// Where the catalogue is.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../eventcatalog")
}

impl Tree {
    /// What is committed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.gather(folder, folder)?;
        Ok(tree)
    }

    fn gather(&mut self, root: &Path, folder: &Path) -> anyhow::Result<()> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if OTHERS.contains(&name) {
                continue;
            }
            if path.is_dir() {
                self.gather(root, &path)?;
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let from_root = path.strip_prefix(root)?;
                self.put(&from_root.to_string_lossy().replace('\\', "/"), text);
            }
        }
        Ok(())
    }

    /// The text of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Puts a file there.
    pub fn put(&mut self, path: &str, text: impl Into<String>) {
        self.files.insert(path.to_owned(), text.into());
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) -> Option<String> {
        self.files.remove(path)
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every page that people read.
    pub fn pages(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_page = |path: &str| Path::new(path).extension().is_some_and(|it| it == "mdx");
        self.files().filter(move |(path, _)| is_page(path))
    }

    /// Paths that are not the same in both.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let paths = self.files.keys().chain(other.files.keys());
        let mut differing: Vec<String> =
            paths.filter(|path| self.get(path) != other.get(path)).cloned().collect();
        differing.sort();
        differing.dedup();
        differing
    }

    /// Makes the folder as the tree says, where `committed` is not.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path, committed: &Self) -> anyhow::Result<()> {
        for path in self.differences(committed) {
            let file = folder.join(&path);
            if let Some(text) = self.get(&path) {
                if let Some(parent) = file.parent() {
                    std::fs::create_dir_all(parent)?;
                }
                std::fs::write(&file, text)
                    .with_context(|| format!("{} was not written", file.display()))?;
            } else {
                std::fs::remove_file(&file)
                    .with_context(|| format!("{} was not removed", file.display()))?;
            }
        }
        Ok(())
    }
}
