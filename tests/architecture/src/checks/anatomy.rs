//! A10: every context has the same files at the top.
//!
//! Who knows one context finds their way in each: its language in the README, three layers, and
//! nothing else beside them.

use crate::{Finding, House, Result};

const RULE: &str = "A10";
const FILES: &[&str] = &[
    "Cargo.toml",
    "README.md",
    "src/lib.rs",
    "src/domain/mod.rs",
    "src/application/mod.rs",
    "src/infrastructure/mod.rs",
];

/// Every file that a context lacks, and every module beside the layers.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for context in house.contexts()? {
        for file in FILES.iter().map(|file| context.folder.join(file)) {
            if !house.has(&file) {
                let what = format!("the context {} lacks this file", context.name);
                let remedy = "every context has the same files at the top";
                found.push(Finding::new(RULE, &file, 0, what).remedy(remedy));
            }
        }
        for entry in house.entries(context.folder.join("src"))? {
            let wanted = FILES.iter().any(|file| context.folder.join(file).starts_with(&entry));
            if !wanted {
                let what = "stands beside the layers";
                let remedy = "move it into domain, application or infrastructure";
                found.push(Finding::new(RULE, &entry, 0, what).remedy(remedy));
            }
        }
    }
    Ok(found)
}
