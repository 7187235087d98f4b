//! A1: no context names another, in any section of its manifest, under any name.
//!
//! Contexts meet in events and in the one network lookup, so that each can be changed, started
//! and moved alone. A dependency that leads to another context through a third member counts too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{Finding, House, Manifest, Member, Members, Result};

const RULE: &str = "A1";
const REMEDY: &str = "contexts meet in events only: read the other's event in `inbound.rs`";

/// Every way from one context to another.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let members = Members::of(house)?;
    let contexts: Vec<PathBuf> =
        house.contexts()?.into_iter().map(|context| context.folder).collect();
    let mut found = Vec::new();
    for context in &contexts {
        let Some(member) = members.at(context) else {
            continue;
        };
        let manifest = Manifest::of(house, context)?;
        for (folder, name) in &member.uses {
            for other in reached(folder, &members) {
                if other != *context && contexts.contains(&other) {
                    let what = leak(member, name, folder, &other);
                    let line = manifest.line_of(name);
                    found.push(Finding::new(RULE, &manifest.path, line, what).remedy(REMEDY));
                }
            }
        }
    }
    Ok(found)
}

fn leak(member: &Member, name: &str, folder: &Path, other: &Path) -> String {
    let verb = if folder == other { "is" } else { "leads to" };
    format!("{} depends on `{name}`, which {verb} {}", member.name, other.display())
}

/// The member in a folder and all that it leads to.
fn reached(folder: &Path, members: &Members) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if reached.insert(folder.clone()) {
            let member = members.at(&folder);
            open.extend(member.into_iter().flat_map(|it| &it.uses).map(|(next, _)| next.clone()));
        }
    }
    reached
}
