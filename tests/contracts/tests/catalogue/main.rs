//! Code and catalogue, held together: both ways, and without Node.
//!
//! What a test proves it also breaks: on a copy of the catalogue or of the registry, where one
//! thing is wrong, it must find that thing and name it.

mod documents;
mod doors;
mod examples;
mod pages;
mod promises;
mod readers;

use contracts::{Catalogue, Tree, tree};

/// What the code says.
fn code() -> Catalogue {
    Catalogue::of_the_code().unwrap()
}

/// What is committed.
fn committed() -> Tree {
    Tree::read(&tree::folder()).unwrap()
}

/// Fails with every sentence.
#[track_caller]
fn none(sentences: &[String]) {
    assert!(sentences.is_empty(), "\n{}\n", sentences.join("\n"));
}

/// Fails unless one sentence has all of these words.
#[track_caller]
fn names(sentences: &[String], words: &[&str]) {
    let has_all = |sentence: &String| words.iter().all(|word| sentence.contains(word));
    assert!(sentences.iter().any(has_all), "none of {sentences:#?} says {words:?}");
}
