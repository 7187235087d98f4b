//! Schemas: in one form, compared, and what a difference means to a reader.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Levels of types within types that are unfolded; ours have three.
const DEPTH_MAX: usize = 16;
/// What describes and promises nothing.
const WORDS: &[&str] = &["title", "description", "examples", "$schema", "$comment", "$defs"];

/// A schema with its definitions where they are used, so that every field says what it is.
pub fn whole(schema: &Value) -> Value {
    let definitions = schema.get("$defs").cloned().unwrap_or_default();
    let mut whole = unfolded(schema, &definitions, 0);
    if let Value::Object(fields) = &mut whole {
        fields.remove("$defs");
    }
    whole
}

fn unfolded(schema: &Value, definitions: &Value, depth: usize) -> Value {
    match schema {
        Value::Object(fields) if depth < DEPTH_MAX => {
            let mut own: Map<String, Value> = Map::new();
            for (name, value) in fields.iter().filter(|(name, _)| *name != "$ref") {
                own.insert(name.clone(), unfolded(value, definitions, depth.saturating_add(1)));
            }
            let name = fields.get("$ref").and_then(Value::as_str);
            let target = name
                .and_then(|name| name.strip_prefix("#/$defs/"))
                .and_then(|name| definitions.get(name));
            if let Some(Value::Object(target)) =
                target.map(|target| unfolded(target, definitions, depth.saturating_add(1)))
            {
                // What stands beside a reference is said of this use of it, so it wins.
                for (name, value) in target {
                    own.entry(name).or_insert(value);
                }
            }
            Value::Object(own)
        }
        Value::Array(items) => Value::Array(
            items.iter().map(|item| unfolded(item, definitions, depth.saturating_add(1))).collect(),
        ),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            schema.clone()
        }
    }
}

/// What a schema promises: without the words that only explain it, and in one order.
pub fn promise(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut kept: Vec<(&String, &Value)> = fields.iter().collect();
            // A field of an event may be called `title`: only what stands beside a type is a word.
            let is_schema = fields.contains_key("type") || fields.contains_key("$schema");
            kept.retain(|(name, value)| {
                !(WORDS.contains(&name.as_str()) && (is_schema || value.is_string()))
            });
            kept.sort_by_key(|(name, _)| name.as_str());
            let promised = |(name, value): (&String, &Value)| {
                let value = if name == "required" { sorted(value) } else { promise(value) };
                (name.clone(), value)
            };
            Value::Object(kept.into_iter().map(promised).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(promise).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

fn sorted(value: &Value) -> Value {
    let mut texts: Vec<Value> = value.as_array().cloned().unwrap_or_default();
    texts.sort_by_key(ToString::to_string);
    Value::Array(texts)
}

/// Fingerprint of what a schema promises.
pub fn fingerprint(schema: &Value) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(promise(schema).to_string().as_bytes()) {
        text.extend([format!("{byte:02x}")]);
    }
    text
}

/// A difference between two versions of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field, from the root: `payer.owner_name`.
    pub field: String,
    /// What happened to it.
    pub what: &'static str,
    /// Whether a reader of the old version may break on the new one.
    pub breaks: bool,
}

impl Difference {
    /// In words.
    pub fn sentence(&self) -> String {
        format!("the field `{}` {}", self.field, self.what)
    }
}

/// What is different in `new`, field by field.
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", &promise(old), &promise(new), &mut found);
    found
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    let mut differs = |field: &str, what: &'static str, breaks: bool| {
        let field = if field.is_empty() { "(the whole body)" } else { field };
        found.push(Difference { field: field.to_owned(), what, breaks });
    };
    for name in keys(old, "required").difference(&keys(new, "required")) {
        if keys(new, "properties").contains(name) {
            differs(&joined(path, name), "may be missing", true);
        }
    }
    let (before, after) = (keys(old, "properties"), keys(new, "properties"));
    before.difference(&after).for_each(|name| differs(&joined(path, name), "is gone", true));
    after.difference(&before).for_each(|name| differs(&joined(path, name), "is new", false));
    let (values, wider) = (keys(old, "enum"), keys(new, "enum"));
    if values.difference(&wider).next().is_some() {
        differs(path, "has lost values", false);
    }
    if wider.difference(&values).next().is_some() && !values.is_empty() {
        differs(path, "has new values, and every reader must take them", false);
    }
    if rest(old) != rest(new) {
        differs(path, "has another type or form", true);
    }
    for name in before.intersection(&after) {
        let field = |schema: &Value| {
            schema.pointer("/properties").and_then(|it| it.get(name)).cloned().unwrap_or_default()
        };
        compare(&joined(path, name), &field(old), &field(new), found);
    }
}

/// What is not compared by its parts.
fn rest(schema: &Value) -> Value {
    let mut rest = schema.clone();
    if let Value::Object(fields) = &mut rest {
        for part in ["properties", "required", "enum"] {
            fields.remove(part);
        }
    }
    rest
}

/// Names of an object, texts of a list.
fn keys(schema: &Value, part: &str) -> BTreeSet<String> {
    match schema.get(part) {
        Some(Value::Object(fields)) => fields.keys().cloned().collect(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned)).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// JSON as it is committed: indented, in one order, with a line break at the end.
pub fn pretty(value: &Value) -> String {
    format!("{:#}\n", ordered(value))
}

/// The same with the names of every object in order.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let pair =
                |name: &String| (name.clone(), fields.get(name).map(ordered).unwrap_or_default());
            Value::Object(names.into_iter().map(pair).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(ordered).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "written in place by every caller")]
    fn of(properties: Value, required: &[&str]) -> Value {
        json!({ "type": "object", "title": "T", "properties": properties, "required": required })
    }

    fn said(old: &Value, new: &Value) -> Vec<(String, bool)> {
        let say = |it: &Difference| (format!("{} {}", it.field, it.what), it.breaks);
        differences(old, new).iter().map(say).collect()
    }

    #[test]
    fn a_difference_is_named_by_its_field_and_says_whether_it_breaks() {
        let text = || json!({ "type": "string" });
        let old = of(json!({ "a": text(), "b": text() }), &["a", "b"]);
        let grown = of(json!({ "a": text(), "b": text(), "c": { "type": "null" } }), &["a", "b"]);
        assert_eq!(said(&old, &grown), [("c is new".to_owned(), false)]);
        assert_eq!(said(&grown, &old), [("c is gone".to_owned(), true)]);
        let retyped =
            of(json!({ "a": { "type": "integer" }, "b": { "type": "string" } }), &["b", "a"]);
        assert_eq!(said(&old, &retyped), [("a has another type or form".to_owned(), true)]);
        let looser = of(json!({ "a": { "type": "string" }, "b": { "type": "string" } }), &["a"]);
        assert_eq!(said(&old, &looser), [("b may be missing".to_owned(), true)]);
    }

    #[test]
    fn a_field_within_a_field_is_named_from_the_root() {
        let inner = |field: &str| {
            of(json!({ "payer": of(json!({ field: { "type": "string" } }), &[]) }), &[])
        };
        let said = said(&inner("name"), &inner("nome"));
        assert_eq!(
            said,
            [("payer.name is gone".to_owned(), true), ("payer.nome is new".to_owned(), false)]
        );
    }

    #[test]
    fn words_and_order_promise_nothing() {
        let plain = of(json!({ "a": { "type": "string" } }), &["a"]);
        let mut told = plain.clone();
        told["description"] = json!("words");
        told["properties"]["a"]["description"] = json!("more words");
        assert_eq!(fingerprint(&plain), fingerprint(&told));
        let titled = of(json!({ "title": { "type": "string" } }), &["title"]);
        assert_ne!(fingerprint(&titled), fingerprint(&of(json!({}), &["title"])));
    }

    #[test]
    fn definitions_stand_where_they_are_used() {
        let schema = json!({
            "$defs": { "Money": { "type": "string", "description": "of all" } },
            "properties": { "held": { "$ref": "#/$defs/Money", "description": "of this" } },
        });
        let expected =
            json!({ "properties": { "held": { "type": "string", "description": "of this" } } });
        assert_eq!(whole(&schema), expected);
    }
}
