//! A6: arrows between members point one way.
//!
//! The shared kernel and the joined graph depend on no member, so that they can know no context.
//! Only the root package, which composes, and the members under `tests/` and `xtask/` depend on
//! contexts.

use std::path::Path;

use crate::{Finding, House, Manifest, Members, Result};

const RULE: &str = "A6";
/// Members that know no other, by what they are called in a finding.
const ALONE: [(&str, &str); 2] =
    [("shared-kernel", "the shared kernel"), ("federation", "the joined graph")];

/// Every arrow that points the wrong way.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let members = Members::of(house)?;
    let contexts = house.contexts()?;
    let is_context = |folder: &Path| contexts.iter().any(|context| context.folder == folder);
    let mut found = Vec::new();
    for member in members.iter() {
        let manifest = Manifest::of(house, &member.folder)?;
        for (folder, name) in &member.uses {
            let at = manifest.line_of(name);
            let alone = ALONE.iter().find(|(alone, _)| member.folder == Path::new(alone));
            if let Some((_, called)) = alone.filter(|_| *folder != member.folder) {
                let what = format!("{called} depends on the member `{name}`");
                let remedy = "turn it round: it offers a port, the member fills it";
                found.push(Finding::new(RULE, &manifest.path, at, what).remedy(remedy));
            }
            // From context to context is A1's to say.
            let allowed = may_know_contexts(&member.folder) || is_context(&member.folder);
            if is_context(folder) && !allowed {
                let what = format!("{} depends on the context `{name}`", member.name);
                let remedy = "only the root package, tests/ and xtask/ know contexts";
                found.push(Finding::new(RULE, &manifest.path, at, what).remedy(remedy));
            }
        }
    }
    Ok(found)
}

fn may_know_contexts(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || folder.starts_with("tests") || folder.starts_with("xtask")
}
