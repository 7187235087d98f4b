//! A9: no lint, no test and no layer is switched off in silence.
//!
//! A lint is silenced by `#[expect]` with a reason: it complains when it is no longer needed, and
//! the reader knows why. A test is never ignored: what cannot run is not proof. And in contexts
//! and the shared kernel nothing hides a path from the other checks: no other name for the crate
//! itself, no file taken in from elsewhere.

use std::path::Path;

use crate::source::{Attribute, Kind, Place, Source};
use crate::{Finding, House, Result};

const RULE: &str = "A9";

/// Every lint, test or path that is hidden.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let layered = house.layered()?;
    let mut found = Vec::new();
    for path in house.rust_files("")? {
        let is_layered = layered.iter().any(|folder| path.starts_with(folder));
        let place = Place { module: module_of(&path), test: false };
        let source = Source::read(&house.read(&path)?, &place)
            .map_err(|error| format!("{}: not Rust: {error}", path.display()))?;
        found.extend(source.attributes.iter().filter_map(|it| attribute(&path, it, is_layered)));
        if is_layered {
            found.extend(hidden(&path, &source));
        }
    }
    Ok(found)
}

/// The module of a file by its place under `src`, good enough to resolve `super`.
fn module_of(path: &Path) -> Vec<String> {
    let words = path.iter().map(|part| part.to_string_lossy().into_owned());
    let inside: Vec<String> = words.skip_while(|word| word != "src").skip(1).collect();
    let names = inside.iter().map(|word| word.trim_end_matches(".rs"));
    names.filter(|name| !["mod", "lib", "main"].contains(name)).map(str::to_owned).collect()
}

fn attribute(path: &Path, attribute: &Attribute, is_layered: bool) -> Option<Finding> {
    let (what, remedy) = match attribute.name.as_str() {
        "allow" => ("silences a lint for good", "write `expect` with a reason"),
        "expect" if !attribute.has_reason => {
            ("silences a lint without saying why", "add `reason = \"…\"`")
        }
        "ignore" => ("ignores a test", "make it run, or delete it"),
        "path" if is_layered => {
            ("gives a module a file of another name", "name the file as the module")
        }
        _ => return None,
    };
    Some(Finding::new(RULE, path, attribute.line, what).remedy(remedy))
}

fn hidden(path: &Path, source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for mention in &source.mentions {
        let is_root = mention.binds().is_some() && mention.absolute() == ["crate"];
        if is_root || mention.kind == Kind::ExternCrate {
            let what = format!("gives a crate another name: `{}`", mention.written());
            let remedy = "write paths from `crate`, `super` or the crate's own name";
            found.push(Finding::new(RULE, path, mention.line, what).remedy(remedy));
        }
    }
    for (line, name) in source.macros.iter().filter(|(_, name)| name == "include") {
        let what = format!("takes code in by `{name}!`, where no check looks");
        let remedy = "declare a module, or use the macro of the generator";
        found.push(Finding::new(RULE, path, *line, what).remedy(remedy));
    }
    found
}
