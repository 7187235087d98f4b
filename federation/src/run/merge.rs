//! Joins two answers about the same object.

use async_graphql::Value;

/// Merges what is new into what is there; a null takes nothing away.
pub(crate) fn merge(into: &mut Value, new: Value) {
    match (into, new) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(new)) => {
            for (key, value) in new {
                match into.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (Value::List(into), Value::List(new)) if into.len() == new.len() => {
            for (there, value) in into.iter_mut().zip(new) {
                merge(there, value);
            }
        }
        (into, new) => *into = new,
    }
}

/// Merges two projections of one value; null in either is null in both.
pub(crate) fn merge_shown(into: &mut Value, new: Value) {
    match (into, new) {
        (Value::Null, _) => {}
        (Value::Object(into), Value::Object(new)) => {
            for (key, value) in new {
                match into.get_mut(&key) {
                    Some(there) => merge_shown(there, value),
                    None => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (Value::List(into), Value::List(new)) if into.len() == new.len() => {
            for (there, value) in into.iter_mut().zip(new) {
                merge_shown(there, value);
            }
        }
        (into, new) => *into = new,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn objects_and_lists_of_one_length_join_and_null_takes_nothing_away() {
        let mut into = value!({ "a": 1, "list": [{ "x": 1 }, { "x": 2 }], "kept": { "k": 1 } });
        merge(&mut into, value!({ "b": 2, "list": [{ "y": 3 }, null], "kept": null }));
        let joined = value!({
            "a": 1, "list": [{ "x": 1, "y": 3 }, { "x": 2 }], "kept": { "k": 1 }, "b": 2
        });
        assert_eq!(into, joined);
    }

    #[test]
    fn a_shown_null_stays_null() {
        let mut into = value!({ "a": null, "b": { "x": 1 } });
        merge_shown(&mut into, value!({ "a": { "x": 1 }, "b": null }));
        assert_eq!(into, value!({ "a": null, "b": null }));
    }
}
