//! A list of tokens with the few questions that reading paths needs.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// Words that never begin a path; `crate`, `self`, `super` and `Self` do.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref",
    "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "where", "while",
    "yield",
];

/// Whether a word is one of the language that never begins a path.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// The tokens of one group or file.
pub(super) struct Tokens(Vec<TokenTree>);

impl Tokens {
    pub(super) fn of(stream: TokenStream) -> Self {
        Self(stream.into_iter().collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&TokenTree> {
        self.0.get(at)
    }

    /// The token before a place.
    pub(super) fn before(&self, at: usize) -> Option<&TokenTree> {
        at.checked_sub(1).and_then(|at| self.0.get(at))
    }

    pub(super) fn ident(&self, at: usize) -> Option<&Ident> {
        match self.0.get(at)? {
            TokenTree::Ident(ident) => Some(ident),
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        }
    }

    /// The identifier at a place, without `r#`.
    pub(super) fn word(&self, at: usize) -> Option<String> {
        self.ident(at).map(plain)
    }

    pub(super) fn is_word(&self, at: usize, word: &str) -> bool {
        self.ident(at).is_some_and(|ident| ident == word)
    }

    pub(super) fn is_punct(&self, at: usize, sign: char) -> bool {
        is_punct(self.0.get(at), sign)
    }

    /// Whether `::` stands at a place.
    pub(super) fn is_separator(&self, at: usize) -> bool {
        let joined = match self.0.get(at) {
            Some(TokenTree::Punct(punct)) => {
                punct.as_char() == ':' && punct.spacing() == Spacing::Joint
            }
            _ => false,
        };
        joined && self.is_punct(at.saturating_add(1), ':')
    }

    /// Whether `>` stands before a place, and not as the end of `->` or `=>`.
    pub(super) fn closes_generics(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        let arrow = ['-', '='].iter().any(|sign| is_punct(self.before(before), *sign));
        self.is_punct(before, '>') && !arrow
    }

    pub(super) fn group(&self, at: usize, delimiter: Delimiter) -> Option<&Group> {
        match self.0.get(at)? {
            TokenTree::Group(group) => (group.delimiter() == delimiter).then_some(group),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        }
    }

    /// The line of a token, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.0.get(at).map_or(0, |token| token.span().start().line)
    }
}

/// An identifier without `r#`.
pub(super) fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned)
}

pub(super) fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// The tokens between commas.
pub(super) fn comma_parts(stream: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![Vec::new()];
    for token in stream {
        if is_punct(Some(&token), ',') {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    parts.into_iter().map(TokenStream::from_iter).filter(|part| !part.is_empty()).collect()
}
