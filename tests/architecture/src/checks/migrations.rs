//! A10: every migration is dated, whole and run.
//!
//! `migrations/<context>/<yyyy-mm-dd>_<what>/up.sql`: names sort in the order in which they run.
//! A folder that the context's code does not name would never run, so it must be named there.

use std::path::Path;

use crate::crate_tree::CrateTree;
use crate::{Context, Finding, House, Result};

const RULE: &str = "A10";
const NAMED: &str = "name it `<yyyy-mm-dd>_<what>`, with `_` between small words";

/// Every migration that is misnamed, empty or forgotten.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let contexts = house.contexts()?;
    let mut found = Vec::new();
    for folder in house.entries("migrations")? {
        let Some(context) = contexts.iter().find(|it| folder.ends_with(&it.name)) else {
            if house.root().join(&folder).is_dir() {
                let what = "belongs to no context";
                let remedy = "migrations lie in `migrations/<context>/`";
                found.push(Finding::new(RULE, &folder, 0, what).remedy(remedy));
            }
            continue;
        };
        let texts = texts(house, context)?;
        for step in house.entries(&folder)? {
            found.extend(migration(house, &step, &texts));
        }
    }
    Ok(found)
}

/// The literals of a context that are compiled into the product.
fn texts(house: &House, context: &Context) -> Result<Vec<String>> {
    let tree = CrateTree::of(house, &context.folder.join("src/lib.rs"))?;
    let texts = tree.files.into_iter().flat_map(|file| file.source.texts);
    Ok(texts.filter(|text| !text.place.test).map(|text| text.text).collect())
}

fn migration(house: &House, step: &Path, texts: &[String]) -> Vec<Finding> {
    let name = step.file_name().unwrap_or_default().to_string_lossy();
    if name == "README.md" {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut push =
        |what: &str, remedy| found.push(Finding::new(RULE, step, 0, what).remedy(remedy));
    if !is_dated(&name) {
        push("is not named as a migration", NAMED);
    }
    if !house.has(step.join("up.sql")) {
        push("has no up.sql", "write what it does");
    }
    if !texts.iter().any(|text| names(text, &name)) {
        push("is never run: its context does not name it", "add it to the list of migrations");
    }
    found
}

/// Whether a literal is the name, or a path with that folder in it.
fn names(literal: &str, name: &str) -> bool {
    literal.trim_matches(['"', 'r', '#']).split('/').any(|part| part == name)
}

fn is_dated(name: &str) -> bool {
    let Some((date, what)) = name.split_once('_') else {
        return false;
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let number = |text: &str, digits: usize| {
        let is_number = text.len() == digits && text.chars().all(|sign| sign.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_number)
    };
    let small = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_';
    number(year, 4).is_some_and(|year| year >= 2020)
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        && !what.is_empty()
        && what.chars().all(small)
}
