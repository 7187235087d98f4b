//! What people wrote: that it is there, and that what it names exists.

use std::collections::BTreeSet;

use anyhow::Context as _;

use crate::frozen::{self, Book, Frozen};
use crate::operations::{OPERATIONS, Operation};
use crate::page::Page;
use crate::registry::Catalogue;
use crate::tree::Tree;
use crate::{channels, domains, events, flows, house, outside, references};

/// Words that a section has at least: fewer say nothing.
const WORDS_MIN: usize = 6;

/// What is wrong with what people wrote; each in a sentence.
///
/// # Errors
/// When a page cannot be read.
pub fn faults(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for event in &catalogue.events {
        let path = format!("{}/index.mdx", events::folder(event));
        found.extend(sections(tree, &path, events::PROSE)?);
    }
    for (_, channel) in catalogue.channels() {
        let path = format!("channels/{}/index.mdx", channels::id(&channel));
        found.extend(sections(tree, &path, channels::PROSE)?);
    }
    for operation in OPERATIONS {
        let path = format!("{}/index.mdx", operation.folder());
        let page = page_at(tree, &path)?;
        if page.prose.split_whitespace().count() < WORDS_MIN {
            found.push(format!("eventcatalog/{path} says nothing: write why one asks that"));
        }
    }
    for program in outside::PROGRAMS {
        let path = program.path();
        let page = page_at(tree, &path)?;
        if page.prose.split_whitespace().count() < WORDS_MIN {
            found.push(format!("eventcatalog/{path} says nothing: write who that is"));
        }
    }
    found.extend(outside::unknown(catalogue));
    found.extend(domains::faults(tree)?);
    found.extend(flows::faults(tree)?);
    found.extend(strangers(catalogue, tree)?);
    found.extend(strange_versions(catalogue, tree)?);
    found.extend(references::broken(tree)?);
    Ok(found)
}

pub(crate) fn page_at(tree: &Tree, path: &str) -> anyhow::Result<Page> {
    let text = tree.get(path).with_context(|| {
        format!("eventcatalog/{path} is not there: run `cargo xtask catalog` and write its prose")
    })?;
    Page::parse(text).with_context(|| format!("eventcatalog/{path}"))
}

/// Sections that are missing or say nothing.
fn sections(tree: &Tree, path: &str, wanted: &[&str]) -> anyhow::Result<Vec<String>> {
    let page = page_at(tree, path)?;
    let say = |heading: &&&str| {
        let section = page.prose.split(**heading).nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        section.split_whitespace().count() < WORDS_MIN
    };
    let empty = wanted.iter().filter(say);
    Ok(empty
        .map(|heading| format!("eventcatalog/{path}: nothing is written under {heading:?}"))
        .collect())
}

/// Folders of pages that the code knows.
fn made(catalogue: &Catalogue) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = catalogue.events.iter().map(events::folder).collect();
    let channels = catalogue.channels();
    known.extend(channels.iter().map(|(_, it)| format!("channels/{}", channels::id(it))));
    known.extend(OPERATIONS.iter().map(Operation::folder));
    known
}

/// Folders of pages that people write, for what is listed somewhere.
fn listed(tree: &Tree) -> anyhow::Result<BTreeSet<String>> {
    let mut known = BTreeSet::from([format!("domains/{}", house::WHOLE)]);
    known.extend(flows::FLOWS.iter().map(|flow| flows::folder(flow)));
    known.extend(outside::PROGRAMS.iter().map(outside::Program::folder));
    for context in codepix::config::ContextName::ALL {
        let house = house::of(context);
        let domain = format!("domains/{}", house.domain);
        let entities = page_at(tree, &format!("{domain}/index.mdx"))?.ids("entities");
        known.extend(entities.iter().map(|id| format!("{domain}/entities/{id}")));
        known.extend([
            domain,
            house.folder(),
            format!("{}/containers/{}", house.folder(), house.store),
        ]);
    }
    Ok(known)
}

/// Pages of what the code does not know and nothing lists, and pages that are not of their folder.
fn strangers(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let (made, listed) = (made(catalogue), listed(tree)?);
    let mut found = Vec::new();
    for (path, text) in tree.pages() {
        let Some(folder) = path.strip_suffix("/index.mdx") else { continue };
        let (parent, name) = folder.rsplit_once('/').unwrap_or_default();
        match parent.rsplit('/').next().unwrap_or_default() {
            "versioned" => continue,
            "events" | "channels" | "commands" | "queries" if !made.contains(folder) => {
                found.push(format!(
                    "eventcatalog/{path} documents what is in no registry: remove it, or publish it"
                ));
            }
            "domains" | "services" | "containers" | "entities" | "flows"
                if !listed.contains(folder) =>
            {
                found.push(format!(
                    "eventcatalog/{path} documents what nothing lists: remove it, or list it \
                     (entities in their domain, flows in tests/contracts/src/flows.rs, programs in \
                     outside.rs, contexts in house.rs)"
                ));
            }
            _ => {}
        }
        let page = Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?;
        let id = page.text("id").unwrap_or_default();
        if id != name {
            found.push(format!("eventcatalog/{path} is the page of {id:?}, in another's folder"));
        }
    }
    Ok(found)
}

/// Files of versions that nobody promised.
fn strange_versions(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let frozen = Frozen::of(Book::Schemas, tree)?;
    let is_promised = |folder: &str, version: &str| {
        let mut own = catalogue.events.iter().filter(|event| events::folder(event) == folder);
        let newest = own.clone().map(|it| it.entry.version).max_by_key(|it| frozen::number_of(it));
        newest != Some(version)
            && own.any(|event| frozen.get(event.entry.event_type, version).is_some())
    };
    let mut found = Vec::new();
    for (path, _) in tree.files() {
        let Some((folder, rest)) = path.split_once("/versioned/") else { continue };
        let version = rest.split('/').next().unwrap_or_default();
        if !is_promised(folder, version) {
            found.push(format!(
                "eventcatalog/{path} is of a version that was never promised, or is not old: \
                 remove it"
            ));
        }
    }
    Ok(found)
}

/// Contexts whose service, domain or store has no page.
pub fn homeless(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for context in codepix::config::ContextName::ALL {
        let house = house::of(context);
        let pages = [
            format!("domains/{}/index.mdx", house.domain),
            format!("{}/index.mdx", house.folder()),
            format!("{}/containers/{}/index.mdx", house.folder(), house.store),
            format!("teams/{}.mdx", house.team),
        ];
        let missing = pages.iter().filter(|path| tree.get(path).is_none());
        found.extend(missing.map(|path| format!("eventcatalog/{path} is not there")));
    }
    found
}
