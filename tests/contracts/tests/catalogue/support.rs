//! What every test asks for.

use contracts::{Catalogue, Tree, tree};

/// What the code says.
pub(crate) fn code() -> Catalogue {
    Catalogue::of_the_code().unwrap()
}

/// What is committed.
pub(crate) fn committed() -> Tree {
    Tree::read(&tree::folder()).unwrap()
}

/// Fails with every sentence.
#[track_caller]
pub(crate) fn none(sentences: &[String]) {
    assert!(sentences.is_empty(), "\n{}\n", sentences.join("\n"));
}

/// Fails unless one sentence has all of these words.
#[track_caller]
pub(crate) fn names(sentences: &[String], words: &[&str]) {
    let has_all = |sentence: &String| words.iter().all(|word| sentence.contains(word));
    assert!(sentences.iter().any(has_all), "none of {sentences:#?} says {words:?}");
}
