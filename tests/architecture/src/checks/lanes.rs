//! A4: the CI builds every context without its infrastructure.
//!
//! With the feature off, no driver is in the graph and the compiler itself refuses a leak. It must
//! be built package by package: a build of the whole workspace unites the features. This check
//! reads `.ci/run` and asks for one such line for each context, or for a loop over `contexts/*`.

use std::path::Path;

use crate::{Context, Finding, House, Result};

const RULE: &str = "A4";
const SCRIPT: &str = ".ci/run";
const REMEDY: &str =
    "add `cargo check -p <context> --no-default-features`, by itself or in a loop over contexts/*";

/// Every context that no lane builds alone.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let script = Path::new(SCRIPT);
    if !house.has(script) {
        let what = "the CI script is not there, so no lane builds a context without drivers";
        return Ok(vec![Finding::new(RULE, script, 0, what).remedy(REMEDY)]);
    }
    let lines = commands(&house.read(script)?);
    let contexts = house.contexts()?;
    let missing = contexts.iter().filter(|context| !has_lane(&lines, context));
    Ok(missing.map(|context| finding(script, context)).collect())
}

fn finding(script: &Path, context: &Context) -> Finding {
    let what = format!("no lane builds the context {} without its drivers", context.name);
    Finding::new(RULE, script, 0, what).remedy(REMEDY)
}

/// The lines of a script: continued lines joined, comments left out.
fn commands(script: &str) -> Vec<String> {
    let joined = script.replace("\\\n", " ");
    let bare = joined.lines().map(|line| {
        let line = line.trim();
        let end = line.find(" #").unwrap_or(line.len());
        if line.starts_with('#') { String::new() } else { line.chars().take(end).collect() }
    });
    bare.filter(|line| !line.is_empty()).collect()
}

fn has_lane(lines: &[String], context: &Context) -> bool {
    let by_name = lines.iter().any(|line| checks(line, |package| package == context.name));
    by_name || has_loop(lines)
}

/// Whether a `for … in contexts/*` holds the lane, the package taken from its variable.
fn has_loop(lines: &[String]) -> bool {
    let mut variables: Vec<String> = Vec::new();
    let mut inside = false;
    for line in lines {
        if let Some(variable) = loop_variable(line) {
            inside = true;
            variables = vec![variable];
        }
        if inside {
            let uses = |text: &str| variables.iter().any(|name| uses_variable(text, name));
            if checks(line, |package| uses(package)) {
                return true;
            }
            // `name=$(basename "$context")` passes the variable on.
            let assigned = line.split_once('=').filter(|(_, value)| uses(value));
            variables.extend(assigned.map(|(name, _)| name.trim().to_owned()));
        }
        inside = inside && !line.split([' ', ';']).any(|word| word == "done");
    }
    false
}

fn loop_variable(line: &str) -> Option<String> {
    let (variable, list) = line.strip_prefix("for ")?.split_once(" in ")?;
    let list = list.split(';').next()?.trim();
    ["contexts/*", "contexts/*/"].contains(&list).then(|| variable.trim().to_owned())
}

fn uses_variable(text: &str, name: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = text.get(at..).unwrap_or_default().trim_start_matches(['$', '{']);
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        word == name
    })
}

/// Whether a line checks a package without default features and can fail.
fn checks(line: &str, is_wanted: impl Fn(&str) -> bool) -> bool {
    let line = line.rsplit("; do ").next().unwrap_or(line);
    let Some((_, command)) = line.split_once("cargo check ") else {
        return false;
    };
    let Some((_, package)) = command.split_once("-p ") else {
        return false;
    };
    let package = package.split(" --").next().unwrap_or(package).trim().trim_matches('"');
    let excused = ["|| true", "|| :"].iter().any(|excuse| command.contains(excuse));
    let bare = command.contains("--no-default-features") && !command.contains("--features");
    bare && !excused && is_wanted(package)
}
