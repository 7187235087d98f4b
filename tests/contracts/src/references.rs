//! Ids and links: what a page names is there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_yaml_ng::Value;

use crate::page::Page;
use crate::tree::Tree;

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

/// What can be asked or told: the messages of the site.
pub(crate) const MESSAGES: &[&str] = &["events", "commands", "queries"];

/// A resource of the site: collection and id.
pub(crate) type Resource = (String, String);

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

/// The version of every resource that stands in its own folder: the newest.
///
/// # Errors
/// When a page cannot be read.
pub(crate) fn newest(tree: &Tree) -> anyhow::Result<BTreeMap<Resource, String>> {
    let mut own = Tree::default();
    let is_old = |path: &str| path.contains("/versioned/");
    tree.pages().filter(|(path, _)| !is_old(path)).for_each(|(path, text)| own.put(path, text));
    Ok(resources(&own)?.into_iter().collect())
}

/// Ids and links that lead nowhere; each in a sentence.
///
/// # Errors
/// When a page cannot be read.
pub fn broken(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let there = resources(tree)?;
    let has = |collections: &[&str], id: &str| {
        there.iter().any(|((collection, known), _)| {
            known == id && collections.contains(&collection.as_str())
        })
    };
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
            page.ids("sends").iter().chain(&page.ids("receives")).filter(|id| !has(MESSAGES, id))
        {
            broken(id);
        }
        for step in page.head.get("steps").and_then(Value::as_sequence).into_iter().flatten() {
            for (key, collections) in
                [("message", MESSAGES), ("service", &["services"]), ("flow", &["flows"])]
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
    let all = page.head.get("steps").and_then(Value::as_sequence);
    let known: BTreeSet<String> =
        all.into_iter().flatten().filter_map(|it| as_text(it.get("id")?)).collect();
    for id in next_of(step) {
        if !known.contains(&id) {
            broken(&format!("the step {id}"));
        }
    }
}

fn as_text(id: &Value) -> Option<String> {
    id.as_str().map(str::to_owned).or_else(|| id.as_i64().map(|it| it.to_string()))
}

/// The id of a step.
pub(crate) fn id_of(step: &Value) -> String {
    step.get("id").and_then(as_text).unwrap_or_default()
}

/// The ids of the steps to which one leads.
pub(crate) fn next_of(step: &Value) -> Vec<String> {
    let one = step.get("next_step").into_iter();
    let many = step.get("next_steps").and_then(Value::as_sequence).into_iter().flatten();
    let id = |next: &Value| next.get("id").map_or_else(|| as_text(next), as_text);
    one.chain(many).map(|next| id(next).unwrap_or_default()).collect()
}

/// Where `/docs/…` links of a page lead.
fn links(text: &str) -> Vec<&str> {
    let ends = |character: char| matches!(character, ')' | '#' | '"' | ' ');
    text.split("](/docs/").skip(1).filter_map(|rest| rest.split(ends).next()).collect()
}
