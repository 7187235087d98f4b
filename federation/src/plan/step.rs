//! What a run does: fetches, one after another or side by side.
//!
//! The planner's nodes name things by text and hold what only planning needs. Here every name that
//! a run looks up is made once, and a document is parsed once, however often the plan runs.

use async_graphql::Name;
use async_graphql::parser::types::ExecutableDocument;

use crate::api::TypeSet;

/// One part of a plan.
#[derive(Debug)]
pub(crate) enum Step {
    Fetch(Box<Fetch>),
    /// One after another: a later step needs what an earlier one fetched, or is a later mutation.
    Sequence(Vec<Step>),
    /// Side by side.
    Parallel(Vec<Step>),
    /// One of two, by a variable.
    Condition {
        variable: Name,
        then: Option<Box<Step>>,
        otherwise: Option<Box<Step>>,
    },
}

impl Step {
    /// Bytes of the texts of its sub-requests.
    pub(crate) fn text_bytes(&self) -> usize {
        let sum = |steps: &[Self]| {
            steps.iter().map(Self::text_bytes).fold(0, |sum: usize, it| sum.saturating_add(it))
        };
        match self {
            Self::Fetch(fetch) => fetch.text.len(),
            Self::Sequence(steps) | Self::Parallel(steps) => sum(steps),
            Self::Condition { then, otherwise, .. } => {
                let both = [then, otherwise].into_iter().flatten();
                both.map(|step| step.text_bytes()).fold(0, usize::saturating_add)
            }
        }
    }
}

/// One sub-request.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// Which subgraph, in the order of the graph's.
    pub(crate) subgraph: usize,
    pub(crate) text: String,
    pub(crate) document: ExecutableDocument,
    /// The client's variables that it uses.
    pub(crate) variables: Vec<Name>,
    /// The entities that it asks for; none when it asks at the root.
    pub(crate) entities: Vec<Entities>,
    /// What to change in an answer from the root.
    pub(crate) output: Vec<Rewrite>,
}

/// One `_entities` selection of a fetch.
#[derive(Debug)]
pub(crate) struct Entities {
    /// Under which key they are answered.
    pub(crate) key: Name,
    /// The variable that takes the representations.
    pub(crate) variable: Name,
    /// Where the objects lie that it describes and completes.
    pub(crate) paths: Vec<Vec<Hop>>,
    /// What a representation holds.
    pub(crate) requires: Vec<Require>,
    pub(crate) input: Vec<Rewrite>,
    pub(crate) output: Vec<Rewrite>,
}

/// One step of a path to objects.
#[derive(Debug)]
pub(crate) enum Hop {
    Field(Name),
    /// Only objects of these types.
    Is(TypeSet),
    /// Every entry of a list.
    Each,
}

/// One part of a representation.
#[derive(Debug)]
pub(crate) enum Require {
    /// A field, where it lies in our data and what the subgraph calls it.
    Field { from: Name, to: Name, inside: Vec<Require> },
    /// Fields of some types only.
    Fragment { types: TypeSet, inside: Vec<Require> },
}

/// A change to what is sent or answered.
#[derive(Debug)]
pub(crate) struct Rewrite {
    pub(crate) path: Vec<Key>,
    pub(crate) change: Change,
}

/// One step of the path of a rewrite.
#[derive(Debug)]
pub(crate) enum Key {
    Field(Name),
    Is(TypeSet),
}

/// What a rewrite does at its place.
#[derive(Debug)]
pub(crate) enum Change {
    Set(String),
    Rename(Name),
}
