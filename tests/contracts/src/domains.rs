//! Domains and their entities: what people list is what is there.
//!
//! What an entity is made of is prose: its properties are those that matter to a reader, and no
//! test compares them with the code. That what it names exists is held.

use std::collections::BTreeSet;

use anyhow::Context as _;
use codepix::config::ContextName;
use serde_yaml_ng::Value;

use crate::house;
use crate::outside::PROGRAMS;
use crate::page::Page;
use crate::prose::page_at;
use crate::tree::Tree;

/// What is wrong with domains and entities; each in a sentence.
///
/// # Errors
/// When a page cannot be read.
pub fn faults(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let houses = ContextName::ALL.map(house::of);
    let mut found = lists(tree, house::WHOLE, "domains", houses.iter().map(|it| it.domain))?;
    for house in houses {
        let programs = PROGRAMS.iter().filter(|program| program.domain == house.domain);
        let services = programs.map(|program| program.service).chain([house.service]);
        found.extend(lists(tree, house.domain, "services", services)?);
        let folder = format!("domains/{}/entities/", house.domain);
        let own = tree.pages().filter_map(|(path, _)| path.strip_prefix(&folder));
        let own = own.filter_map(|path| path.strip_suffix("/index.mdx"));
        found.extend(lists(tree, house.domain, "entities", own)?);
    }
    found.extend(entities(tree)?);
    Ok(found)
}

/// What a domain lists too little or too much.
fn lists<'a>(
    tree: &Tree,
    domain: &str,
    key: &str,
    own: impl Iterator<Item = &'a str>,
) -> anyhow::Result<Vec<String>> {
    let path = format!("domains/{domain}/index.mdx");
    let said: BTreeSet<String> = page_at(tree, &path)?.ids(key).into_iter().collect();
    let own: BTreeSet<String> = own.map(str::to_owned).collect();
    let lacks = own.difference(&said);
    let lacks = lacks.map(|id| format!("eventcatalog/{path} does not list {id} of its {key}"));
    let more = said.difference(&own);
    let more = more.map(|id| format!("eventcatalog/{path} lists {id}, which is none of its {key}"));
    Ok(lacks.chain(more).collect())
}

/// Names of the properties of an entity.
fn properties(page: &Page) -> impl Iterator<Item = &Value> {
    page.head.get("properties").and_then(Value::as_sequence).into_iter().flatten()
}

fn has(page: &Page, name: &str) -> bool {
    properties(page).any(|it| it.get("name").and_then(Value::as_str) == Some(name))
}

/// Entities that are known by what they do not have, or refer to what is not there.
fn entities(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for (path, text) in tree.pages().filter(|(path, _)| path.contains("/entities/")) {
        all.push((path, Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?));
    }
    let mut found = Vec::new();
    for (path, page) in &all {
        let identifier = page.text("identifier").unwrap_or_default();
        if !has(page, identifier) {
            found.push(format!(
                "eventcatalog/{path} is known by {identifier:?}, which is none of its properties"
            ));
        }
        for property in properties(page) {
            let text = |key: &str| property.get(key).and_then(Value::as_str);
            let Some(other) = text("references") else { continue };
            let identifier = text("referencesIdentifier").unwrap_or_default();
            let is_there =
                all.iter().any(|(_, page)| page.text("id") == Some(other) && has(page, identifier));
            if !is_there {
                found.push(format!(
                    "eventcatalog/{path} refers to {identifier:?} of {other}, which is not there"
                ));
            }
        }
    }
    Ok(found)
}
