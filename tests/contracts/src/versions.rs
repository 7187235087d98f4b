//! A version is a promise: what it said is frozen.
//!
//! `schemas.sha256` has a line for each version of each event that was ever promised, with the
//! fingerprint of its schema. A schema that differs from its line has changed without a new
//! version.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::page::Page;
use crate::registry::{Catalogue, EventDoc};
use crate::schema::{self, Difference};
use crate::tree::Tree;
use crate::{events, house};

/// Where the fingerprints are.
pub const FILE: &str = "schemas.sha256";

const HEAD: &str = "# The schema of every version of every event that was ever promised, by its \
    fingerprint.\n\
    # A line is added by `cargo xtask catalog` and never changed: old events stay in the \
    log for ever.\n";

/// Event type and version, and the fingerprint of what they promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frozen(BTreeMap<(String, String), String>);

impl Frozen {
    /// Reads the lines.
    ///
    /// # Errors
    /// When one is none.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [fingerprint, event_type, version] = words.as_slice() else {
                anyhow::bail!("{FILE}: a line is a fingerprint, a type and a version: {line:?}");
            };
            let place = ((*event_type).to_owned(), (*version).to_owned());
            ensure!(
                lines.insert(place, (*fingerprint).to_owned()).is_none(),
                "{FILE}: {event_type} {version} is there twice"
            );
        }
        Ok(Self(lines))
    }

    /// Of the tree.
    ///
    /// # Errors
    /// When a line is none.
    pub fn of(tree: &Tree) -> anyhow::Result<Self> {
        Self::parse(tree.get(FILE).unwrap_or_default())
    }

    /// The lines.
    pub fn render(&self) -> String {
        let line = |((event_type, version), fingerprint): (&(String, String), &String)| {
            format!("{fingerprint}  {event_type} {version}\n")
        };
        format!("{HEAD}{}", self.0.iter().map(line).collect::<String>())
    }

    /// The fingerprint of a version.
    pub fn get(&self, event_type: &str, version: &str) -> Option<&str> {
        self.0.get(&(event_type.to_owned(), version.to_owned())).map(String::as_str)
    }

    /// Freezes a version that is not frozen yet.
    pub fn freeze(&mut self, event: &EventDoc) {
        let place = (event.entry.event_type.to_owned(), event.entry.version.to_owned());
        self.0.entry(place).or_insert_with(|| schema::fingerprint(&event.schema));
    }

    /// The newest frozen version of a type.
    fn newest(&self, event_type: &str) -> Option<&str> {
        let versions = self.0.keys().filter(|(known, _)| known == event_type);
        versions.map(|(_, version)| version.as_str()).max_by_key(|version| number_of(version))
    }
}

/// A version's numbers, to be compared.
pub fn number_of(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

/// What was promised and is not so any more; each in a sentence that says what to do.
///
/// # Errors
/// When the fingerprints cannot be read.
pub fn broken_promises(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let frozen = Frozen::of(tree)?;
    let mut found: Vec<String> =
        catalogue.events.iter().filter_map(|event| changed(event, &frozen, tree)).collect();
    for (event_type, version) in frozen.0.keys() {
        found.extend(lost(catalogue, tree, &frozen, (event_type, version)));
    }
    Ok(found)
}

/// An event whose code is not what its version says.
fn changed(event: &EventDoc, frozen: &Frozen, tree: &Tree) -> Option<String> {
    let (event_type, version) = (event.entry.event_type, event.entry.version);
    let fingerprint = schema::fingerprint(&event.schema);
    let base = match frozen.get(event_type, version) {
        Some(known) if known == fingerprint => return None,
        Some(_) => version,
        // A new version of a known type may only add.
        None => frozen.newest(event_type)?,
    };
    let Some(promised) = schema_of(tree, event, base) else {
        return Some(format!("{event_type} {base} is frozen, and its schema.json is not there"));
    };
    let differences = schema::differences(&promised, &event.schema);
    let breaks = differences.iter().any(|it| it.breaks);
    if base != version && !breaks {
        return None;
    }
    let said: Vec<String> = differences.iter().map(Difference::sentence).collect();
    let (name, remedy) = (event.entry.name, remedy(event, base, breaks));
    Some(format!("{name} is not what version {base} promised: {}. {remedy}", said.join(", ")))
}

fn remedy(event: &EventDoc, base: &str, breaks: bool) -> String {
    let name = event.entry.name;
    let numbers = number_of(base);
    let number = |index: usize| numbers.get(index).copied().unwrap_or_default();
    if breaks {
        let next = number(0).saturating_add(1);
        return format!(
            "Readers of {base} break on that, and old events stay in the log: leave {name}V{} as \
             it was, declare {name}V{next} as ({next}, 0) beside it in published.rs, and run \
             `cargo xtask catalog`",
            number(0)
        );
    }
    format!(
        "That only adds, so readers of {base} go on: make it ({}, {}) in published.rs and run \
         `cargo xtask catalog`",
        number(0),
        number(1).saturating_add(1)
    )
}

/// A frozen version that is gone, or is not what it was.
fn lost(
    catalogue: &Catalogue,
    tree: &Tree,
    frozen: &Frozen,
    (event_type, version): (&str, &str),
) -> Option<String> {
    let Some(event) = catalogue.events.iter().find(|it| it.entry.event_type == event_type) else {
        return Some(format!(
            "{event_type} was promised and is in no registry: an event that nobody sends any more \
             stays declared, with `deprecated` on its page, for the log still holds it"
        ));
    };
    let path = place_of(tree, event, version);
    let Some(text) = tree.get(&path) else {
        return Some(format!(
            "the schema of {} {version} is gone: old versions are frozen, so fetch it back from \
             the history",
            event.entry.name
        ));
    };
    let schema: Option<Value> = serde_json::from_str(text).ok();
    let is_as_it_was = schema.is_some_and(|schema| {
        frozen.get(event_type, version) == Some(schema::fingerprint(&schema).as_str())
    });
    // What is current is written by the code, so a difference there is told above.
    (!is_as_it_was && event.entry.version != version).then(|| {
        format!(
            "{path} is not what was frozen: an old version never changes, so fetch it back from \
             the history"
        )
    })
}

/// The committed schema of a version.
fn schema_of(tree: &Tree, event: &EventDoc, version: &str) -> Option<Value> {
    serde_json::from_str(tree.get(&place_of(tree, event, version))?).ok()
}

/// Where the schema of a version is committed: in the event's folder, unless its page says that a
/// newer one stands there.
fn place_of(tree: &Tree, event: &EventDoc, version: &str) -> String {
    let folder = events::folder(event);
    let index = tree.get(&format!("{folder}/index.mdx"));
    let page = index.and_then(|text| Page::parse(text).ok()).unwrap_or_default();
    match page.text("version") {
        Some(current) if current != version => format!("{folder}/versioned/{version}/schema.json"),
        _ => format!("{folder}/schema.json"),
    }
}

/// Freezes what is new; moves the page of the version before aside.
///
/// # Errors
/// When a promise is broken, or a page cannot be read.
pub fn advance(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    let broken = broken_promises(catalogue, tree)?;
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    let mut frozen = Frozen::of(tree)?;
    for event in &catalogue.events {
        frozen.freeze(event);
        set_aside(tree, event).with_context(|| format!("{}'s page", event.entry.name))?;
    }
    tree.put(FILE, frozen.render());
    Ok(())
}

/// What stands in an event's folder and is older than the event.
fn set_aside(tree: &mut Tree, event: &EventDoc) -> anyhow::Result<()> {
    let folder = events::folder(event);
    let Some(index) = tree.get(&format!("{folder}/index.mdx")) else {
        return Ok(());
    };
    let page = Page::parse(index)?;
    let before = page.text("version").unwrap_or(house::VERSION).to_owned();
    if number_of(&before) >= number_of(event.entry.version) {
        return Ok(());
    }
    for file in ["index.mdx", "schema.json", "example.json"] {
        if let Some(text) = tree.get(&format!("{folder}/{file}")).map(str::to_owned) {
            tree.put(&format!("{folder}/versioned/{before}/{file}"), text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_fingerprints_comes_back_as_it_was() {
        let text =
            format!("{HEAD}ab  codepix.probe.Noted.v1 1.0.0\ncd  codepix.probe.Noted.v1 1.1.0\n");
        let frozen = Frozen::parse(&text).unwrap();
        assert_eq!(frozen.get("codepix.probe.Noted.v1", "1.1.0"), Some("cd"));
        assert_eq!(frozen.newest("codepix.probe.Noted.v1"), Some("1.1.0"));
        assert_eq!(frozen.render(), text);
        assert!(Frozen::parse("ab codepix.probe.Noted.v1").is_err());
        assert!(Frozen::parse("ab x 1.0.0\ncd x 1.0.0").is_err());
    }

    #[test]
    fn versions_are_numbers() {
        assert!(number_of("1.10.0") > number_of("1.9.0"));
    }
}
