//! A2: inside a crate the arrows point inwards: infrastructure to application to domain.
//!
//! The domain names the domain alone; the application names domain and application. That holds
//! for tests in those layers too, and for the layers of the shared kernel seen from a context.
//! An import in `lib.rs` is no way round: a name taken from a layer there counts as that layer.

use std::collections::BTreeMap;
use std::path::Path;

use crate::crate_tree::CrateTree;
use crate::source::{Kind, Mention};
use crate::{Finding, House, Result};

const RULE: &str = "A2";
const REMEDY: &str = "point inwards: let the outer layer call, or put a port into application";
/// From the inside out: each may name itself and those before it.
const LAYERS: &[&str] = &["domain", "application", "infrastructure"];
/// A module of the shared kernel that tests of any layer may use.
const TESTING: &str = "testing";

/// Every name in domain or application that belongs to a layer further out.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for folder in house.layered()? {
        let tree = CrateTree::of(house, &folder.join("src/lib.rs"))?;
        let root = Root::of(&tree);
        for file in &tree.files {
            for mention in &file.source.mentions {
                found.extend(judge(&root, mention).map(|what| finding(&file.path, mention, &what)));
            }
        }
    }
    Ok(found)
}

fn finding(file: &Path, mention: &Mention, what: &str) -> Finding {
    Finding::new(RULE, file, mention.line, what).remedy(REMEDY)
}

/// What the root of a crate holds beside the layers.
struct Root {
    /// Names imported there from a layer, with that layer.
    names: BTreeMap<String, String>,
    /// Layers imported there as a whole, by `*`.
    globs: Vec<String>,
    /// Modules that are no layer.
    others: Vec<String>,
}

impl Root {
    fn of(tree: &CrateTree) -> Self {
        let mut root = Self { names: BTreeMap::new(), globs: Vec::new(), others: Vec::new() };
        let Some(file) = tree.files.first() else {
            return root;
        };
        for mention in file.source.mentions.iter().filter(|m| m.place.module.is_empty()) {
            let path = mention.absolute();
            let layer = path.iter().find(|segment| *segment != "crate").cloned();
            let Some(layer) = layer.filter(|layer| LAYERS.contains(&layer.as_str())) else {
                continue;
            };
            match &mention.kind {
                Kind::Import(name) => drop(root.names.insert(name.clone(), layer)),
                Kind::Glob => root.globs.push(layer),
                Kind::Path | Kind::Macro | Kind::ExternCrate => {}
            }
        }
        let modules = file.source.modules.iter().filter(|m| m.place.module.is_empty());
        let others = modules.filter(|module| !LAYERS.contains(&module.name.as_str()));
        root.others = others.map(|module| module.name.clone()).collect();
        root
    }

    /// The layer that a name at the root belongs to.
    fn layer_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let listed = LAYERS.iter().find(|layer| **layer == name);
        listed.copied().or_else(|| self.names.get(name).map(String::as_str))
    }
}

/// What is wrong with a mention, if something is.
fn judge(root: &Root, mention: &Mention) -> Option<String> {
    let layer = mention.place.module.first()?;
    let reach = LAYERS.iter().position(|name| name == layer).filter(|reach| *reach < 2)?;
    let path = mention.absolute();
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let problem = match segments.as_slice() {
        ["crate"] => Some("the root of the crate as a whole".to_owned()),
        ["crate", name, ..] => judge_name(root, reach, mention, name),
        ["shared_kernel", name, ..] => outside(reach, name)
            .or_else(|| (*name == TESTING && !mention.place.test).then(|| (*name).to_owned()))
            .map(|name| format!("shared_kernel's {name}")),
        _ => None,
    };
    problem.map(|problem| format!("{layer} names {problem}: `{}`", mention.written()))
}

fn judge_name(root: &Root, reach: usize, mention: &Mention, name: &str) -> Option<String> {
    if let Some(layer) = root.layer_of(name) {
        return outside(reach, layer);
    }
    if mention.kind == Kind::Macro {
        return None;
    }
    let in_test = mention.place.test && name == TESTING;
    if root.others.iter().any(|other| other == name) && !in_test {
        return Some(format!("`crate::{name}`, which is in no layer"));
    }
    // A name that the root has only through `*` may come from that layer.
    root.globs.iter().find_map(|layer| outside(reach, layer))
}

/// The layer, if it lies further out than the reach.
fn outside(reach: usize, layer: &str) -> Option<String> {
    LAYERS.iter().position(|name| *name == layer).filter(|at| *at > reach)?;
    Some(layer.to_owned())
}
