//! What a check found, said so that the reader knows where, which rule, and what to do.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Check, House};

/// One place that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the repository.
    pub file: PathBuf,
    /// The line, from 1; 0 speaks of the file as a whole.
    pub line: usize,
    /// The short name of the rule, `A1` to `A10`.
    pub rule: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Finding {
    /// A finding at a line of a file.
    pub fn new(rule: &'static str, file: &Path, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule, what: what.into(), remedy: "" }
    }

    /// The same finding with the way out.
    #[must_use]
    pub fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.display())?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
        }
        write!(out, ": [{}] {}", self.rule, self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(out, "; {}", self.remedy) }
    }
}

/// Runs a check: an empty text when the rule holds, otherwise one line for each finding.
pub fn verdict(house: &House, check: Check) -> String {
    let mut found = match check(house) {
        Ok(found) => found,
        Err(error) => return format!("the check could not read the tree: {error}"),
    };
    found.sort();
    found.dedup();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
