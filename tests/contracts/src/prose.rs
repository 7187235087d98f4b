//! What people wrote: that it is there, and that what it names exists.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_yaml_ng::Value;

use crate::operations::OPERATIONS;
use crate::page::Page;
use crate::registry::Catalogue;
use crate::tree::Tree;
use crate::{channels, events, house, outside};

/// Words that a section has at least: fewer say nothing.
const WORDS_MIN: usize = 6;

/// Collections of the site, as they are in paths and links.
const COLLECTIONS: &[&str] = &[
    "domains",
    "services",
    "events",
    "commands",
    "queries",
    "flows",
    "channels",
    "entities",
    "containers",
];

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
        let domain = format!("domains/{}/index.mdx", program.domain);
        if !page_at(tree, &domain)?.ids("services").iter().any(|id| id == program.service) {
            let id = program.service;
            found.push(format!("eventcatalog/{domain} does not list the service {id}"));
        }
    }
    found.extend(outside::unknown(catalogue));
    found.extend(strangers(catalogue, tree));
    found.extend(broken_references(tree)?);
    Ok(found)
}

fn page_at(tree: &Tree, path: &str) -> anyhow::Result<Page> {
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

/// Pages of events, channels and operations that the code does not know.
fn strangers(catalogue: &Catalogue, tree: &Tree) -> Vec<String> {
    let mut known: BTreeSet<String> = catalogue.events.iter().map(events::folder).collect();
    known.extend(
        catalogue
            .channels()
            .iter()
            .map(|(_, channel)| format!("channels/{}", channels::id(channel))),
    );
    known.extend(OPERATIONS.iter().map(crate::operations::Operation::folder));
    let mut found = Vec::new();
    for (path, _) in tree.files() {
        let Some(folder) = path.strip_suffix("/index.mdx") else { continue };
        let parent = folder.rsplit('/').nth(1).unwrap_or_default();
        let is_made = ["events", "channels", "commands", "queries"].contains(&parent);
        if is_made && !known.contains(folder) {
            found.push(format!(
                "eventcatalog/{path} documents what is in no registry: remove it, or publish it"
            ));
        }
    }
    found
}

/// A resource of the site: collection and id.
type Resource = (String, String);

/// Every resource that has a page, with its version.
fn resources(tree: &Tree) -> anyhow::Result<BTreeSet<(Resource, String)>> {
    let mut found = BTreeSet::new();
    for (path, text) in tree.pages() {
        let folders: Vec<&str> = path.split('/').collect();
        let collection = folders
            .iter()
            .rev()
            .find(|name| COLLECTIONS.contains(name) || ["users", "teams"].contains(name));
        let page = Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?;
        if let (Some(collection), Some(id)) = (collection, page.text("id")) {
            let version = page.text("version").unwrap_or_default().to_owned();
            found.insert((((*collection).to_owned(), id.to_owned()), version));
        }
    }
    Ok(found)
}

/// Ids and links that lead nowhere.
fn broken_references(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let there = resources(tree)?;
    let has = |collections: &[&str], id: &str| {
        there.iter().any(|((collection, known), _)| {
            known == id && collections.contains(&collection.as_str())
        })
    };
    let messages = &["events", "commands", "queries"][..];
    let lists: [(&str, &[&str]); 8] = [
        ("owners", &["users", "teams"]),
        ("members", &["users"]),
        ("services", &["services"]),
        ("domains", &["domains"]),
        ("entities", &["entities"]),
        ("channels", &["channels"]),
        ("writesTo", &["containers"]),
        ("readsFrom", &["containers"]),
    ];
    let mut found = Vec::new();
    for (path, text) in tree.pages() {
        let page = Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?;
        let mut broken = |what: &str| {
            found.push(format!("eventcatalog/{path} names {what}, which is not there"));
        };
        for (key, collections) in lists {
            page.ids(key).iter().filter(|id| !has(collections, id)).for_each(|id| broken(id));
        }
        for id in
            page.ids("sends").iter().chain(&page.ids("receives")).filter(|id| !has(messages, id))
        {
            broken(id);
        }
        for step in page.head.get("steps").and_then(Value::as_sequence).into_iter().flatten() {
            for (key, collections) in
                [("message", messages), ("service", &["services"]), ("flow", &["flows"])]
            {
                let id = step.get(key).and_then(|it| it.get("id")).and_then(Value::as_str);
                if let Some(id) = id.filter(|id| !has(collections, id)) {
                    broken(id);
                }
            }
            found_steps(&page, step, &mut broken);
        }
        for link in links(text) {
            let is_there = there.iter().any(|((collection, id), version)| {
                link == format!("{collection}/{id}/{version}")
                    || (version.is_empty() && link == format!("{collection}/{id}"))
            });
            if !is_there {
                broken(&format!("/docs/{link}"));
            }
        }
    }
    Ok(found)
}

/// Steps of a flow that lead to no step.
fn found_steps(page: &Page, step: &Value, broken: &mut dyn FnMut(&str)) {
    let as_text = |id: &Value| {
        id.as_str().map(str::to_owned).or_else(|| id.as_i64().map(|it| it.to_string()))
    };
    let all = page.head.get("steps").and_then(Value::as_sequence);
    let known: BTreeSet<String> =
        all.into_iter().flatten().filter_map(|it| as_text(it.get("id")?)).collect();
    let one = step.get("next_step").into_iter();
    let many = step.get("next_steps").and_then(Value::as_sequence).into_iter().flatten();
    for next in one.chain(many) {
        let id = next.get("id").map_or_else(|| as_text(next), as_text).unwrap_or_default();
        if !known.contains(&id) {
            broken(&format!("the step {id}"));
        }
    }
}

/// Where `/docs/…` links of a page lead.
fn links(text: &str) -> Vec<&str> {
    let ends = |character: char| matches!(character, ')' | '#' | '"' | ' ');
    text.split("](/docs/").skip(1).filter_map(|rest| rest.split(ends).next()).collect()
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
