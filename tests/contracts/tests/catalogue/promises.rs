//! Versions.

use contracts::frozen::{Book, Frozen, number_of};
use contracts::versions::broken_promises;
use contracts::{Catalogue, EventDoc, Tree, site};
use serde_json::{Value, json};

use crate::support::{code, committed, names, none};

const NAME: &str = "AmountHeld";
const FOLDER: &str = "domains/Banking/services/BankingService/events/AmountHeld";
/// A field that no event has.
const NEW: &str = "field_of_this_test";

/// The newest event of the name, to be changed.
fn event(code: &mut Catalogue) -> &mut EventDoc {
    let own = code.events.iter_mut().filter(|event| event.entry.name == NAME);
    own.max_by_key(|event| number_of(event.entry.version)).unwrap()
}

/// What the tests break: whatever version the event has by now.
struct Subject {
    event_type: &'static str,
    version: &'static str,
    major: u32,
    /// Its version after an addition, as it is written in `published.rs` and as it is.
    next: (String, &'static str),
    /// A field that is always there.
    field: String,
    /// A field within a field.
    inner: (String, String),
}

fn subject() -> Subject {
    let mut code = code();
    let event = event(&mut code);
    let numbers = number_of(event.entry.version);
    let (major, minor) = (numbers[0], numbers[1].saturating_add(1));
    let fields = event.schema["properties"].as_object().unwrap();
    let inner = fields.iter().find_map(|(name, schema)| {
        let (inner, _) = schema.get("properties")?.as_object()?.iter().next()?;
        Some((name.clone(), inner.clone()))
    });
    Subject {
        event_type: event.entry.event_type,
        version: event.entry.version,
        major,
        next: (format!("({major}, {minor})"), format!("{major}.{minor}.0").leak()),
        field: event.schema["required"][0].as_str().unwrap().to_owned(),
        inner: inner.unwrap(),
    }
}

/// The code as it would be after this change of one schema.
fn changed(edit: impl FnOnce(&mut Value)) -> Catalogue {
    let mut code = code();
    edit(&mut event(&mut code).schema);
    code
}

/// The code without that field.
fn without(field: &str) -> Catalogue {
    changed(|schema| {
        schema["properties"].as_object_mut().unwrap().remove(field);
    })
}

/// The code with a field more.
fn with_more() -> Catalogue {
    changed(|schema| schema["properties"][NEW] = json!({ "type": "string" }))
}

#[test]
fn nothing_that_was_promised_is_different() {
    none(&broken_promises(&code(), &committed()).unwrap());
}

#[test]
fn a_field_that_is_gone_is_named_and_wants_a_new_type() {
    let Subject { version, major, field, .. } = subject();
    let code = without(&field);
    let found = broken_promises(&code, &committed()).unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    let next = major + 1;
    let (gone, beside) = (format!("`{field}` is gone"), format!("{NAME}V{next} as ({next}, 0)"));
    names(&found, &[NAME, version, &gone, &beside, "cargo xtask catalog"]);
    let refused = site::generate(&code, &committed()).unwrap_err().to_string();
    assert!(refused.contains(&gone), "{refused}");
}

#[test]
fn a_field_within_a_field_and_a_new_type_are_named() {
    let (outer, inner) = subject().inner;
    let code = changed(|schema| {
        schema["properties"][&outer]["properties"][&inner]["type"] = json!("array");
    });
    let another = format!("`{outer}.{inner}` has another type");
    names(&broken_promises(&code, &committed()).unwrap(), &[&another]);
}

#[test]
fn a_new_field_wants_the_next_second_number() {
    let found = broken_promises(&with_more(), &committed()).unwrap();
    let Subject { next: (next, _), .. } = subject();
    names(&found, &[NAME, &format!("`{NEW}` is new"), &next]);
}

#[test]
fn other_words_break_no_promise() {
    let field = subject().field;
    let code = changed(|schema| schema["properties"][&field]["description"] = json!("Otherwise."));
    none(&broken_promises(&code, &committed()).unwrap());
}

/// The code and the catalogue after an addition under a new second number.
fn grown() -> (Catalogue, Tree) {
    let mut code = with_more();
    event(&mut code).entry.version = subject().next.1;
    let tree = site::generate(&code, &committed()).unwrap();
    (code, tree)
}

#[test]
fn a_new_version_sets_the_old_one_aside_for_ever() {
    let Subject { event_type, version, next: (_, next), field, .. } = subject();
    let before = committed();
    let (code, mut tree) = grown();
    none(&broken_promises(&code, &tree).unwrap());
    for file in ["index.mdx", "schema.json", "example.json"] {
        let old = format!("{FOLDER}/versioned/{version}/{file}");
        assert_eq!(tree.get(&old), before.get(&format!("{FOLDER}/{file}")), "{file}");
    }
    let frozen = Frozen::of(Book::Schemas, &tree).unwrap();
    assert!(frozen.get(event_type, version).is_some() && frozen.get(event_type, next).is_some());
    let examples = Frozen::of(Book::Examples, &tree).unwrap();
    assert!(examples.get(event_type, version).is_some(), "what is read for ever is kept");
    assert!(examples.get(event_type, next).is_none(), "what the code makes may be told better");
    // From now on neither may change.
    let old = format!("{FOLDER}/versioned/{version}/schema.json");
    let text = tree.get(&old).unwrap().replace(&format!("\"{field}\""), "\"otherwise\"");
    tree.put(&old, text);
    names(&broken_promises(&code, &tree).unwrap(), &[&old, "old version never changes"]);
    tree.remove(&old);
    names(&broken_promises(&code, &tree).unwrap(), &[NAME, version, "is gone"]);
}

#[test]
fn the_page_of_an_old_version_stays() {
    let (code, whole) = grown();
    let version = subject().version;
    let old = format!("{FOLDER}/versioned/{version}/index.mdx");
    for (from, to) in [
        (format!("version: {version}"), "version: 9.0.0".to_owned()),
        (format!("id: {NAME}"), "id: Otherwise".to_owned()),
    ] {
        let mut tree = whole.clone();
        let text = tree.get(&old).unwrap().replacen(&from, &to, 1);
        assert_ne!(Some(text.as_str()), tree.get(&old), "{from}");
        tree.put(&old, text);
        names(&broken_promises(&code, &tree).unwrap(), &[&old, NAME, version]);
    }
    let mut tree = whole;
    tree.remove(&old);
    names(&broken_promises(&code, &tree).unwrap(), &["the page", NAME, version, "is gone"]);
}

#[test]
fn an_old_example_cannot_be_made_to_fit() {
    let (code, whole) = grown();
    let version = subject().version;
    let old = format!("{FOLDER}/versioned/{version}/example.json");
    let mut tree = whole.clone();
    let text = tree.get(&old).unwrap().replacen("\"value\": {", "\"value\": { \"more\": 1,", 1);
    assert_ne!(Some(text.as_str()), tree.get(&old));
    tree.put(&old, text);
    names(&broken_promises(&code, &tree).unwrap(), &[&old, "not what was frozen", "the reader"]);
    tree.remove(&old);
    names(&broken_promises(&code, &tree).unwrap(), &["the example", NAME, version, "is gone"]);
    // Nor without its line: it would be written anew, and so it is missed.
    let mut tree = whole;
    tree.remove(Book::Examples.file());
    names(&site::stale(&code, &tree).unwrap(), &[Book::Examples.file(), "cargo xtask catalog"]);
}

#[test]
fn a_second_number_does_not_excuse_a_broken_promise() {
    let Subject { field, next: (_, next), .. } = subject();
    let mut code = without(&field);
    event(&mut code).entry.version = next;
    let gone = format!("`{field}` is gone");
    names(&broken_promises(&code, &committed()).unwrap(), &[NAME, &gone, "beside it"]);
}

#[test]
fn an_event_that_nobody_sends_any_more_is_missed() {
    let mut code = code();
    code.events.retain(|event| event.entry.name != NAME);
    names(&broken_promises(&code, &committed()).unwrap(), &[NAME, "in no registry", "deprecated"]);
}

#[test]
fn every_event_is_frozen_once_it_is_written() {
    let mut tree = committed();
    tree.remove(Book::Schemas.file());
    names(&site::stale(&code(), &tree).unwrap(), &[Book::Schemas.file(), "cargo xtask catalog"]);
}
