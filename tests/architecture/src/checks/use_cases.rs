//! A10: one use case per file, and the file is named after it.
//!
//! `application/command/open_account.rs` holds `OpenAccount`: who looks for what the product can
//! do reads three folders. A command is an imperative, a reaction is `on_<event>`. Above its tests
//! a file stays short: a long one holds two use cases, or a rule that belongs in the domain.

use std::path::{Path, PathBuf};

use crate::source::{Place, Source};
use crate::{Finding, House, Result};

const RULE: &str = "A10";
/// Lines of a use case above its tests, itself excluded. The aim is 120.
const LINES_END: usize = 200;

/// Every use case that is misnamed, too long, or not alone in its file.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for context in house.contexts()? {
        for kind in ["command", "query", "reaction"] {
            let folder = context.folder.join("src/application").join(kind);
            for path in house.rust_files(&folder)? {
                if path.file_name().is_some_and(|name| name != "mod.rs") {
                    found.extend(use_case(&path, &house.read(&path)?, kind)?);
                }
            }
        }
    }
    Ok(found)
}

fn use_case(path: &Path, text: &str, kind: &str) -> Result<Vec<Finding>> {
    let source = Source::read(text, &Place::default())
        .map_err(|error| format!("{}: not Rust: {error}", path.display()))?;
    let code = above_tests(text, &source);
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let file = UseCase { path: path.to_owned(), name: &name, code: &code };
    let mut found = vec![file.too_long(), file.not_named(), file.second_entry()];
    match kind {
        "reaction" => found.push(file.not_a_reaction()),
        "command" => found.push(file.not_imperative()),
        _ => {}
    }
    Ok(found.into_iter().flatten().collect())
}

/// The lines of a file above its first module of tests.
fn above_tests<'a>(text: &'a str, source: &Source) -> Vec<&'a str> {
    let tests = source.modules.iter().filter(|module| module.place.test && module.inline);
    let first = tests.map(|module| module.line).min();
    text.lines().take(first.map_or(usize::MAX, |line| line.saturating_sub(1))).collect()
}

struct UseCase<'a> {
    path: PathBuf,
    name: &'a str,
    code: &'a [&'a str],
}

impl UseCase<'_> {
    fn finding(&self, line: usize, what: String, remedy: &'static str) -> Finding {
        Finding::new(RULE, &self.path, line, what).remedy(remedy)
    }

    fn too_long(&self) -> Option<Finding> {
        let count = self.code.len();
        let what = format!("{count} lines above the tests, under {LINES_END} are allowed");
        let remedy = "move rules into the domain, or split the use case";
        (count >= LINES_END).then(|| self.finding(0, what, remedy))
    }

    fn not_named(&self) -> Option<Finding> {
        let wanted = camel_case(self.name);
        let declares = |line: &&str| {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let is_public = line.trim_start().starts_with("pub");
            let pairs = words.windows(2);
            is_public && pairs.into_iter().any(|pair| is_declaration(pair, &wanted))
        };
        let remedy = "the file is named after its use case";
        let what = format!("declares no public type `{wanted}`");
        (!self.code.iter().any(declares)).then(|| self.finding(0, what, remedy))
    }

    /// A second public function to call is a second use case.
    fn second_entry(&self) -> Option<Finding> {
        let numbered = (1..).zip(self.code);
        let mut entries =
            numbered.filter(|(_, line)| line.trim_start().starts_with("pub async fn"));
        entries.next()?;
        let (line, _) = entries.next()?;
        let what = "a second public entry: one use case per file".to_owned();
        Some(self.finding(line, what, "move it to a file of its own"))
    }

    fn not_a_reaction(&self) -> Option<Finding> {
        let what = "a reaction is named after its event".to_owned();
        let event = self.name.strip_prefix("on_").unwrap_or_default();
        event.is_empty().then(|| self.finding(0, what, "name the file `on_<event>.rs`"))
    }

    fn not_imperative(&self) -> Option<Finding> {
        let first = self.name.split('_').next().unwrap_or_default();
        let past = first.ends_with("ed") && !first.ends_with("eed");
        let noun = first == "on" || first.ends_with("tion") || first.ends_with("ment");
        let what = "a command is named by a verb in the imperative".to_owned();
        let remedy = "name it by what it does, as in `open_account.rs`";
        (past || noun).then(|| self.finding(0, what, remedy))
    }
}

fn is_declaration(pair: &[&str], wanted: &str) -> bool {
    let [keyword, name] = pair else { return false };
    ["struct", "enum", "trait", "type"].contains(keyword) && *name == wanted
}

fn camel_case(snake: &str) -> String {
    let mut name = String::new();
    for word in snake.split('_') {
        let mut signs = word.chars();
        name.extend(signs.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(signs.as_str());
    }
    name
}
