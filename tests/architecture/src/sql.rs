//! SQL as words, so that a schema's name in a comment is not taken for its use.

/// One token of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A keyword or a name: lower case, or as it is between double quotes.
    Word(String),
    /// A string between single quotes.
    Text(String),
    /// Any other sign.
    Sign(char),
}

/// The tokens of a text, each with its line from 1. Bodies between dollar signs are SQL too.
pub fn tokens(sql: &str) -> Vec<(usize, Token)> {
    let mut scanner = Scanner { rest: sql, line: 1, found: Vec::new() };
    while scanner.step() {}
    scanner.found
}

/// Names of the shape `schema.table` in a text where the schema is one of those given: the line
/// within the text, from 0, and the name. A schema after a dot, a dash or a slash is no schema:
/// `codepix.transfers.participants` is a topic.
pub fn qualified_names(text: &str, schemas: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for schema in schemas {
        for (at, _) in text.match_indices(schema.as_str()) {
            let (before, from) = text.split_at(at);
            let rest = from.strip_prefix(schema.as_str()).unwrap_or_default();
            let rest = rest.trim_start_matches(['"', '\\']);
            let begins = before.chars().next_back().is_none_or(begins_name);
            let table = rest.strip_prefix('.').map(|table| table.trim_start_matches(['"', '\\']));
            let table: String =
                table.unwrap_or_default().chars().take_while(|sign| is_name(*sign)).collect();
            if begins && table.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
                found.push((before.matches('\n').count(), format!("{schema}.{table}")));
            }
        }
    }
    found
}

fn begins_name(before: char) -> bool {
    !before.is_alphanumeric() && !['_', '.', '-', '/'].contains(&before)
}

fn is_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<(usize, Token)>,
}

impl Scanner<'_> {
    /// Takes one token or one comment; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("--") {
            self.take_until("\n");
        } else if self.rest.starts_with("/*") {
            self.take_until("*/");
        } else if first == '\'' {
            let text = self.quoted('\'');
            self.found.push((self.line, Token::Text(text)));
        } else if first == '"' {
            let word = self.quoted('"');
            self.found.push((self.line, Token::Word(word)));
        } else if first.is_alphabetic() || first == '_' {
            let word: String = self.rest.chars().take_while(|sign| is_name(*sign)).collect();
            self.advance(word.len());
            self.found.push((self.line, Token::Word(word.to_lowercase())));
        } else {
            self.advance(first.len_utf8());
            if !first.is_whitespace() {
                self.found.push((self.line, Token::Sign(first)));
            }
        }
        true
    }

    fn advance(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line = self.line.saturating_add(taken.matches('\n').count());
        self.rest = rest;
    }

    fn take_until(&mut self, end: &str) {
        let bytes = self.rest.find(end).map(|at| at.saturating_add(end.len()));
        self.advance(bytes.unwrap_or(self.rest.len()));
    }

    /// The text between two quotes; a doubled quote stands for one.
    fn quoted(&mut self, quote: char) -> String {
        self.advance(quote.len_utf8());
        let mut text = String::new();
        while let Some(at) = self.rest.find(quote) {
            text.push_str(self.rest.get(..at).unwrap_or_default());
            self.advance(at.saturating_add(quote.len_utf8()));
            if !self.rest.starts_with(quote) {
                return text;
            }
            text.push(quote);
            self.advance(quote.len_utf8());
        }
        self.advance(self.rest.len());
        text
    }
}
