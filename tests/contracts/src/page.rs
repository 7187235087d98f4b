//! A page: what stands above it, what people wrote, and a part that the code writes.

use anyhow::{Context as _, ensure};
use serde_yaml_ng::{Mapping, Value};

const BEGIN: &str =
    "{/* made by `cargo xtask catalog`: below this line nothing is written by hand */}";
const END: &str = "{/* end of what is made */}";

/// A page of the catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What the site knows of it.
    pub head: Mapping,
    /// What people wrote.
    pub prose: String,
    /// What the code says.
    pub made: Option<String>,
}

impl Page {
    /// Takes a page apart.
    ///
    /// # Errors
    /// When it has no head.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let rest = text.strip_prefix("---\n").context("a page begins with ---")?;
        let (head, body) =
            rest.split_once("\n---\n").context("the head of a page ends with ---")?;
        let head = serde_yaml_ng::from_str(head).context("the head of a page is YAML")?;
        let (prose, made) = match body.split_once(BEGIN) {
            None => (body, None),
            Some((prose, rest)) => {
                let (made, after) =
                    rest.split_once(END).context("the end of what is made is gone")?;
                ensure!(after.trim().is_empty(), "something stands behind what is made");
                (prose, Some(made.trim().to_owned()))
            }
        };
        Ok(Self { head, prose: prose.trim().to_owned(), made })
    }

    /// The page as a file.
    ///
    /// # Errors
    /// When the head has no YAML.
    pub fn render(&self) -> anyhow::Result<String> {
        let head = serde_yaml_ng::to_string(&self.head)?;
        let mut text = format!("---\n{head}---\n\n{}\n", self.prose);
        if let Some(made) = &self.made {
            text = format!("{text}\n{BEGIN}\n\n{made}\n\n{END}\n");
        }
        Ok(text)
    }

    /// Says something in the head.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.head.insert(key.into(), value.into());
    }

    /// A text of the head.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.head.get(key)?.as_str()
    }

    /// The ids that a list of the head names.
    pub fn ids(&self, key: &str) -> Vec<String> {
        let list = self.head.get(key).and_then(Value::as_sequence);
        let id = |it: &Value| {
            it.as_str().or_else(|| it.get("id").and_then(Value::as_str)).map(str::to_owned)
        };
        list.into_iter().flatten().filter_map(id).collect()
    }
}

/// A list of `{id: …}`.
pub fn pointers<'a>(ids: impl IntoIterator<Item = &'a str>) -> Value {
    let pointer = |id: &str| Value::Mapping(std::iter::once(("id".into(), id.into())).collect());
    Value::Sequence(ids.into_iter().map(pointer).collect())
}

/// A list of `{id: …, version: …}`.
pub fn versions<'a>(of: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let pointer = |(id, version): (&str, &str)| {
        Value::Mapping(
            [("id".into(), id.into()), ("version".into(), version.into())].into_iter().collect(),
        )
    };
    Value::Sequence(of.into_iter().map(pointer).collect())
}

/// A list of texts.
pub fn texts<'a>(of: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Sequence(of.into_iter().map(Value::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nid: a\n---\n\nWords.\n";

    #[test]
    fn a_page_comes_back_as_it_was() {
        let mut page = Page::parse(TEXT).unwrap();
        assert_eq!((page.text("id"), page.prose.as_str()), (Some("a"), "Words."));
        assert_eq!(page.render().unwrap(), TEXT);
        page.made = Some("made".into());
        let whole = page.render().unwrap();
        assert_eq!(Page::parse(&whole).unwrap(), page);
        assert_eq!(Page::parse(&whole).unwrap().render().unwrap(), whole);
    }

    #[test]
    fn what_is_made_has_an_end_and_nothing_behind_it() {
        assert!(Page::parse("no head").is_err());
        assert!(Page::parse(&format!("{TEXT}{BEGIN}\nmade")).is_err());
        assert!(Page::parse(&format!("{TEXT}{BEGIN}\nmade\n{END}\nlost")).is_err());
    }
}
