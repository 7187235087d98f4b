//! Errors of entities, each with the place of its entity.
//!
//! async-graphql leaves the place of an entity in the list of `_entities` out of the paths of its
//! errors. A router cannot place such an error, and some lose it. The place is known where just one
//! entity has a null where the error lies, or as many as there are errors that say the same. An
//! error that lies at the list itself is one of an entity: a list that fails is no list.

use std::sync::Arc;

use async_graphql::{
    BatchRequest, BatchResponse, Data, Executor, PathSegment, Request, Response, ServerError, Value,
};
use futures::StreamExt;
use futures::stream::BoxStream;

/// An executor whose errors say in which entity they lie, as far as anybody can know it. For a
/// subgraph that other routers ask; the joined graph does the same with every answer.
#[derive(Clone, Debug)]
pub struct Placed<E>(pub E);

impl<E: Executor> Executor for Placed<E> {
    async fn execute(&self, request: Request) -> Response {
        placed(self.0.execute(request).await)
    }

    async fn execute_batch(&self, batch: BatchRequest) -> BatchResponse {
        match self.0.execute_batch(batch).await {
            BatchResponse::Single(response) => BatchResponse::Single(placed(response)),
            BatchResponse::Batch(responses) => {
                BatchResponse::Batch(responses.into_iter().map(placed).collect())
            }
        }
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        self.0.execute_stream(request, session_data).map(placed).boxed()
    }
}

/// The same answer, its errors with the places of their entities.
pub(crate) fn placed(mut response: Response) -> Response {
    let mut unplaced: Vec<(usize, usize)> = Vec::new();
    for (number, error) in response.errors.iter().enumerate() {
        if let Some(depth) = unplaced_at(&response.data, &error.path) {
            unplaced.push((number, depth));
        }
    }
    while let Some((number, depth)) = unplaced.first().copied() {
        let Some(first) = response.errors.get(number).cloned() else { break };
        let (alike, others) = unplaced.into_iter().partition(|(number, _)| {
            response.errors.get(*number).is_some_and(|error| error.path == first.path)
        });
        unplaced = others;
        place(&response.data, &mut response.errors, &alike, (&first, depth));
    }
    response
}

/// Puts the places into the errors that have this path.
fn place(
    data: &Value,
    errors: &mut [ServerError],
    alike: &[(usize, usize)],
    (first, depth): (&ServerError, usize),
) {
    let (way, rest) = first.path.split_at(depth);
    let Some(Value::List(entries)) = value_at(data, way) else { return };
    let nulls = entries.iter().enumerate().filter(|(_, entry)| is_null_at(entry, rest));
    let nulls: Vec<usize> = nulls.map(|(place, _)| place).collect();
    let says_the_same = |error: &ServerError| {
        error.message == first.message && error.extensions == first.extensions
    };
    let all_say_the_same =
        alike.iter().all(|(number, _)| errors.get(*number).is_some_and(says_the_same));
    let places: Vec<usize> = match nulls.as_slice() {
        [only] => vec![*only; alike.len()],
        several if several.len() == alike.len() && all_say_the_same => nulls,
        _ => return,
    };
    for ((number, _), place) in alike.iter().zip(places) {
        if let Some(error) = errors.get_mut(*number) {
            error.path.insert(depth, PathSegment::Index(place));
        }
    }
}

/// Where a path names a field, or ends, although a list lies there.
fn unplaced_at(data: &Value, path: &[PathSegment]) -> Option<usize> {
    let mut value = data;
    for (depth, segment) in path.iter().enumerate() {
        value = match (value, segment) {
            (Value::List(_), PathSegment::Field(_)) => return Some(depth),
            (value, segment) => step(value, segment)?,
        };
    }
    matches!(value, Value::List(_)).then_some(path.len())
}

fn value_at<'v>(value: &'v Value, path: &[PathSegment]) -> Option<&'v Value> {
    path.iter().try_fold(value, step)
}

fn step<'v>(value: &'v Value, segment: &PathSegment) -> Option<&'v Value> {
    match (value, segment) {
        (Value::Object(fields), PathSegment::Field(key)) => fields.get(key.as_str()),
        (Value::List(values), PathSegment::Index(index)) => values.get(*index),
        _ => None,
    }
}

/// Whether a value is null at a path, or on the way there.
fn is_null_at(value: &Value, path: &[PathSegment]) -> bool {
    match (value, path) {
        (Value::Null, _) => true,
        (value, [segment, rest @ ..]) => {
            step(value, segment).is_some_and(|inner| is_null_at(inner, rest))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(message: &str, path: &[&str]) -> ServerError {
        let mut error = ServerError::new(message, None);
        error.path = path.iter().map(|key| PathSegment::Field((*key).to_owned())).collect();
        error
    }

    fn paths(data: serde_json::Value, errors: Vec<ServerError>) -> Vec<String> {
        let mut response = Response::new(Value::from_json(data).unwrap());
        response.errors = errors;
        let segment = |segment: &PathSegment| match segment {
            PathSegment::Field(key) => key.clone(),
            PathSegment::Index(index) => index.to_string(),
        };
        let placed = placed(response).errors;
        let path = |error: &ServerError| error.path.iter().map(segment).collect::<Vec<_>>();
        placed.iter().map(|error| path(error).join(".")).collect()
    }

    #[test]
    fn the_only_null_is_where_the_error_lies() {
        let data = json!({ "_entities": [{ "keys": [] }, { "keys": null }, { "id": "3" }] });
        let told = paths(data, vec![error("a", &["_entities", "keys"])]);
        assert_eq!(told, ["_entities.1.keys"]);
        let inside = json!({ "_entities": [{ "owner": { "name": null } }, { "owner": null }] });
        let deep = vec![error("a", &["_entities", "owner", "name"])];
        assert_eq!(paths(inside, deep), ["_entities.owner.name"], "either may be it");
    }

    #[test]
    fn errors_that_say_the_same_lie_in_every_null() {
        let data = json!({ "x": [{ "keys": null }, { "keys": [] }, { "keys": null }] });
        let same = || error("a", &["x", "keys"]);
        assert_eq!(paths(data.clone(), vec![same(), same()]), ["x.0.keys", "x.2.keys"]);
        let others = vec![same(), error("b", &["x", "keys"])];
        assert_eq!(paths(data.clone(), others), ["x.keys", "x.keys"]);
        assert_eq!(paths(data, vec![same()]), ["x.keys"], "one of two");
    }

    #[test]
    fn an_error_at_the_list_lies_in_an_entity_that_is_null() {
        let data = json!({ "_entities": [{ "id": "1" }, null, { "id": "3" }] });
        assert_eq!(paths(data.clone(), vec![error("a", &["_entities"])]), ["_entities.1"]);
        let away = json!({ "_entities": [null, { "id": "2" }, null] });
        let same = || error("a", &["_entities"]);
        assert_eq!(paths(away.clone(), vec![same(), same()]), ["_entities.0", "_entities.2"]);
        assert_eq!(paths(away, vec![same()]), ["_entities"], "one may be unknown");
    }

    #[test]
    fn a_path_that_is_whole_or_leads_nowhere_stays() {
        let data = json!({ "account": { "keys": null }, "list": [null] });
        let kept = [&["account", "keys"][..], &["account", "keys", "nodes"], &["elsewhere"], &[]];
        let errors = kept.iter().map(|path| error("a", path)).collect();
        let told = paths(data, errors);
        assert_eq!(told, kept.map(|path| path.join(".")));
        assert_eq!(paths(json!(null), vec![error("a", &["_entities", "k"])]), ["_entities.k"]);
    }
}
