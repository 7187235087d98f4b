//! Versions.

use contracts::versions::{self, Frozen, broken_promises};
use contracts::{Catalogue, EventDoc, Tree, site};
use serde_json::{Value, json};

use crate::support::{code, committed, names, none};

const NAME: &str = "AmountHeld";
const FOLDER: &str = "domains/Banking/services/BankingService/events/AmountHeld";

/// The event, to be changed.
fn event(code: &mut Catalogue) -> &mut EventDoc {
    code.events.iter_mut().find(|event| event.entry.name == NAME).unwrap()
}

/// The code as it would be after this change of one schema.
fn changed(edit: impl FnOnce(&mut Value)) -> Catalogue {
    let mut code = code();
    edit(&mut event(&mut code).schema);
    code
}

#[test]
fn nothing_that_was_promised_is_different() {
    none(&broken_promises(&code(), &committed()).unwrap());
}

#[test]
fn a_field_that_is_gone_is_named_and_wants_a_new_type() {
    let code = changed(|schema| {
        schema["properties"].as_object_mut().unwrap().remove("payee_key");
    });
    let found = broken_promises(&code, &committed()).unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    names(
        &found,
        &[NAME, "1.0.0", "`payee_key` is gone", "AmountHeldV2", "(2, 0)", "cargo xtask catalog"],
    );
    let refused = site::generate(&code, &committed()).unwrap_err().to_string();
    assert!(refused.contains("`payee_key` is gone"), "{refused}");
}

#[test]
fn a_field_within_a_field_and_a_new_type_are_named() {
    let code = changed(|schema| {
        schema["properties"]["amount"]["properties"]["amount"]["type"] = json!("number");
    });
    names(&broken_promises(&code, &committed()).unwrap(), &["`amount.amount` has another type"]);
}

#[test]
fn a_new_field_wants_the_next_second_number() {
    let code = changed(|schema| schema["properties"]["channel"] = json!({ "type": "string" }));
    let found = broken_promises(&code, &committed()).unwrap();
    names(&found, &[NAME, "`channel` is new", "(1, 1)"]);
}

#[test]
fn other_words_break_no_promise() {
    let code =
        changed(|schema| schema["properties"]["amount"]["description"] = json!("Otherwise."));
    none(&broken_promises(&code, &committed()).unwrap());
}

/// The code and the catalogue after an addition under a new second number.
fn grown() -> (Catalogue, Tree) {
    let mut code = changed(|schema| schema["properties"]["channel"] = json!({ "type": "string" }));
    event(&mut code).entry.version = "1.1.0";
    let tree = site::generate(&code, &committed()).unwrap();
    (code, tree)
}

#[test]
fn a_new_version_sets_the_old_one_aside_for_ever() {
    let before = committed();
    let (code, mut tree) = grown();
    none(&broken_promises(&code, &tree).unwrap());
    for file in ["index.mdx", "schema.json", "example.json"] {
        let old = format!("{FOLDER}/versioned/1.0.0/{file}");
        assert_eq!(tree.get(&old), before.get(&format!("{FOLDER}/{file}")), "{file}");
    }
    let frozen = Frozen::of(&tree).unwrap();
    let event_type = "codepix.banking.AmountHeld.v1";
    assert!(frozen.get(event_type, "1.0.0").is_some() && frozen.get(event_type, "1.1.0").is_some());
    // From now on neither may change.
    let old = format!("{FOLDER}/versioned/1.0.0/schema.json");
    let text = tree.get(&old).unwrap().replacen("payee_key", "payee_kez", 2);
    tree.put(&old, text);
    names(&broken_promises(&code, &tree).unwrap(), &[&old, "old version never changes"]);
    tree.remove(&old);
    names(&broken_promises(&code, &tree).unwrap(), &[NAME, "1.0.0", "is gone"]);
}

#[test]
fn a_second_number_does_not_excuse_a_broken_promise() {
    let mut code = changed(|schema| {
        schema["properties"].as_object_mut().unwrap().remove("payee_key");
    });
    event(&mut code).entry.version = "1.1.0";
    names(&broken_promises(&code, &committed()).unwrap(), &[NAME, "`payee_key` is gone", "V2"]);
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
    tree.remove(versions::FILE);
    names(&site::stale(&code(), &tree).unwrap(), &[versions::FILE, "cargo xtask catalog"]);
}
