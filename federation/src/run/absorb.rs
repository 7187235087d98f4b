//! Joins what a subgraph answered into what is known, and says where its errors lie.

use async_graphql::{PathSegment, Response, ServerError, Value};

use super::entities::Ask;
use super::execute::Run;
use super::merge::merge;
use super::represent::{Represented, Target, locate, path_to};
use super::rewrite::{renamed, rewrite};
use crate::placed::placed;
use crate::plan::{Entities, Fetch, Rewrite};

impl Run<'_> {
    /// Joins an answer from the root.
    pub(crate) fn absorb(&self, fetch: &Fetch, response: Response) {
        let errors = response.errors.into_iter().map(|error| {
            let mut error = self.masked(fetch, error);
            error.path = known_to_client(&fetch.output, &error.path);
            error
        });
        let errors: Vec<ServerError> = errors.collect();
        let mut data = response.data;
        rewrite(&fetch.output, &mut data);
        let mut state = self.state();
        merge(&mut state.data, data);
        for error in errors {
            state.add(error, self.context.graph.limits.errors_max);
        }
    }

    /// Joins an answer of entities, each into every object that it describes.
    pub(super) fn absorb_entities(
        &self,
        fetch: &Fetch,
        asked: &[Represented],
        ask: &Ask,
        response: Response,
    ) {
        let Response { data: answers, errors, .. } = placed(response);
        let masked = errors.into_iter().map(|error| self.masked(fetch, error));
        let errors: Vec<ServerError> = masked.collect();
        let mut state = self.state();
        for error in errors {
            for error in shown(fetch, asked, ask, &state.data, error) {
                state.add(error, self.context.graph.limits.errors_max);
            }
        }
        let Value::Object(mut answers) = answers else { return };
        for ((selection, asked), list) in fetch.entities.iter().zip(asked).zip(&ask.lists) {
            if let Some(Value::List(answers)) = answers.swap_remove(&selection.key) {
                complete(selection, &asked.targets, list, answers, &mut state.data);
            }
        }
    }

    fn masked(&self, fetch: &Fetch, error: ServerError) -> ServerError {
        let graph = self.context.graph;
        let name = graph.subgraphs.get(fetch.subgraph).map_or("", |(name, _)| name.as_str());
        graph.mask.of_subgraph(name, error)
    }
}

/// Merges each answer into its targets; the last of them takes it without a copy.
fn complete(
    selection: &Entities,
    targets: &[Target],
    list: &[usize],
    answers: Vec<Value>,
    data: &mut Value,
) {
    let room = list.iter().max().map_or(0, |last| last.saturating_add(1));
    let mut by_representation: Vec<(Value, usize)> = vec![(Value::Null, 0); room];
    for (index, mut answer) in list.iter().zip(answers) {
        rewrite(&selection.output, &mut answer);
        if let Some(slot) = by_representation.get_mut(*index) {
            slot.0 = answer;
        }
    }
    for target in targets {
        if let Some((_, uses)) = by_representation.get_mut(target.representation) {
            *uses = uses.saturating_add(1);
        }
    }
    for target in targets {
        let Some((answer, uses)) = by_representation.get_mut(target.representation) else {
            continue;
        };
        let answer = if *uses > 1 { answer.clone() } else { std::mem::take(answer) };
        *uses = uses.saturating_sub(1);
        let hops = selection.paths.get(target.path).map(Vec::as_slice);
        let object = hops.and_then(|hops| locate(data, hops, &target.entries));
        if let Some(object) = object {
            merge(object, answer);
        }
    }
}

/// An error of entities where the client can see it: once for each object that it concerns, or
/// without a path where nobody can know which those are.
fn shown(
    fetch: &Fetch,
    asked: &[Represented],
    ask: &Ask,
    data: &Value,
    mut error: ServerError,
) -> Vec<ServerError> {
    let path = std::mem::take(&mut error.path);
    let Some((selection, representation, rest)) = concerned(fetch, ask, &path) else {
        return vec![error];
    };
    let (Some(selection), Some(asked)) = (fetch.entities.get(selection), asked.get(selection))
    else {
        return vec![error];
    };
    let rest = known_to_client(&selection.output, rest);
    let targets = asked.targets.iter().filter(|target| target.representation == representation);
    let errors = targets.filter_map(|target| {
        let hops = selection.paths.get(target.path)?;
        let mut error = error.clone();
        error.path = path_to(data, hops, &target.entries);
        error.path.extend(rest.iter().cloned());
        Some(error)
    });
    errors.collect()
}

/// The selection and representation that an error lies in, and its path inside that entity.
///
/// Some libraries leave the entity's place in the list out; where it is not known all the same
/// (`placed.rs`), it is if there was but one entity.
fn concerned<'p>(
    fetch: &Fetch,
    ask: &Ask,
    path: &'p [PathSegment],
) -> Option<(usize, usize, &'p [PathSegment])> {
    let [PathSegment::Field(key), rest @ ..] = path else {
        let (selection, representation) = ask.only()?;
        return Some((selection, representation, &[]));
    };
    let selection = fetch.entities.iter().position(|selection| selection.key == *key)?;
    let list = ask.lists.get(selection)?;
    match (rest, list.as_slice()) {
        ([PathSegment::Index(index), rest @ ..], _) => Some((selection, *list.get(*index)?, rest)),
        (rest, [only]) => Some((selection, *only, rest)),
        _ => None,
    }
}

fn known_to_client(rewrites: &[Rewrite], path: &[PathSegment]) -> Vec<PathSegment> {
    let segments = path.iter().map(|segment| match segment {
        PathSegment::Field(key) => {
            PathSegment::Field(renamed(rewrites, key).unwrap_or(key).to_owned())
        }
        PathSegment::Index(index) => PathSegment::Index(*index),
    });
    segments.collect()
}
