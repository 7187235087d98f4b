//! A5: every member inherits its lints, its versions and that it is not published.
//!
//! One place for versions and lints, the root manifest, or they drift. A manifest that is no
//! member escapes every check, so it is a finding as well.

use std::ffi::OsStr;
use std::path::Path;

use toml::Value;

use crate::{Dependency, Finding, House, Manifest, Members, Result};

const RULE: &str = "A5";
/// What a package takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];
/// What an inherited dependency may say for itself.
const OWN_KEYS: &[&str] = &["workspace", "optional", "features", "default-features"];

/// Every manifest that says for itself what the workspace says for all.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let members = Members::of(house)?;
    let mut found = Vec::new();
    for member in members.iter() {
        let manifest = Manifest::of(house, &member.folder)?;
        found.extend(package(&manifest, member.publishes));
        for dependency in manifest.dependencies() {
            found.extend(inherited(&manifest, &dependency));
        }
    }
    for path in house.files("")? {
        let folder = path.parent().unwrap_or(Path::new(""));
        let is_manifest = path.file_name() == Some(OsStr::new("Cargo.toml"));
        if is_manifest && members.at(folder).is_none() {
            let found_here = Finding::new(RULE, &path, 0, "this package is no member");
            found.push(found_here.remedy("add it to `members` in the root manifest"));
        }
    }
    Ok(found)
}

fn package(manifest: &Manifest, publishes: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let from_workspace = |value: Option<&Value>| {
        let table = value.and_then(Value::as_table);
        table.is_some_and(|table| table.len() == 1 && is_inherited(table.get("workspace")))
    };
    if !from_workspace(manifest.get(&["lints"])) {
        let what = "the lints of the workspace are not inherited";
        let at = manifest.line_of("lints");
        let remedy = "write `[lints] workspace = true` and nothing else in that section";
        found.push(Finding::new(RULE, &manifest.path, at, what).remedy(remedy));
    }
    if publishes {
        let at = manifest.line_of("publish");
        let what = "this package could be published";
        let remedy = "write `publish.workspace = true`";
        found.push(Finding::new(RULE, &manifest.path, at, what).remedy(remedy));
    }
    for key in INHERITED {
        if !from_workspace(manifest.get(&["package", key])) {
            let what = format!("`{key}` is not inherited");
            let at = manifest.line_of(key);
            let remedy = "write `<key>.workspace = true`";
            found.push(Finding::new(RULE, &manifest.path, at, what).remedy(remedy));
        }
    }
    found
}

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool) == Some(true)
}

fn inherited(manifest: &Manifest, dependency: &Dependency) -> Option<Finding> {
    let Dependency { name, section, value } = dependency;
    let keys: Vec<&str> =
        value.as_table().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let own = keys.iter().find(|key| !OWN_KEYS.contains(key));
    let what = match own {
        Some(key) => format!("`{name}` in [{section}] has a `{key}` of its own"),
        None if dependency.is("workspace") => return None,
        None => format!("`{name}` in [{section}] has a version of its own"),
    };
    let remedy = "write `workspace = true`; the version stands in the root manifest alone";
    Some(Finding::new(RULE, &manifest.path, manifest.line_of(name), what).remedy(remedy))
}
