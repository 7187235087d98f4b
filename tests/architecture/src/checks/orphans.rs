//! A9: every Rust file is compiled.
//!
//! A file that no `mod` reaches looks alive, is found by every search, and is never built. Each
//! file must be reachable from the root of some target of some member.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::crate_tree::CrateTree;
use crate::{Finding, House, Members, Result};

const RULE: &str = "A9";

/// Every file without a module, and every module without a file.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let mut reached: BTreeSet<PathBuf> = BTreeSet::new();
    let mut found = Vec::new();
    let members = Members::of(house)?;
    for root in members.iter().flat_map(|member| &member.targets) {
        let tree = CrateTree::of(house, root)?;
        for (file, line, name) in &tree.missing {
            found.push(missing(file, *line, name));
        }
        reached.extend(tree.files.into_iter().map(|file| file.path));
    }
    for path in house.rust_files("")? {
        if !reached.contains(&path) {
            let what = "no `mod` reaches this file, so it is never compiled";
            let remedy = "declare it in its parent module, or delete it";
            found.push(Finding::new(RULE, &path, 0, what).remedy(remedy));
        }
    }
    Ok(found)
}

fn missing(file: &Path, line: usize, name: &str) -> Finding {
    let what = format!("the module `{name}` has no file");
    Finding::new(RULE, file, line, what).remedy("add the file, or delete the declaration")
}
