//! The walk over the tokens of a file.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::attributes::{gates_tests, implies_test, item_end, path_before, unfold};
use super::imports::Stem;
use super::tokens::{Tokens, comma_parts, is_keyword, is_punct};
use super::{Kind, Mention, Module, Place, Source, Text};

/// Collects what it meets.
#[derive(Default)]
pub(super) struct Walker {
    pub(super) found: Source,
}

impl Walker {
    /// Walks the tokens of a file or of a group.
    pub(super) fn stream(&mut self, stream: TokenStream, place: &Place) {
        let tokens = Tokens::of(stream);
        let mut here = place.clone();
        let (mut at, mut test_until) = (0, 0);
        while let Some(token) = tokens.get(at) {
            here.test = place.test || at < test_until;
            at = match token {
                TokenTree::Punct(_) if tokens.is_punct(at, '#') => {
                    let (next, gated_until) = self.attribute(&tokens, at, &here);
                    test_until = test_until.max(gated_until);
                    next
                }
                TokenTree::Punct(_) => self.punct(&tokens, at, &here),
                TokenTree::Ident(_) => self.ident(&tokens, at, &here),
                TokenTree::Group(group) => {
                    self.stream(group.stream(), &here);
                    at.saturating_add(1)
                }
                TokenTree::Literal(literal) => {
                    self.text(tokens.line(at), literal.to_string(), &here);
                    at.saturating_add(1)
                }
            };
        }
    }

    fn text(&mut self, line: usize, text: String, place: &Place) {
        self.found.texts.push(Text { line, text, place: place.clone() });
    }

    /// An attribute: the place after it, and up to where it makes the code one of tests alone.
    fn attribute(&mut self, tokens: &Tokens, at: usize, place: &Place) -> (usize, usize) {
        let inner = tokens.is_punct(at.saturating_add(1), '!');
        let bracket = at.saturating_add(if inner { 2 } else { 1 });
        let Some(group) = tokens.group(bracket, Delimiter::Bracket) else {
            return (at.saturating_add(1), 0);
        };
        self.found.attributes.extend(unfold(group.stream()));
        let content = Tokens::of(group.stream());
        self.attribute_content(group, &content, place);
        let next = bracket.saturating_add(1);
        match (gates_tests(&content), inner) {
            (false, _) => (next, 0),
            (true, true) => (next, usize::MAX),
            (true, false) => (next, item_end(tokens, next)),
        }
    }

    fn attribute_content(&mut self, group: &Group, content: &Tokens, place: &Place) {
        if content.is_word(0, "doc") && content.is_punct(1, '=') {
            return;
        }
        let conditional = content.group(1, Delimiter::Parenthesis);
        let Some(inner) = conditional.filter(|_| content.is_word(0, "cfg_attr")) else {
            self.stream(group.stream(), place);
            return;
        };
        let parts = comma_parts(inner.stream());
        let tests_only = parts.first().cloned().is_some_and(implies_test);
        let place = Place { module: place.module.clone(), test: place.test || tests_only };
        for part in parts.into_iter().skip(1) {
            self.stream(part, &place);
        }
    }

    /// A path that begins with `::`, or the end of `<T as Trait>::Item`.
    fn punct(&mut self, tokens: &Tokens, at: usize, place: &Place) -> usize {
        if !tokens.is_separator(at) {
            return at.saturating_add(1);
        }
        let next = at.saturating_add(2);
        let before = tokens.before(at);
        let after_name = matches!(before, Some(TokenTree::Ident(word))
            if !is_keyword(&word.to_string()));
        match tokens.ident(next) {
            None => next,
            Some(_) if after_name || tokens.closes_generics(at) => path_end(tokens, next).1,
            Some(_) => self.path(tokens, next, place, true),
        }
    }

    fn ident(&mut self, tokens: &Tokens, at: usize, place: &Place) -> usize {
        let word = tokens.word(at).unwrap_or_default();
        let next = at.saturating_add(1);
        match word.as_str() {
            "use" if !tokens.is_punct(next, '<') => {
                self.branch(tokens, next, &Stem::default(), place)
            }
            "mod" if tokens.ident(next).is_some() => self.module(tokens, at, place),
            "extern" if tokens.is_word(next, "crate") => self.extern_crate(tokens, at, place),
            word if is_keyword(word) => next,
            _ => self.path(tokens, at, place, false),
        }
    }

    fn module(&mut self, tokens: &Tokens, at: usize, place: &Place) -> usize {
        let name = tokens.word(at.saturating_add(1)).unwrap_or_default();
        let body = at.saturating_add(2);
        let inline = tokens.group(body, Delimiter::Brace);
        self.found.modules.push(Module {
            line: tokens.line(at),
            name: name.clone(),
            inline: inline.is_some(),
            path: path_before(tokens, at),
            place: place.clone(),
        });
        if let Some(group) = inline {
            let mut inside = place.clone();
            inside.module.push(name);
            self.stream(group.stream(), &inside);
        }
        body.saturating_add(1)
    }

    fn extern_crate(&mut self, tokens: &Tokens, at: usize, place: &Place) -> usize {
        let name = at.saturating_add(2);
        self.found.mentions.push(Mention {
            line: tokens.line(at),
            segments: tokens.word(name).into_iter().collect(),
            kind: Kind::ExternCrate,
            global: true,
            place: place.clone(),
        });
        name.saturating_add(1)
    }

    fn path(&mut self, tokens: &Tokens, at: usize, place: &Place, global: bool) -> usize {
        let (segments, end) = path_end(tokens, at);
        let before = tokens.before(at);
        let is_variable = is_punct(before, '$') && !tokens.is_word(at, "crate");
        if is_variable || is_punct(before, '\'') {
            return end;
        }
        let group_at = end.saturating_add(2);
        if tokens.is_separator(end) && tokens.group(group_at, Delimiter::Brace).is_some() {
            return self.branch(tokens, group_at, &Stem { segments, global }, place);
        }
        let bang = tokens.is_punct(end, '!') && !tokens.is_punct(end.saturating_add(1), '=');
        if bang {
            self.called(tokens, end, &segments, place);
        }
        if segments.len() > 1 || global {
            let kind = if bang { Kind::Macro } else { Kind::Path };
            let line = tokens.line(at);
            let place = place.clone();
            self.found.mentions.push(Mention { line, segments, kind, global, place });
        }
        end
    }

    /// A macro by its last name; inside `table!` each `schema.table` counts as a text.
    fn called(&mut self, tokens: &Tokens, bang: usize, segments: &[String], place: &Place) {
        let Some(name) = segments.last() else { return };
        self.found.macros.push((tokens.line(bang), name.clone()));
        let Some(TokenTree::Group(body)) = tokens.get(bang.saturating_add(1)) else {
            return;
        };
        if name == "table" {
            let body = Tokens::of(body.stream());
            for at in (0..body.len()).filter(|at| body.is_punct(at.saturating_add(1), '.')) {
                if let (Some(schema), Some(table)) =
                    (body.word(at), body.word(at.saturating_add(2)))
                {
                    self.text(body.line(at), format!("{schema}.{table}"), place);
                }
            }
        }
    }
}

/// The names joined by `::` from a place on, and the place after them.
fn path_end(tokens: &Tokens, from: usize) -> (Vec<String>, usize) {
    let mut segments: Vec<String> = tokens.word(from).into_iter().collect();
    let mut at = from.saturating_add(1);
    while tokens.is_separator(at) {
        let Some(word) = tokens.word(at.saturating_add(2)) else {
            break;
        };
        segments.push(word);
        at = at.saturating_add(3);
    }
    (segments, at)
}
