//! Schemas: in one form, compared, and what a difference means to a reader.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
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
            kept.retain(|(name, _)| !WORDS.contains(&name.as_str()));
            kept.sort_by_key(|(name, _)| name.as_str());
            Value::Object(kept.into_iter().map(promised).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(promise).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// A word of a schema and what stands behind it.
fn promised((word, value): (&String, &Value)) -> (String, Value) {
    let promised = match (word.as_str(), value) {
        ("required", _) => sorted(value),
        // What stands in here are names of fields: one may be called `title`, or `required`.
        ("properties", Value::Object(fields)) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            let own = |(name, field): (&String, &Value)| (name.clone(), promise(field));
            Value::Object(fields.into_iter().map(own).collect())
        }
        // And these are values of the event.
        ("enum" | "const", _) => value.clone(),
        _ => promise(value),
    };
    (word.clone(), promised)
}

fn sorted(value: &Value) -> Value {
    let mut texts: Vec<Value> = value.as_array().cloned().unwrap_or_default();
    texts.sort_by_key(ToString::to_string);
    Value::Array(texts)
}

/// Fingerprint of what a schema promises.
pub fn fingerprint(schema: &Value) -> String {
    sha256(&promise(schema).to_string())
}

/// Digest of a text, as `sha256sum` prints it.
pub fn sha256(text: &str) -> String {
    let mut digest = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        digest.extend([format!("{byte:02x}")]);
    }
    digest
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
    if found.is_empty() && promise(old) != promise(new) {
        let (field, what) = (WHOLE.to_owned(), "says the same in another form");
        found.push(Difference { field, what, breaks: false });
    }
    found
}

/// In place of a field's name.
const WHOLE: &str = "(the whole body)";

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    let ((old, was_nullable), (new, is_nullable)) = (plain(old), plain(new));
    let (old, new) = (&old, &new);
    let mut differs = |field: &str, what: &'static str, breaks: bool| {
        let field = if field.is_empty() { WHOLE } else { field };
        found.push(Difference { field: field.to_owned(), what, breaks });
    };
    let (before, after) = (keys(old, "properties"), keys(new, "properties"));
    let (was_there, is_there) = (keys(old, "required"), keys(new, "required"));
    for name in was_there.difference(&is_there).filter(|name| after.contains(*name)) {
        differs(&joined(path, name), "may be missing", true);
    }
    for name in is_there.difference(&was_there).filter(|name| before.contains(*name)) {
        differs(&joined(path, name), "is never missing any more", false);
    }
    before.difference(&after).for_each(|name| differs(&joined(path, name), "is gone", true));
    after.difference(&before).for_each(|name| differs(&joined(path, name), "is new", false));
    match (was_nullable, is_nullable) {
        (false, true) => differs(path, "may be null", true),
        (true, false) => differs(path, "is never null any more", false),
        (true, true) | (false, false) => {}
    }
    let (values, wider) = (keys(old, "enum"), keys(new, "enum"));
    if !values.is_empty() && wider.is_empty() {
        differs(path, "may be anything", true);
    } else if values.is_empty() && !wider.is_empty() {
        differs(path, "is one of certain values", false);
    } else {
        if values.difference(&wider).next().is_some() {
            differs(path, "has lost values", false);
        }
        if wider.difference(&values).next().is_some() {
            differs(path, "has new values, and every reader must take them", false);
        }
    }
    let is_list = |schema: &Value| schema.get("items").is_some_and(Value::is_object);
    let lists = is_list(old) && is_list(new);
    if rest(old, lists) != rest(new, lists) {
        differs(path, "has another type or form", true);
    }
    for name in before.intersection(&after) {
        let field = |schema: &Value| {
            schema.pointer("/properties").and_then(|it| it.get(name)).cloned().unwrap_or_default()
        };
        compare(&joined(path, name), &field(old), &field(new), found);
    }
    if lists {
        let items = |schema: &Value| schema.get("items").cloned().unwrap_or_default();
        compare(&format!("{path}[]"), &items(old), &items(new), found);
    }
}

/// A schema as it is compared, and whether null is a value of it: `Option` and enumerations have
/// several forms, and which one it is depends on the words that stand beside.
pub(crate) fn plain(schema: &Value) -> (Value, bool) {
    let Value::Object(fields) = schema else { return (schema.clone(), false) };
    let (mut fields, mut is_nullable) = (fields.clone(), false);
    if let Some(Value::Array(forms)) = fields.remove("anyOf") {
        let (nulls, mut others): (Vec<Value>, Vec<Value>) =
            forms.into_iter().partition(|form| form.get("type") == Some(&json!("null")));
        is_nullable = !nulls.is_empty();
        match (others.len(), others.pop()) {
            (1, Some(Value::Object(only))) => {
                for (name, value) in only {
                    fields.entry(name).or_insert(value);
                }
            }
            (_, last) => {
                others.extend(last);
                fields.insert("anyOf".to_owned(), Value::Array(others));
            }
        }
    }
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        let all = types.len();
        types.retain(|it| it != "null");
        is_nullable |= types.len() < all;
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    let forms = fields.get("oneOf").and_then(Value::as_array);
    if let Some((kind, values)) = forms.and_then(|forms| values_of(forms)) {
        fields.remove("oneOf");
        fields.entry("type").or_insert(kind);
        fields.insert("enum".to_owned(), Value::Array(values));
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum").filter(|_| is_nullable) {
        values.retain(|value| !value.is_null());
    }
    (Value::Object(fields), is_nullable)
}

/// The type and the values of an enumeration that says something of each of its values.
fn values_of(forms: &[Value]) -> Option<(Value, Vec<Value>)> {
    let (mut kind, mut values) = (None, Vec::new());
    for form in forms {
        let own = form.get("type")?;
        if kind.get_or_insert(own) != &own {
            return None;
        }
        match (form.get("const"), form.get("enum")) {
            (Some(value), None) => values.push(value.clone()),
            (None, Some(Value::Array(several))) => values.extend(several.clone()),
            _ => return None,
        }
    }
    Some((kind?.clone(), values))
}

/// What is not compared by its parts.
fn rest(schema: &Value, lists: bool) -> Value {
    let mut rest = schema.clone();
    if let Value::Object(fields) = &mut rest {
        for part in ["properties", "required", "enum"] {
            fields.remove(part);
        }
        if lists {
            fields.remove("items");
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
        let stricter = [("b is never missing any more".to_owned(), false)];
        assert_eq!(said(&looser, &old), stricter);
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

    /// A body with one field of this schema.
    fn field(schema: Value) -> Value {
        of(Value::Object(std::iter::once(("a".to_owned(), schema)).collect()), &[])
    }

    /// The forms of a field that may be null.
    fn nullable(schema: &Value) -> [Value; 2] {
        let mut listed = schema.clone();
        listed["type"] = json!([schema["type"], "null"]);
        if let Some(values) = listed.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        [json!({ "anyOf": [schema, { "type": "null" }] }), listed]
    }

    #[test]
    fn a_field_within_an_object_that_may_be_null_is_named() {
        let text = json!({ "type": "string" });
        let whole = of(json!({ "name": text, "note": text }), &["name", "note"]);
        let less = of(json!({ "name": text }), &["name"]);
        let more = of(json!({ "name": text, "note": text, "x": text }), &["name", "note"]);
        for place in [0, 1] {
            let form = |schema: &Value| field(nullable(schema)[place].clone());
            let found = said(&form(&whole), &form(&less));
            assert_eq!(found, [("a.note is gone".to_owned(), true)], "{place}");
            let found = said(&form(&whole), &form(&more));
            assert_eq!(found, [("a.x is new".to_owned(), false)], "{place}");
        }
    }

    #[test]
    fn whether_null_is_possible_is_told() {
        let text = json!({ "type": "string" });
        for form in nullable(&text) {
            let may_be = said(&field(text.clone()), &field(form.clone()));
            assert_eq!(may_be, [("a may be null".to_owned(), true)], "{form}");
            let never = said(&field(form.clone()), &field(text.clone()));
            assert_eq!(never, [("a is never null any more".to_owned(), false)], "{form}");
        }
        let [one, other] = nullable(&text);
        let same = [("(the whole body) says the same in another form".to_owned(), false)];
        assert_eq!(said(&field(one), &field(other)), same);
    }

    /// The forms of an enumeration: without words, and with words on one value or on each.
    fn forms(values: &[&str]) -> [Value; 3] {
        let value = |value: &&str| json!({ "type": "string", "const": value, "description": "x" });
        let (first, rest) = values.split_first().unwrap();
        [
            json!({ "type": "string", "enum": values }),
            json!({ "oneOf": [{ "type": "string", "enum": rest }, value(first)] }),
            json!({ "oneOf": values.iter().map(value).collect::<Vec<_>>() }),
        ]
    }

    #[test]
    fn a_new_value_is_an_addition_in_whatever_form() {
        let new = [("a has new values, and every reader must take them".to_owned(), false)];
        let lost = [("a has lost values".to_owned(), false)];
        for old in forms(&["one", "two"]) {
            for wider in forms(&["one", "two", "three"]) {
                assert_eq!(said(&field(old.clone()), &field(wider.clone())), new, "{wider}");
                assert_eq!(said(&field(wider.clone()), &field(old.clone())), lost, "{wider}");
                for (old, wider) in nullable(&forms(&["one", "two"])[0])
                    .into_iter()
                    .zip(nullable(&forms(&["one", "two", "three"])[0]))
                {
                    assert_eq!(said(&field(old), &field(wider)), new);
                }
                let within = json!({ "anyOf": [wider, { "type": "null" }] });
                let before = json!({ "anyOf": [old, { "type": "null" }] });
                assert_eq!(said(&field(before), &field(within)), new);
            }
            let text = json!({ "type": "string" });
            let any = said(&field(old.clone()), &field(text.clone()));
            assert_eq!(any, [("a may be anything".to_owned(), true)], "{old}");
            let certain = said(&field(text), &field(old.clone()));
            assert_eq!(certain, [("a is one of certain values".to_owned(), false)], "{old}");
        }
    }

    #[test]
    fn alternatives_that_are_no_enumeration_break() {
        let one = json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] });
        let other = json!({ "oneOf": [{ "type": "string" }, { "type": "boolean" }] });
        let another = [("a has another type or form".to_owned(), true)];
        assert_eq!(said(&field(one), &field(other)), another);
        let (text, number) = (json!({ "type": "string" }), json!({ "type": "integer" }));
        for place in [0, 1] {
            let form = |schema: &Value| field(nullable(schema)[place].clone());
            assert_eq!(said(&form(&text), &form(&number)), another, "{place}");
        }
    }

    #[test]
    fn what_changes_within_a_list_is_named() {
        let list = |inner: Value| field(json!({ "type": "array", "items": inner }));
        let text = json!({ "type": "string" });
        let whole = list(of(json!({ "name": text }), &["name"]));
        let less = list(of(json!({}), &[]));
        assert_eq!(said(&whole, &less), [("a[].name is gone".to_owned(), true)]);
    }

    #[test]
    fn words_and_order_promise_nothing() {
        let plain = of(json!({ "a": { "type": "string" } }), &["a"]);
        let mut told = plain.clone();
        told["description"] = json!("words");
        told["properties"]["a"]["description"] = json!("more words");
        assert_eq!(fingerprint(&plain), fingerprint(&told));
    }

    #[test]
    fn a_field_may_be_called_as_a_word_of_schemas_is() {
        for name in ["title", "description", "examples", "type", "required", "enum", "properties"] {
            let with = |field: Value| {
                of(Value::Object(std::iter::once((name.to_owned(), field)).collect()), &[name])
            };
            let (text, number) = (json!({ "type": "string" }), json!({ "type": "integer" }));
            let gone = of(json!({}), &[]);
            assert_ne!(fingerprint(&with(text.clone())), fingerprint(&gone), "{name}");
            assert_eq!(said(&with(text.clone()), &gone), [(format!("{name} is gone"), true)]);
            let retyped = [(format!("{name} has another type or form"), true)];
            assert_eq!(said(&with(text.clone()), &with(number)), retyped);
            // Its own words promise nothing, whether its schema names a type or has several forms.
            for form in [text.clone(), json!({ "anyOf": [text, { "type": "null" }] })] {
                let mut told = form.clone();
                told["description"] = json!("words");
                told["examples"] = json!(["a"]);
                assert_eq!(fingerprint(&with(form)), fingerprint(&with(told)), "{name}");
            }
        }
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
