//! The tree behind a `use`: groups, aliases and globs become one mention each.

use proc_macro2::Delimiter;

use super::tokens::Tokens;
use super::walk::Walker;
use super::{Kind, Mention, Place};

/// What stands before a branch of the tree.
#[derive(Clone, Default)]
pub(super) struct Stem {
    pub(super) segments: Vec<String>,
    pub(super) global: bool,
}

impl Walker {
    /// Reads one branch of a `use` and returns the place after it.
    pub(super) fn branch(
        &mut self,
        tokens: &Tokens,
        from: usize,
        stem: &Stem,
        place: &Place,
    ) -> usize {
        let (line, mut at, mut stem) = (tokens.line(from), from, stem.clone());
        if tokens.is_separator(at) {
            stem.global = stem.segments.is_empty();
            at = at.saturating_add(2);
        }
        loop {
            if let Some(group) = tokens.group(at, Delimiter::Brace) {
                self.branches(&Tokens::of(group.stream()), &stem, place);
                return at.saturating_add(1);
            }
            if tokens.is_punct(at, '*') {
                self.leaf(line, stem, Kind::Glob, place);
                return at.saturating_add(1);
            }
            let Some(word) = tokens.word(at) else {
                return at;
            };
            stem.segments.push(word);
            at = at.saturating_add(1);
            if !tokens.is_separator(at) {
                break;
            }
            at = at.saturating_add(2);
        }
        self.end_of_branch(tokens, (line, at), stem, place)
    }

    fn branches(&mut self, tokens: &Tokens, stem: &Stem, place: &Place) {
        let mut at = 0;
        while at < tokens.len() {
            let next = self.branch(tokens, at, stem, place);
            at = next.max(at.saturating_add(1));
            if tokens.is_punct(at, ',') {
                at = at.saturating_add(1);
            }
        }
    }

    fn end_of_branch(
        &mut self,
        tokens: &Tokens,
        (line, at): (usize, usize),
        mut stem: Stem,
        place: &Place,
    ) -> usize {
        if stem.segments.len() > 1 && stem.segments.last().is_some_and(|last| last == "self") {
            stem.segments.pop();
        }
        let last = stem.segments.last().cloned().unwrap_or_default();
        let alias = tokens.word(at.saturating_add(1)).filter(|_| tokens.is_word(at, "as"));
        let next = if alias.is_some() { at.saturating_add(2) } else { at };
        self.leaf(line, stem, Kind::Import(alias.unwrap_or(last)), place);
        next
    }

    fn leaf(&mut self, line: usize, stem: Stem, kind: Kind, place: &Place) {
        let Stem { segments, global } = stem;
        self.found.mentions.push(Mention { line, segments, kind, global, place: place.clone() });
    }
}
