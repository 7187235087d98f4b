//! Attributes: which ones stand there, and whether they say "only in tests".

use proc_macro2::{Delimiter, Group, TokenStream};

use super::tokens::{Tokens, comma_parts, is_keyword};

/// Items that end at their `;` alone, whatever braces stand before it.
const TO_SEMICOLON: &[&str] = &["use", "const", "static", "type", "let"];
/// Items that end at `;` or at their braces.
const TO_BRACES: &[&str] =
    &["mod", "fn", "impl", "struct", "enum", "trait", "extern", "unsafe", "async", "union"];

/// One attribute, taken out of any `cfg_attr` around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Where it stands, from 1.
    pub line: usize,
    /// Its first word, as in `expect`.
    pub name: String,
    /// Whether it carries a `reason` that is not empty.
    pub has_reason: bool,
}

/// Whether a condition of `cfg` can hold in tests alone.
pub(super) fn implies_test(condition: TokenStream) -> bool {
    let tokens = Tokens::of(condition);
    let inner = |at| tokens.group(at, Delimiter::Parenthesis).map(Group::stream);
    match (tokens.word(0).as_deref(), inner(1)) {
        (Some("test"), None) => tokens.len() == 1,
        (Some("all"), Some(inner)) => comma_parts(inner).into_iter().any(implies_test),
        (Some("any"), Some(inner)) => {
            let parts = comma_parts(inner);
            !parts.is_empty() && parts.into_iter().all(implies_test)
        }
        _ => false,
    }
}

/// Whether the attribute with this content is `cfg(test)` or narrower.
pub(super) fn gates_tests(content: &Tokens) -> bool {
    let condition = content.group(1, Delimiter::Parenthesis);
    content.is_word(0, "cfg") && condition.is_some_and(|group| implies_test(group.stream()))
}

/// The attributes that this content amounts to: itself, or what a `cfg_attr` holds.
pub(super) fn unfold(content: TokenStream) -> Vec<Attribute> {
    let tokens = Tokens::of(content);
    let Some(name) = tokens.word(0) else {
        return Vec::new();
    };
    let arguments = tokens.group(1, Delimiter::Parenthesis).map(Group::stream);
    match arguments {
        Some(arguments) if name == "cfg_attr" => {
            comma_parts(arguments).into_iter().skip(1).flat_map(unfold).collect()
        }
        arguments => {
            let has_reason = arguments.is_some_and(has_reason);
            vec![Attribute { line: tokens.line(0), name, has_reason }]
        }
    }
}

fn has_reason(arguments: TokenStream) -> bool {
    comma_parts(arguments).into_iter().any(|part| {
        let part = Tokens::of(part);
        let text = part.get(2).map(ToString::to_string).unwrap_or_default();
        part.is_word(0, "reason") && part.is_punct(1, '=') && !text.trim_matches('"').is_empty()
    })
}

/// Where the item that begins at a place ends: the place after its last token.
pub(super) fn item_end(tokens: &Tokens, from: usize) -> usize {
    let start = after_attributes_and_visibility(tokens, from);
    let word = tokens.word(start).unwrap_or_default();
    let is_function = ["fn", "async", "unsafe", "extern"]
        .iter()
        .any(|next| tokens.is_word(start.saturating_add(1), next));
    let to_semicolon = TO_SEMICOLON.contains(&word.as_str()) && !is_function;
    let is_item = to_semicolon || is_function || TO_BRACES.contains(&word.as_str());
    let ends = |at: usize| {
        tokens.is_punct(at, ';')
            || (!to_semicolon && tokens.group(at, Delimiter::Brace).is_some())
            || (!is_item && tokens.is_punct(at, ','))
    };
    let last = (start..tokens.len()).find(|at| ends(*at));
    last.map_or(tokens.len(), |at| at.saturating_add(1))
}

fn after_attributes_and_visibility(tokens: &Tokens, from: usize) -> usize {
    let mut at = from;
    while tokens.is_punct(at, '#') {
        at = at.saturating_add(2);
    }
    if tokens.is_word(at, "pub") {
        at = at.saturating_add(1);
        if tokens.group(at, Delimiter::Parenthesis).is_some() {
            at = at.saturating_add(1);
        }
    }
    at
}

/// The file that a `#[path = "…"]` before the `mod` at a place names.
pub(super) fn path_before(tokens: &Tokens, module: usize) -> Option<String> {
    let mut at = module;
    while let Some(before) = at.checked_sub(1) {
        let visibility = tokens.word(before).is_some_and(|word| is_keyword(&word));
        let restriction = tokens.group(before, Delimiter::Parenthesis).is_some();
        if let Some(group) = tokens.group(before, Delimiter::Bracket) {
            let content = Tokens::of(group.stream());
            if content.is_word(0, "path") {
                let text = content.get(2).map(ToString::to_string)?;
                return Some(text.trim_matches('"').to_owned());
            }
        } else if !visibility && !restriction && !tokens.is_punct(before, '#') {
            return None;
        }
        at = before;
    }
    None
}
