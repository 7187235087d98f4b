//! The language of each context, taken from its README: it is written once, where the code is.

use std::path::Path;

use anyhow::Context as _;
use codepix::config::ContextName;
use serde_yaml_ng::{Mapping, Value};

use crate::house;
use crate::page::Page;
use crate::tree::Tree;

/// Writes the dictionary of every context.
///
/// # Errors
/// When a README has no table of words.
pub fn write(tree: &mut Tree) -> anyhow::Result<()> {
    for context in ContextName::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../contexts")
            .join(context.as_str())
            .join("README.md");
        let readme = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let words = words(&readme);
        anyhow::ensure!(!words.is_empty(), "{} has no table under ## Language", path.display());
        let mut page = Page::default();
        page.set("dictionary", Value::Sequence(words.iter().map(entry).collect()));
        let domain = house::of(context).domain;
        tree.put(&format!("domains/{domain}/ubiquitous-language.mdx"), page.render()?);
    }
    Ok(())
}

/// Words and meanings of the first table under `## Language`.
fn words(readme: &str) -> Vec<(String, String)> {
    let section = readme.split("\n## Language\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.filter_map(|row| row.split_once('|'));
    cells
        .map(|(word, meaning)| (word.trim().to_owned(), meaning.trim().to_owned()))
        .filter(|(word, _)| word != "word" && !word.starts_with('-'))
        .collect()
}

fn entry((word, meaning): &(String, String)) -> Value {
    let id: String = word
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_alphanumeric() { letter } else { '-' })
        .collect();
    let plain = meaning.replace(['`', '*'], "");
    let mut mapping = Mapping::new();
    mapping.insert("id".into(), id.into());
    mapping.insert("name".into(), word.as_str().into());
    mapping.insert("summary".into(), plain.into());
    Value::Mapping(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_table() {
        let readme = "# A\n\n## Language\n\n| word | meaning |\n|---|---|\n\
                      | hold | an `amount` |\n\n\
                      ## States\n\n| x | y |\n";
        assert_eq!(words(readme), [("hold".to_owned(), "an `amount`".to_owned())]);
        assert_eq!(words("# nothing"), []);
    }
}
