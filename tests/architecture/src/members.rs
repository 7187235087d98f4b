//! The members of the workspace and who depends on whom, as cargo sees it: renames, targets and
//! inherited entries are already resolved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{MetadataCommand, Package};

use crate::{House, Result};

/// One member of the workspace.
#[derive(Debug, Clone)]
pub struct Member {
    /// The name of the package.
    pub name: String,
    /// Its folder, relative to the repository; empty for the root package.
    pub folder: PathBuf,
    /// Members that it depends on: folder, and the name used in the manifest.
    pub uses: Vec<(PathBuf, String)>,
    /// The root file of each target: library, binary, test, example, benchmark, build script.
    pub targets: Vec<PathBuf>,
    /// Whether it can be published to a registry.
    pub publishes: bool,
}

/// All members, by folder.
#[derive(Debug, Clone)]
pub struct Members {
    all: BTreeMap<PathBuf, Member>,
}

impl Members {
    /// Asks cargo, without resolving anything from a registry.
    pub fn of(house: &House) -> Result<Self> {
        let root = house.root().canonicalize()?;
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .other_options(vec!["--offline".to_owned()])
            .exec()?;
        let packages = metadata.workspace_packages();
        let folders: BTreeMap<&str, PathBuf> = packages
            .iter()
            .map(|package| (package.name.as_str(), folder_of(package, &root)))
            .collect();
        let members = packages.iter().map(|package| member(package, &root, &folders));
        Ok(Self { all: members.map(|member| (member.folder.clone(), member)).collect() })
    }

    /// Every member, by folder.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.values()
    }

    /// The member in a folder.
    pub fn at(&self, folder: &Path) -> Option<&Member> {
        self.all.get(folder)
    }
}

fn folder_of(package: &Package, root: &Path) -> PathBuf {
    let folder = package.manifest_path.parent().map(Utf8Path::as_std_path);
    relative(folder.unwrap_or(root), root)
}

fn relative(path: &Path, root: &Path) -> PathBuf {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real.strip_prefix(root).map(Path::to_owned).unwrap_or(real)
}

fn member(package: &Package, root: &Path, folders: &BTreeMap<&str, PathBuf>) -> Member {
    let mut uses = Vec::new();
    for dependency in &package.dependencies {
        // A path leads to the folder; without one, a name that only a member has is a member too.
        let by_path = dependency.path.as_ref().map(|path| relative(path.as_std_path(), root));
        let Some(folder) = by_path.or_else(|| folders.get(dependency.name.as_str()).cloned())
        else {
            continue;
        };
        let name = dependency.rename.clone().unwrap_or_else(|| dependency.name.clone());
        uses.push((folder, name));
    }
    let targets = package.targets.iter();
    Member {
        name: package.name.to_string(),
        folder: folder_of(package, root),
        uses,
        targets: targets.map(|target| relative(target.src_path.as_std_path(), root)).collect(),
        publishes: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
    }
}
