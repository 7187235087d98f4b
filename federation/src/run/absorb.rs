//! Joins what a subgraph answered into what is known, and says where its errors lie.

use async_graphql::{PathSegment, Response, ServerError, Value};

use super::entities::Ask;
use super::execute::Run;
use super::merge::merge;
use super::represent::{Represented, Target, locate, path_to};
use super::rewrite::{renamed, rewrite};
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
        let masked = response.errors.iter().map(|error| self.masked(fetch, error.clone()));
        let errors: Vec<ServerError> = masked.collect();
        let mut state = self.state();
        for error in errors {
            for error in placed(fetch, asked, ask, (&state.data, &response.data), error) {
                state.add(error, self.context.graph.limits.errors_max);
            }
        }
        let Value::Object(mut answers) = response.data else { return };
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
fn placed(
    fetch: &Fetch,
    asked: &[Represented],
    ask: &Ask,
    (data, answer): (&Value, &Value),
    mut error: ServerError,
) -> Vec<ServerError> {
    let path = std::mem::take(&mut error.path);
    let Some((selection, representation, rest)) = concerned(fetch, ask, answer, &path) else {
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
/// Some libraries leave the entity's place in the list out. Then it is known if there was but one
/// entity, or if but one has a null where the error lies.
fn concerned<'p>(
    fetch: &Fetch,
    ask: &Ask,
    answer: &Value,
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
        (rest, several) => {
            let Value::Object(answers) = answer else { return None };
            let Some(Value::List(answers)) = answers.get(key.as_str()) else { return None };
            let mut nulls = several.iter().zip(answers).filter(|(_, one)| is_null_at(one, rest));
            let (only, _) = nulls.next()?;
            if nulls.next().is_some() { None } else { Some((selection, *only, rest)) }
        }
    }
}

/// Whether a value is null at a path, or on the way there.
fn is_null_at(value: &Value, path: &[PathSegment]) -> bool {
    match (value, path) {
        (Value::Null, _) => true,
        (Value::Object(fields), [PathSegment::Field(key), rest @ ..]) => {
            fields.get(key.as_str()).is_some_and(|value| is_null_at(value, rest))
        }
        (Value::List(values), [PathSegment::Index(index), rest @ ..]) => {
            values.get(*index).is_some_and(|value| is_null_at(value, rest))
        }
        _ => false,
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
