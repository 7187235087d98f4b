//! A7: a context touches its own PostgreSQL schema and no other.
//!
//! Who reads another's tables has a contract with every column of them. So its migrations create
//! and name things in its own schema alone, by their full name; and the SQL in Rust names no
//! other: anywhere after a keyword such as FROM, and in a `postgres` folder in any text at all.
//! The shared kernel and the root package name no context's schema.

use std::path::{Path, PathBuf};

use crate::source::{Place, Source, Text};
use crate::sql::{Token, qualified_names, tokens};
use crate::{Finding, House, Result};

const RULE: &str = "A7";
const REMEDY: &str = "ask for it by event, or let its owner do this";
/// Words after which SQL names a table.
const BEFORE_TABLE: &[&str] = &["from", "join", "into", "update", "table", "references", "only"];
/// Objects that live in a schema, when created, altered or dropped.
const OBJECTS: &[&str] = &["table", "view", "sequence", "type", "function", "procedure", "domain"];
/// Words between a verb such as CREATE and its object.
const VERBS: &[&str] =
    &["create", "alter", "drop", "replace", "unlogged", "materialized", "truncate", "on"];
/// Words between an object and its name.
const FILLERS: &[&str] = &["if", "not", "exists", "only", "concurrently", "authorization"];

/// Every place that names a schema which is not its own.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let contexts = house.contexts()?;
    let schemas: Vec<String> = contexts.iter().map(crate::Context::schema).collect();
    let others = |own: &str| -> Vec<String> {
        schemas.iter().filter(|schema| *schema != own).cloned().collect()
    };
    let mut found = Vec::new();
    for context in &contexts {
        let own = context.schema();
        for path in house.files(Path::new("migrations").join(&context.name))? {
            if path.extension().is_some_and(|extension| extension == "sql") {
                found.extend(migration(&path, &house.read(&path)?, &own, &others(&own)));
            }
        }
        found.extend(rust(house, &context.folder, &others(&own))?);
    }
    found.extend(rust(house, Path::new("shared-kernel"), &schemas)?);
    found.extend(rust(house, Path::new("src"), &schemas)?);
    Ok(found)
}

fn finding(file: &Path, line: usize, what: String) -> Finding {
    Finding::new(RULE, file, line, what).remedy(REMEDY)
}

fn rust(house: &House, folder: &Path, others: &[String]) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for path in house.rust_files(folder)? {
        let source = Source::read(&house.read(&path)?, &Place::default())
            .map_err(|error| format!("{}: not Rust: {error}", path.display()))?;
        let in_postgres = path.components().any(|part| part.as_os_str() == "postgres");
        for text in &source.texts {
            found.extend(literal(&path, text, others, in_postgres));
        }
    }
    Ok(found)
}

fn literal(path: &Path, text: &Text, others: &[String], in_postgres: bool) -> Vec<Finding> {
    qualified_names(&text.text, others)
        .into_iter()
        .filter(|(_, name)| in_postgres || follows_keyword(&text.text, name))
        .map(|(line, name)| {
            let what = format!("names `{name}`, a table of another context");
            finding(path, text.line.saturating_add(line), what)
        })
        .collect()
}

fn follows_keyword(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().to_lowercase();
        let word = before.split_whitespace().next_back().unwrap_or_default();
        BEFORE_TABLE.contains(&word.trim_start_matches('"'))
    })
}

fn migration(path: &Path, sql: &str, own: &str, others: &[String]) -> Vec<Finding> {
    let tokens = tokens(sql);
    let script = Script { path: path.to_owned(), tokens: &tokens, own };
    let mut found = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        match token {
            Token::Text(text) => {
                let names = qualified_names(text, others).into_iter();
                found
                    .extend(names.map(|(_, name)| finding(path, *line, format!("names `{name}`"))));
            }
            Token::Word(word) => found.extend(script.word(at, *line, word, others)),
            Token::Sign(_) => {}
        }
    }
    found
}

/// One migration, as tokens.
struct Script<'a> {
    path: PathBuf,
    tokens: &'a [(usize, Token)],
    own: &'a str,
}

impl Script<'_> {
    fn word_at(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at) {
            Some((_, Token::Word(word))) => Some(word),
            _ => None,
        }
    }

    fn has_dot(&self, at: usize) -> bool {
        matches!(self.tokens.get(at), Some((_, Token::Sign('.'))))
    }

    fn before(&self, at: usize) -> &str {
        at.checked_sub(1).and_then(|at| self.word_at(at)).unwrap_or_default()
    }

    /// The first place after some word that is not a filler.
    fn name_after(&self, at: usize) -> usize {
        let mut at = at.saturating_add(1);
        while self.word_at(at).is_some_and(|word| FILLERS.contains(&word)) {
            at = at.saturating_add(1);
        }
        at
    }

    fn word(&self, at: usize, line: usize, word: &str, others: &[String]) -> Option<Finding> {
        let next = at.saturating_add(1);
        let is_part = at.checked_sub(1).is_some_and(|before| self.has_dot(before));
        if !is_part && self.has_dot(next) && (others.iter().any(|o| o == word) || word == "public")
        {
            let name = self.word_at(next.saturating_add(1)).unwrap_or_default();
            return Some(finding(&self.path, line, format!("names `{word}.{name}`")));
        }
        match word {
            "schema" => self.must_be_own(self.name_after(at), line, "schema"),
            "search_path" => self.must_be_own(next.saturating_add(1), line, "search path"),
            "index" if ["create", "unique"].contains(&self.before(at)) => {
                let on = (at..self.tokens.len()).find(|at| self.word_at(*at) == Some("on"))?;
                self.must_be_full(self.name_after(on), line)
            }
            "references" => self.must_be_full(self.name_after(at), line),
            "into" if self.before(at) == "insert" => self.must_be_full(next, line),
            word if OBJECTS.contains(&word) && VERBS.contains(&self.before(at)) => {
                self.must_be_full(self.name_after(at), line)
            }
            _ => None,
        }
    }

    fn must_be_own(&self, at: usize, line: usize, what: &str) -> Option<Finding> {
        let name = match self.tokens.get(at)? {
            (_, Token::Word(name) | Token::Text(name)) => name,
            (_, Token::Sign(_)) => return None,
        };
        let fine = name == self.own || name == "pg_catalog";
        (!fine).then(|| finding(&self.path, line, format!("names the {what} `{name}`")))
    }

    fn must_be_full(&self, at: usize, line: usize) -> Option<Finding> {
        let name = self.word_at(at)?;
        let is_full = self.has_dot(at.saturating_add(1));
        if is_full && name == self.own {
            return None;
        }
        let own = self.own;
        let what = format!("`{name}` is not named by its full name, `{own}.…`");
        Some(Finding::new(RULE, &self.path, line, what).remedy("write the schema before the name"))
    }
}
