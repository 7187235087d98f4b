//! What a schema allows beside its example. One example has one value in each field; a reader must
//! take every other that its producer has promised it may send.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema;

/// Levels of objects within objects that are varied; ours have three.
const DEPTH_MAX: usize = 8;

/// A body that is the example but for one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// In words: `state` is "expired".
    pub what: String,
    /// The body.
    pub body: Value,
}

/// Values that examples have in fields of one name and schema, for fields that are null here.
#[derive(Clone, Debug, Default)]
pub struct Known(BTreeMap<(String, String), Value>);

impl Known {
    /// Remembers what stands in the fields of an example.
    pub fn remember(&mut self, schema: &Value, example: &Value) {
        let (schema, _) = schema::plain(&schema::promise(schema));
        for (name, field) in properties(&schema) {
            match example.get(name) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    let place = (name.clone(), field.to_string());
                    self.0.entry(place).or_insert_with(|| value.clone());
                }
            }
        }
    }

    fn get(&self, name: &str, field: &Value) -> Option<&Value> {
        self.0.get(&(name.to_owned(), field.to_string()))
    }
}

/// Every body that differs from the example in one field as the schema allows: each value of an
/// enumeration, null where it may be null, a value where the example has null, and without each
/// field that may be missing.
pub fn of(schema: &Value, example: &Value, known: &Known) -> Vec<Variant> {
    let mut found = Vec::new();
    let mut put = |path: &[String], value: Option<Value>| {
        let name = path.join(".");
        let what = match &value {
            Some(value) => format!("`{name}` is {value}"),
            None => format!("`{name}` is missing"),
        };
        let mut body = example.clone();
        set(&mut body, path, value);
        if body != *example {
            found.push(Variant { what, body });
        }
    };
    vary(&schema::promise(schema), example, &mut Vec::new(), known, &mut put);
    found
}

fn vary(
    schema: &Value,
    example: &Value,
    path: &mut Vec<String>,
    known: &Known,
    put: &mut dyn FnMut(&[String], Option<Value>),
) {
    let (schema, _) = schema::plain(schema);
    if path.len() >= DEPTH_MAX {
        return;
    }
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, field) in properties(&schema) {
        path.push(name.clone());
        let (whole, is_nullable) = schema::plain(field);
        if !required.iter().any(|it| it == name) {
            put(path, None);
        }
        if is_nullable {
            put(path, Some(Value::Null));
        }
        let values = whole.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        for value in values {
            put(path, Some(value));
        }
        let value = example.get(name).filter(|value| !value.is_null());
        match (value, known.get(name, field)) {
            (Some(value), _) => vary(field, value, path, known, put),
            (None, Some(value)) => put(path, Some(value.clone())),
            (None, None) => {}
        }
        path.pop();
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Puts a value at a path of fields, or takes it away.
fn set(body: &mut Value, path: &[String], value: Option<Value>) {
    let Some((last, outer)) = path.split_last() else { return };
    let mut place = Some(body);
    for name in outer {
        place = place.and_then(|inner| inner.get_mut(name));
    }
    if let Some(fields) = place.and_then(Value::as_object_mut) {
        match value {
            Some(value) => fields.insert(last.clone(), value),
            None => fields.remove(last),
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(schema: &Value, example: &Value, known: &Known) -> Vec<String> {
        of(schema, example, known).into_iter().map(|it| it.what).collect()
    }

    #[test]
    fn each_value_null_and_absence_that_a_schema_allows_is_a_variant() {
        let side = json!({ "oneOf": [
            { "type": "string", "const": "debit", "description": "x" },
            { "type": "string", "enum": ["credit"] },
        ] });
        let schema = json!({
            "type": "object",
            "required": ["side", "note", "more"],
            "properties": {
                "side": side,
                "note": { "type": ["string", "null"] },
                "more": { "type": "object", "required": [], "properties": {
                    "kind": { "anyOf": [
                        { "type": "string", "enum": ["a", "b"] },
                        { "type": "null" },
                    ] },
                } },
            },
        });
        let example = json!({ "side": "debit", "note": "x", "more": { "kind": "a" } });
        let found = of(&schema, &example, &Known::default());
        let mut what: Vec<&str> = found.iter().map(|it| it.what.as_str()).collect();
        what.sort_unstable();
        assert_eq!(
            what,
            [
                "`more.kind` is \"b\"",
                "`more.kind` is missing",
                "`more.kind` is null",
                "`note` is null",
                "`side` is \"credit\"",
            ]
        );
        let other = found.iter().find(|it| it.what.contains("\"b\"")).unwrap();
        assert_eq!(other.body, json!({ "side": "debit", "note": "x", "more": { "kind": "b" } }));
    }

    #[test]
    fn what_is_null_here_has_the_value_of_another_example() {
        let schema = json!({
            "type": "object",
            "required": ["at"],
            "properties": { "at": { "type": ["string", "null"], "description": "here" } },
        });
        let mut known = Known::default();
        assert_eq!(said(&schema, &json!({ "at": null }), &known), Vec::<String>::new());
        let mut other = schema.clone();
        other["properties"]["at"]["description"] = json!("there");
        known.remember(&other, &json!({ "at": "today" }));
        assert_eq!(said(&schema, &json!({ "at": null }), &known), ["`at` is \"today\""]);
        // Of another type it is another field.
        let mut other = schema;
        other["properties"]["at"]["type"] = json!(["integer", "null"]);
        assert_eq!(said(&other, &json!({ "at": null }), &known), Vec::<String>::new());
    }
}
