//! A3: domain and application name only the crates on their list.
//!
//! A list of what is allowed, not of what is banned: the next driver is refused before anyone has
//! heard of it. A path begins with a crate when its first part is a dependency of this manifest
//! (or of the language) and nothing in scope hides it: not a module or an import of the file, and
//! not a type, which begins with a capital letter. The manifest is checked as well: what is not
//! optional reaches every build, so it must be on the list.

use std::collections::BTreeSet;
use std::path::Path;

use crate::crate_tree::{CrateFile, CrateTree};
use crate::source::{Kind, Mention};
use crate::{Finding, House, Manifest, Result};

const RULE: &str = "A3";
const REMEDY: &str = "hide it behind a port and use it in infrastructure";

/// Crates that come with the language.
const LANGUAGE: &[&str] = &["std", "core", "alloc", "proc_macro", "test"];
const DOMAIN: &[&str] = &["std", "core", "alloc", "shared_kernel", "serde", "thiserror", "uuid"];
/// How a value is written is part of it: its tests look at its JSON and its schema.
const DOMAIN_TESTS: &[&str] = &["proptest", "schemars", "serde_json"];
const APPLICATION: &[&str] = &["async_trait", "tracing", "futures"];
/// A fake of a port that publishes declares what it publishes, as real ones do.
const APPLICATION_TESTS: &[&str] = &["mockall", "proptest", "schemars", "tokio"];
/// Values of the kernel describe themselves in the schemas of published events.
const KERNEL_DOMAIN: &[&str] = &["jiff", "schemars", "sha2"];
const KERNEL_APPLICATION: &[&str] = &["tokio::sync", "bytes", "serde_json"];
/// What published events need in every build, beside what the application may name.
const PUBLISHED: &[&str] = &["schemars", "serde_json"];
const KERNEL_BUILD: &[&str] = &["tokio"];

/// Every crate named or built where it must not be.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for folder in house.layered()? {
        let lists = Lists { kernel: folder == Path::new("shared-kernel") };
        let manifest = Manifest::of(house, &folder)?;
        found.extend(unconditional(&manifest, &lists));
        let mut crates: BTreeSet<String> =
            manifest.dependencies().iter().map(crate::Dependency::crate_name).collect();
        crates.extend(LANGUAGE.iter().map(|name| (*name).to_owned()));
        for file in &CrateTree::of(house, &folder.join("src/lib.rs"))?.files {
            found.extend(named(file, &crates, &lists));
        }
    }
    Ok(found)
}

/// The lists of one crate.
struct Lists {
    kernel: bool,
}

impl Lists {
    /// What code at a layer may name; nothing for a module that is no inner layer.
    fn of(&self, layer: &str, test: bool) -> Option<Vec<&'static str>> {
        let is_application = match layer {
            "domain" => false,
            "application" => true,
            _ => return None,
        };
        let picks = [
            (true, DOMAIN),
            (self.kernel, KERNEL_DOMAIN),
            (is_application, APPLICATION),
            (is_application && self.kernel, KERNEL_APPLICATION),
            (!is_application && test, DOMAIN_TESTS),
            (is_application && test, APPLICATION_TESTS),
        ];
        let picked = picks.into_iter().filter(|(picked, _)| *picked);
        Some(picked.flat_map(|(_, list)| list.iter().copied()).collect())
    }

    /// What may be built without the feature `infrastructure`.
    fn of_build(&self) -> Vec<&'static str> {
        let mut list = self.of("application", false).unwrap_or_default();
        list.extend(PUBLISHED);
        if self.kernel {
            list.extend(KERNEL_BUILD);
        }
        list
    }
}

fn named(file: &CrateFile, crates: &BTreeSet<String>, lists: &Lists) -> Vec<Finding> {
    let mut found = Vec::new();
    for mention in &file.source.mentions {
        let Some(layer) = mention.place.module.first() else {
            continue;
        };
        let Some(list) = lists.of(layer, mention.place.test) else {
            continue;
        };
        let Some(head) = crate_head(mention, &file.source.mentions, file, crates) else {
            continue;
        };
        let from_head = mention.segments.iter().skip_while(|part| *part != head);
        let path: Vec<&str> = from_head.map(String::as_str).collect();
        if !list.iter().any(|allowed| begins_with(&path, allowed)) {
            let written = mention.written();
            let what = format!("{layer} names the crate {head} in `{written}`, not on its list");
            found.push(Finding::new(RULE, &file.path, mention.line, what).remedy(REMEDY));
        }
    }
    found
}

fn begins_with(path: &[&str], allowed: &str) -> bool {
    let allowed: Vec<&str> = allowed.split("::").collect();
    path.starts_with(&allowed)
}

/// The crate that a path begins with, if it begins with one.
fn crate_head<'a>(
    mention: &'a Mention,
    all: &[Mention],
    file: &CrateFile,
    crates: &BTreeSet<String>,
) -> Option<&'a str> {
    let head = mention.segments.first()?;
    if mention.global || mention.kind == Kind::ExternCrate {
        return Some(head);
    }
    if head == "shared_kernel" {
        // A crate that the kernel hands on is that crate.
        let handed_on =
            |part: &&String| crates.contains(*part) && !LANGUAGE.contains(&part.as_str());
        return mention.segments.iter().skip(1).find(handed_on).or(Some(head)).map(String::as_str);
    }
    // The set holds no keyword, no primitive type and, as crates are written, no capital letter.
    let can_be = crates.contains(head);
    let imports = all.iter().filter(|other| other.segments.first() != Some(head));
    let hidden = imports
        .filter(|other| other.binds() == Some(head))
        .map(|other| &other.place)
        .chain(
            file.source
                .modules
                .iter()
                .filter(|other| other.name == *head)
                .map(|other| &other.place),
        )
        .any(|place| mention.place.module.starts_with(&place.module));
    (can_be && !hidden).then_some(head)
}

/// Dependencies that reach a build without drivers and are on no list.
fn unconditional(manifest: &Manifest, lists: &Lists) -> Vec<Finding> {
    let list = lists.of_build();
    let mut found = Vec::new();
    for dependency in manifest.dependencies() {
        let optional = dependency.section != "dependencies" || dependency.is("optional");
        let name = dependency.crate_name();
        if !optional && !list.contains(&name.as_str()) {
            let what = format!("`{}` is built without the feature infrastructure", dependency.name);
            let line = manifest.line_of(&dependency.name);
            let remedy = "make it optional and name it in the feature infrastructure";
            found.push(Finding::new(RULE, &manifest.path, line, what).remedy(remedy));
        }
    }
    found
}
