//! Fingerprints of what was promised: a line for each version of each event, never changed.

use std::collections::BTreeMap;

use anyhow::ensure;

use crate::tree::Tree;

/// A file of fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book {
    /// Of the schema of every version of every event that was ever promised.
    Schemas,
    /// Of the example of every version that is not made any more: what readers must always read.
    Examples,
}

impl Book {
    /// Where it is.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Schemas => "schemas.sha256",
            Self::Examples => "examples.sha256",
        }
    }

    const fn head(self) -> &'static str {
        match self {
            Self::Schemas => {
                "# The schema of every version of every event that was ever promised, by its \
                 fingerprint.\n\
                 # A line is added by `cargo xtask catalog` and never changed: old events stay in \
                 the log for ever.\n"
            }
            Self::Examples => {
                "# The example.json of every version that is made no more, by its sha256: readers \
                 must always read it.\n\
                 # A line is added by `cargo xtask catalog` and never changed: old events stay in \
                 the log for ever.\n"
            }
        }
    }
}

/// Event type and version, and the fingerprint of what stands frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    book: Book,
    lines: BTreeMap<(String, String), String>,
}

impl Frozen {
    /// Reads the lines.
    ///
    /// # Errors
    /// When one is none.
    pub fn parse(book: Book, text: &str) -> anyhow::Result<Self> {
        let (file, mut lines) = (book.file(), BTreeMap::new());
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [fingerprint, event_type, version] = words.as_slice() else {
                anyhow::bail!("{file}: a line is a fingerprint, a type and a version: {line:?}");
            };
            let place = ((*event_type).to_owned(), (*version).to_owned());
            ensure!(
                lines.insert(place, (*fingerprint).to_owned()).is_none(),
                "{file}: {event_type} {version} is there twice"
            );
        }
        Ok(Self { book, lines })
    }

    /// Of the tree.
    ///
    /// # Errors
    /// When a line is none.
    pub fn of(book: Book, tree: &Tree) -> anyhow::Result<Self> {
        Self::parse(book, tree.get(book.file()).unwrap_or_default())
    }

    /// The lines.
    pub fn render(&self) -> String {
        let line = |((event_type, version), fingerprint): (&(String, String), &String)| {
            format!("{fingerprint}  {event_type} {version}\n")
        };
        format!("{}{}", self.book.head(), self.lines.iter().map(line).collect::<String>())
    }

    /// The fingerprint of a version.
    pub fn get(&self, event_type: &str, version: &str) -> Option<&str> {
        self.lines.get(&(event_type.to_owned(), version.to_owned())).map(String::as_str)
    }

    /// Freezes a version that is not frozen yet.
    pub fn freeze(
        &mut self,
        event_type: &str,
        version: &str,
        fingerprint: impl FnOnce() -> String,
    ) {
        let place = (event_type.to_owned(), version.to_owned());
        self.lines.entry(place).or_insert_with(fingerprint);
    }

    /// Every type and version.
    pub fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.keys().map(|(event_type, version)| (event_type.as_str(), version.as_str()))
    }

    /// The newest frozen version of a type.
    pub fn newest(&self, event_type: &str) -> Option<&str> {
        let own = self.versions().filter(|(known, _)| *known == event_type);
        own.map(|(_, version)| version).max_by_key(|version| number_of(version))
    }
}

/// A version's numbers, to be compared.
pub fn number_of(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_fingerprints_comes_back_as_it_was() {
        for book in [Book::Schemas, Book::Examples] {
            let text = format!(
                "{}ab  codepix.probe.Noted.v1 1.0.0\ncd  codepix.probe.Noted.v1 1.1.0\n",
                book.head()
            );
            let frozen = Frozen::parse(book, &text).unwrap();
            assert_eq!(frozen.get("codepix.probe.Noted.v1", "1.1.0"), Some("cd"));
            assert_eq!(frozen.newest("codepix.probe.Noted.v1"), Some("1.1.0"));
            assert_eq!(frozen.render(), text);
            assert!(Frozen::parse(book, "ab codepix.probe.Noted.v1").is_err());
            assert!(Frozen::parse(book, "ab x 1.0.0\ncd x 1.0.0").is_err());
        }
    }

    #[test]
    fn versions_are_numbers() {
        assert!(number_of("1.10.0") > number_of("1.9.0"));
    }
}
