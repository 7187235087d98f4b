//! One Rust file, read as tokens.
//!
//! Tokens and not a syntax tree: a name inside a derive, an attribute or the body of a macro is a
//! name all the same, and a syntax tree does not look there. What the walk knows besides: in which
//! module a name stands (inline modules too, so that `super` is resolved), and whether it is
//! compiled for tests alone.

mod attributes;
mod imports;
mod tokens;
mod walk;

use proc_macro2::{LexError, TokenStream};

pub use attributes::Attribute;

/// Where a piece of code stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The module, from the root of the crate; empty at the root itself.
    pub module: Vec<String>,
    /// Whether it is compiled for tests alone.
    pub test: bool,
}

/// How a name is mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// In code: `a::b`.
    Path,
    /// Called as a macro: `a::b!`.
    Macro,
    /// By `use`, which binds this name here.
    Import(String),
    /// By `use a::*`.
    Glob,
    /// By `extern crate`.
    ExternCrate,
}

/// A path that the code names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where it begins, from 1.
    pub line: usize,
    /// Its parts: `use crate::{a::B, c}` is two mentions, `crate a B` and `crate c`.
    pub segments: Vec<String>,
    /// How it is mentioned.
    pub kind: Kind,
    /// Whether it begins with `::`, so that its head can only be a crate.
    pub global: bool,
    /// Where it stands.
    pub place: Place,
}

/// A `mod` declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Where it stands, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Whether its body stands in this file.
    pub inline: bool,
    /// The file that a `#[path]` gives it.
    pub path: Option<String>,
    /// The module around it, and whether it is compiled for tests alone.
    pub place: Place,
}

/// A literal, or a table with its schema inside a `table!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Where it begins, from 1.
    pub line: usize,
    /// As it is written, quotes and escapes included.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// What the checks want to know of a file.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Every path of two parts or more, and every import.
    pub mentions: Vec<Mention>,
    /// Every module declared.
    pub modules: Vec<Module>,
    /// Every literal, comments and documentation left out.
    pub texts: Vec<Text>,
    /// Every attribute.
    pub attributes: Vec<Attribute>,
    /// Every macro called by a bare name, as in `include!`: line and name.
    pub macros: Vec<(usize, String)>,
}

impl Source {
    /// Reads a file that stands at a place.
    pub fn read(text: &str, place: &Place) -> Result<Self, LexError> {
        let stream: TokenStream = text.parse()?;
        let mut walker = walk::Walker::default();
        walker.stream(stream, place);
        Ok(walker.found)
    }
}

impl Mention {
    /// The path from the root of its crate, `self` and `super` resolved; as written otherwise.
    pub fn absolute(&self) -> Vec<String> {
        let relative = |word: &String| word == "self" || word == "super";
        let steps: Vec<&String> = self.segments.iter().take_while(|word| relative(word)).collect();
        if steps.is_empty() || self.global {
            return self.segments.clone();
        }
        let ups = steps.iter().filter(|word| **word == "super").count();
        let kept = self.place.module.len().saturating_sub(ups);
        let module = self.place.module.iter().take(kept);
        let rest = self.segments.iter().skip(steps.len());
        std::iter::once(&"crate".to_owned()).chain(module).chain(rest).cloned().collect()
    }

    /// The name that it binds in its module, if it is an import.
    pub fn binds(&self) -> Option<&str> {
        match &self.kind {
            Kind::Import(name) => Some(name),
            Kind::Path | Kind::Macro | Kind::Glob | Kind::ExternCrate => None,
        }
    }

    /// The path as it is written.
    pub fn written(&self) -> String {
        let tail = if self.kind == Kind::Glob { "::*" } else { "" };
        format!("{}{}{tail}", if self.global { "::" } else { "" }, self.segments.join("::"))
    }
}
