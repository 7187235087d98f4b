//! A version is a promise: what it said is frozen.
//!
//! `schemas.sha256` has a line for each version of each event that was ever promised, with the
//! fingerprint of its schema. A schema that differs from its line has changed without a new
//! version. `examples.sha256` keeps in the same way what readers must read of old versions.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::frozen::{Book, Frozen, number_of};
use crate::history;
use crate::page::Page;
use crate::registry::{Catalogue, EventDoc};
use crate::schema::{self, Difference};
use crate::tree::Tree;
use crate::{events, house};

/// What was promised and is not so any more; each in a sentence that says what to do.
///
/// # Errors
/// When the fingerprints cannot be read.
pub fn broken_promises(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let frozen = Frozen::of(Book::Schemas, tree)?;
    let mut found: Vec<String> =
        catalogue.events.iter().filter_map(|event| changed(event, &frozen, tree)).collect();
    for place in frozen.versions() {
        found.extend(lost(catalogue, tree, &frozen, place));
    }
    found.extend(history::pages(catalogue, tree)?);
    found.extend(history::edited(catalogue, tree)?);
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

/// Where the schema of a version is committed.
fn place_of(tree: &Tree, event: &EventDoc, version: &str) -> String {
    format!("{}/schema.json", folder_of(tree, event, version))
}

/// Where a version is committed: in the event's folder, unless its page says that a newer one
/// stands there.
pub fn folder_of(tree: &Tree, event: &EventDoc, version: &str) -> String {
    let folder = events::folder(event);
    let index = tree.get(&format!("{folder}/index.mdx"));
    let page = index.and_then(|text| Page::parse(text).ok()).unwrap_or_default();
    match page.text("version") {
        Some(current) if current != version => format!("{folder}/versioned/{version}"),
        _ => folder,
    }
}

/// Freezes what is new; moves the page of the version before aside.
///
/// # Errors
/// When a promise is broken, or a page cannot be read.
pub fn advance(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    let broken = broken_promises(catalogue, tree)?;
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    let mut frozen = Frozen::of(Book::Schemas, tree)?;
    for event in &catalogue.events {
        let fingerprint = || schema::fingerprint(&event.schema);
        frozen.freeze(event.entry.event_type, event.entry.version, fingerprint);
        set_aside(tree, event).with_context(|| format!("{}'s page", event.entry.name))?;
    }
    tree.put(Book::Schemas.file(), frozen.render());
    history::freeze(catalogue, tree)
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
