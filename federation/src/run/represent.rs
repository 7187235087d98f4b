//! Finds the objects that a fetch completes, and describes each to its subgraph.
//!
//! Equal descriptions are sent once, however many objects they describe. A target is kept as the
//! places in the lists that lead to it, and not as a path of names, which the plan has already.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, Value};

use super::rewrite::rewrite;
use crate::plan::{Entities, Hop, Require};

/// The field that names an object's type.
pub(crate) const TYPENAME: &str = "__typename";

/// One `_entities` selection, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct Represented {
    pub(crate) representations: Vec<Value>,
    pub(crate) targets: Vec<Target>,
}

/// One object that a fetch completes.
#[derive(Debug)]
pub(crate) struct Target {
    /// Which of the selection's paths leads to it.
    pub(crate) path: usize,
    /// Which entry of each list on that path.
    pub(crate) entries: Vec<usize>,
    /// Which representation describes it.
    pub(crate) representation: usize,
}

/// Whether an object is of one of these types. One that does not say is taken for one.
pub(crate) fn is_of(object: &IndexMap<Name, Value>, types: &HashSet<String>) -> bool {
    object.get(TYPENAME).and_then(name_in).is_none_or(|name| types.contains(name))
}

/// The name in a value: of a type, or of an enum's value.
pub(crate) fn name_in(value: &Value) -> Option<&str> {
    match value {
        Value::String(name) => Some(name),
        Value::Enum(name) => Some(name),
        Value::Null
        | Value::Number(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::List(_)
        | Value::Object(_) => None,
    }
}

/// Describes every object of a selection in the data.
pub(crate) fn represent(entities: &Entities, data: &Value) -> Represented {
    let mut found = Represented::default();
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for (path, hops) in entities.paths.iter().enumerate() {
        walk(data, hops, &mut Vec::new(), &mut |object, entries| {
            let Some(mut described) = required_object(&entities.requires, object) else { return };
            rewrite(&entities.input, &mut described);
            let next = found.representations.len();
            let representation = match seen.entry(fingerprint(&described)) {
                Entry::Occupied(known)
                    if found.representations.get(*known.get()) == Some(&described) =>
                {
                    *known.get()
                }
                Entry::Occupied(_) => {
                    found.representations.push(described);
                    next
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(next);
                    found.representations.push(described);
                    next
                }
            };
            found.targets.push(Target { path, entries: entries.to_vec(), representation });
        });
    }
    found
}

/// What is done with an object and the entries that lead to it.
type Found<'a> = dyn FnMut(&IndexMap<Name, Value>, &[usize]) + 'a;

fn walk(value: &Value, hops: &[Hop], entries: &mut Vec<usize>, found: &mut Found<'_>) {
    if let Value::List(values) = value {
        let hops = after_each(hops);
        for (index, value) in values.iter().enumerate() {
            entries.push(index);
            walk(value, hops, entries, found);
            entries.pop();
        }
        return;
    }
    let Value::Object(object) = value else { return };
    match hops {
        [] => found(object, entries),
        [Hop::Field(key), rest @ ..] => {
            if let Some(inner) = object.get(key) {
                walk(inner, rest, entries, found);
            }
        }
        [Hop::Is(types), rest @ ..] => {
            if is_of(object, types) {
                walk(value, rest, entries, found);
            }
        }
        [Hop::Each, ..] => {}
    }
}

/// A list inside a list needs no second mark: whatever is a list is walked through.
fn after_each(hops: &[Hop]) -> &[Hop] {
    match hops {
        [Hop::Each, rest @ ..] => rest,
        _ => hops,
    }
}

/// The object of a target.
pub(crate) fn locate<'v>(
    value: &'v mut Value,
    hops: &[Hop],
    entries: &[usize],
) -> Option<&'v mut Value> {
    match (value, hops, entries) {
        (Value::List(values), hops, [index, entries @ ..]) => {
            locate(values.get_mut(*index)?, after_each(hops), entries)
        }
        (Value::Object(object), [Hop::Field(key), rest @ ..], _) => {
            locate(object.get_mut(key)?, rest, entries)
        }
        (value @ Value::Object(_), [Hop::Is(_), rest @ ..], _) => locate(value, rest, entries),
        (value @ Value::Object(_), [], []) => Some(value),
        _ => None,
    }
}

/// Where a target lies in the client's answer.
pub(crate) fn path_to(value: &Value, hops: &[Hop], entries: &[usize]) -> Vec<PathSegment> {
    let mut path = Vec::with_capacity(hops.len());
    let (mut value, mut hops, mut entries) = (value, hops, entries);
    loop {
        match (value, hops, entries) {
            (Value::List(values), _, [index, rest @ ..]) => {
                path.push(PathSegment::Index(*index));
                let Some(inner) = values.get(*index) else { return path };
                (value, hops, entries) = (inner, after_each(hops), rest);
            }
            (Value::Object(object), [Hop::Field(key), rest @ ..], _) => {
                path.push(PathSegment::Field(key.to_string()));
                let Some(inner) = object.get(key) else { return path };
                (value, hops) = (inner, rest);
            }
            (Value::Object(_), [Hop::Is(_), rest @ ..], _) => hops = rest,
            _ => return path,
        }
    }
}

/// What a representation takes of a value. A null is sent, what is absent is not.
fn required(inside: &[Require], value: &Value) -> Option<Value> {
    match value {
        Value::Null => Some(Value::Null),
        Value::List(values) => {
            let there = values.iter().filter(|value| **value != Value::Null);
            let values = there.filter_map(|value| required(inside, value));
            Some(Value::List(values.collect()))
        }
        Value::Object(object) if !inside.is_empty() => required_object(inside, object),
        Value::Object(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_) => Some(value.clone()),
    }
}

/// What a representation takes of an object; none if only its type's name is there.
fn required_object(inside: &[Require], object: &IndexMap<Name, Value>) -> Option<Value> {
    let mut taken = IndexMap::with_capacity(inside.len().saturating_add(1));
    take(inside, object, &mut taken);
    let has_name = usize::from(taken.contains_key(TYPENAME));
    (taken.len() > has_name).then_some(Value::Object(taken))
}

fn take(inside: &[Require], object: &IndexMap<Name, Value>, taken: &mut IndexMap<Name, Value>) {
    for part in inside {
        match part {
            Require::Field { from, to, inside } => {
                let value = object.get(from).or_else(|| object.get(to));
                if let Some(value) = value.and_then(|value| required(inside, value)) {
                    taken.insert(to.clone(), value);
                }
            }
            Require::Fragment { types, inside } => {
                if is_of(object, types) {
                    take(inside, object, taken);
                }
            }
        }
    }
}

fn fingerprint(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher);
    hasher.finish()
}

fn feed(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::Boolean(flag) => flag.hash(hasher),
        Value::Binary(bytes) => bytes.hash(hasher),
        Value::Enum(name) => name.as_str().hash(hasher),
        Value::List(values) => {
            values.len().hash(hasher);
            for value in values {
                feed(value, hasher);
            }
        }
        Value::Object(fields) => {
            fields.len().hash(hasher);
            for (key, value) in fields {
                key.as_str().hash(hasher);
                feed(value, hasher);
            }
        }
    }
}
