//! The files of a crate, each with its true module: `mod` is followed from the root file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::{Module, Place, Source};
use crate::{House, Result};

/// One file of a crate.
#[derive(Debug)]
pub struct CrateFile {
    /// The file, relative to the repository.
    pub path: PathBuf,
    /// Its module, and whether it is compiled for tests alone.
    pub place: Place,
    /// What stands in it.
    pub source: Source,
}

/// The files that can be reached from one root.
#[derive(Debug, Default)]
pub struct CrateTree {
    /// The root first.
    pub files: Vec<CrateFile>,
    /// Modules that are declared and have no file: the declaring file, the line, the name.
    pub missing: Vec<(PathBuf, usize, String)>,
}

impl CrateTree {
    /// Follows `mod` from a root file; an absent root is an empty tree.
    pub fn of(house: &House, root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        if house.has(root) {
            let mut seen = BTreeSet::new();
            tree.follow(house, root, &Place::default(), &mut seen)?;
        }
        Ok(tree)
    }

    fn follow(
        &mut self,
        house: &House,
        path: &Path,
        place: &Place,
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        if !seen.insert(path.to_owned()) {
            return Ok(());
        }
        let source = Source::read(&house.read(path)?, place)
            .map_err(|error| format!("{}: not Rust: {error}", path.display()))?;
        let declared: Vec<Module> =
            source.modules.iter().filter(|module| !module.inline).cloned().collect();
        let is_root = place.module.is_empty();
        self.files.push(CrateFile { path: path.to_owned(), place: place.clone(), source });
        for module in declared {
            let folder = folder_of(path, is_root, place, &module);
            let mut inside = module.place.clone();
            inside.module.push(module.name.clone());
            match candidates(path, &folder, &module).into_iter().find(|file| house.has(file)) {
                Some(file) => self.follow(house, &file, &inside, seen)?,
                None => self.missing.push((path.to_owned(), module.line, module.name)),
            }
        }
        Ok(())
    }
}

/// The folder where the modules of a file lie, inline modules around them included.
fn folder_of(file: &Path, is_root: bool, place: &Place, module: &Module) -> PathBuf {
    let parent = file.parent().unwrap_or(Path::new(""));
    let own = is_root || file.file_name().is_some_and(|name| name == "mod.rs");
    let stem = file.file_stem().unwrap_or_default();
    let mut folder = if own { parent.to_owned() } else { parent.join(stem) };
    folder.extend(module.place.module.iter().skip(place.module.len()));
    folder
}

fn candidates(file: &Path, folder: &Path, module: &Module) -> Vec<PathBuf> {
    match &module.path {
        Some(path) => vec![file.parent().unwrap_or(Path::new("")).join(path)],
        None => vec![
            folder.join(format!("{}.rs", module.name)),
            folder.join(&module.name).join("mod.rs"),
        ],
    }
}
