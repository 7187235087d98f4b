//! A `Cargo.toml` as it is written, before cargo resolves what is inherited.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::{House, Result};

/// The sections that hold dependencies, with their older spellings.
const SECTIONS: &[&str] = &[
    "dependencies",
    "dev-dependencies",
    "dev_dependencies",
    "build-dependencies",
    "build_dependencies",
];

/// One manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file, relative to the repository.
    pub path: PathBuf,
    /// What stands in it.
    pub table: Table,
    text: String,
}

/// One line of a section of dependencies.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The key: the name that the code uses, with `-` as it is written.
    pub name: String,
    /// The section, as in `dev-dependencies`.
    pub section: String,
    /// What stands behind the key.
    pub value: Value,
}

impl Dependency {
    /// The name that a path in Rust begins with.
    pub fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether a key is set to `true`, as in `optional = true`.
    pub fn is(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool) == Some(true)
    }
}

impl Manifest {
    /// Reads the manifest of a folder.
    pub fn of(house: &House, folder: &Path) -> Result<Self> {
        let path = folder.join("Cargo.toml");
        let text = house.read(&path)?;
        let table = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path, table, text })
    }

    /// Every dependency in every section, those of a target or a platform too.
    pub fn dependencies(&self) -> Vec<Dependency> {
        let mut found = section_dependencies(&self.table);
        let targets = self.table.get("target").and_then(Value::as_table);
        for target in targets.into_iter().flat_map(Table::values).filter_map(Value::as_table) {
            found.extend(section_dependencies(target));
        }
        found
    }

    /// The value at a path of keys.
    pub fn get(&self, keys: &[&str]) -> Option<&Value> {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(self.table.get(*first)?, |value, key| value.get(key))
    }

    /// The line where a key begins a line or a section, 0 when it does not.
    pub fn line_of(&self, key: &str) -> usize {
        let begins = |line: &str| {
            let bare = line.trim_start().trim_start_matches(['[', '"']);
            let rest = bare.strip_prefix(key);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        };
        self.text.lines().position(begins).map_or(0, |index| index.saturating_add(1))
    }
}

fn section_dependencies(table: &Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    for section in SECTIONS {
        let entries = table.get(*section).and_then(Value::as_table);
        for (name, value) in entries.into_iter().flatten() {
            found.push(Dependency {
                name: name.clone(),
                section: (*section).to_owned(),
                value: value.clone(),
            });
        }
    }
    found
}
