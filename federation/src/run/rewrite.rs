//! Changes that the planner wants in what is sent or answered: a type's name, a field's key.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};

use super::represent::is_of;
use crate::plan::{Change, Key, Rewrite};

/// Applies changes to a value.
pub(crate) fn rewrite(rewrites: &[Rewrite], value: &mut Value) {
    for rewrite in rewrites {
        along(&rewrite.path, &rewrite.change, value);
    }
}

fn along(path: &[Key], change: &Change, value: &mut Value) {
    if let Value::List(values) = value {
        for value in values {
            along(path, change, value);
        }
        return;
    }
    let Value::Object(object) = value else { return };
    match path {
        [Key::Is(types), rest @ ..] => {
            if is_of(object, types) {
                along(rest, change, value);
            }
        }
        [Key::Field(key)] => apply(key, change, object),
        [Key::Field(key), rest @ ..] => {
            if let Some(inner) = object.get_mut(key) {
                along(rest, change, inner);
            }
        }
        [] => {}
    }
}

fn apply(key: &Name, change: &Change, object: &mut IndexMap<Name, Value>) {
    match change {
        Change::Set(value) => {
            if let Some(there) = object.get_mut(key) {
                *there = Value::String(value.clone());
            }
        }
        Change::Rename(new) => {
            if let Some(value) = object.swap_remove(key) {
                object.insert(new.clone(), value);
            }
        }
    }
}

/// The key that the client knows, for one that only the plan knows.
pub(crate) fn renamed<'a>(rewrites: &'a [Rewrite], key: &str) -> Option<&'a str> {
    rewrites.iter().find_map(|rewrite| match (rewrite.path.last(), &rewrite.change) {
        (Some(Key::Field(from)), Change::Rename(to)) if from.as_str() == key => Some(to.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use async_graphql::value;

    use super::*;

    fn key(name: &str) -> Key {
        Key::Field(Name::new(name))
    }

    #[test]
    fn a_key_is_renamed_in_objects_of_its_type_and_in_lists_of_them() {
        let types = Arc::new(HashSet::from(["Book".to_owned()]));
        let path = vec![key("items"), Key::Is(types), key("internal")];
        let rewrites = [Rewrite { path, change: Change::Rename(Name::new("title")) }];
        let mut value = value!({ "items": [
            { "__typename": "Book", "internal": 1 }, { "__typename": "Film", "internal": 2 }
        ] });
        rewrite(&rewrites, &mut value);
        let wanted = value!({ "items": [
            { "__typename": "Book", "title": 1 }, { "__typename": "Film", "internal": 2 }
        ] });
        assert_eq!(value, wanted);
        assert_eq!(renamed(&rewrites, "internal"), Some("title"));
        assert_eq!(renamed(&rewrites, "items"), None);
    }

    #[test]
    fn a_value_is_set_only_where_there_is_one() {
        let change = || Change::Set("Media".to_owned());
        let rewrites = [Rewrite { path: vec![key("__typename")], change: change() }];
        let mut present = value!({ "__typename": "Book" });
        rewrite(&rewrites, &mut present);
        assert_eq!(present, value!({ "__typename": "Media" }));
        let mut absent = value!({ "id": 1 });
        rewrite(&rewrites, &mut absent);
        assert_eq!(absent, value!({ "id": 1 }));
    }
}
