//! Examples and schemas.

use std::collections::BTreeSet;

use codepix::config::ContextName;
use contracts::history;
use contracts::registry::contested;
use serde_json::{Value, json};

use crate::support::{code, committed, names, none};

fn faults(schema: &Value, body: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(body).map(|error| error.to_string()).collect()
}

#[test]
fn every_example_is_valid_by_its_schema() {
    for event in code().events {
        let faults = faults(&event.schema, &event.example);
        assert!(faults.is_empty(), "{}: {faults:?}", event.entry.event_type);
    }
}

#[test]
fn every_old_example_is_valid_by_the_schema_of_its_own_version() {
    let (code, tree) = (code(), committed());
    for old in history::old_versions(&code, &tree).unwrap() {
        let (name, version) = (old.event.entry.event_type, &old.version);
        let body = old.record().unwrap()["value"].clone();
        let faults_of = |body: &Value| faults(&old.schema, body);
        assert!(faults_of(&body).is_empty(), "{name} {version}: {:?}", faults_of(&body));
        let required = old.schema["required"][0].as_str().unwrap();
        let mut lacking = body;
        lacking.as_object_mut().unwrap().remove(required);
        assert!(!faults_of(&lacking).is_empty(), "{name} {version} may lack {required}");
    }
}

#[test]
fn an_example_that_lacks_a_field_or_has_another_type_is_not() {
    for event in code().events {
        let name = event.entry.event_type;
        let fields: Vec<String> = event.example.as_object().unwrap().keys().cloned().collect();
        assert!(!fields.is_empty(), "{name}");
        for field in fields {
            let mut lacking = event.example.clone();
            lacking.as_object_mut().unwrap().remove(&field);
            let required = event.schema["required"].as_array().unwrap().contains(&json!(field));
            assert_eq!(!faults(&event.schema, &lacking).is_empty(), required, "{name}: {field}");
            let mut retyped = event.example.clone();
            retyped[&field] = json!(["not this"]);
            assert!(!faults(&event.schema, &retyped).is_empty(), "{name}: {field} takes anything");
        }
    }
}

#[test]
fn names_and_types_are_unique_and_well_formed() {
    let mut types = BTreeSet::new();
    for event in code().events {
        let entry = event.entry;
        assert!(types.insert(entry.event_type), "{} is there twice", entry.event_type);
        let major = entry.version.split('.').next().unwrap();
        let tail = format!(".{}.v{major}", entry.name);
        assert!(entry.event_type.starts_with("codepix."), "{}", entry.event_type);
        assert!(entry.event_type.ends_with(&tail), "{} is not …{tail}", entry.event_type);
        assert!(!entry.channels.is_empty(), "{} stands nowhere", entry.event_type);
        let described = event.schema["description"].as_str().unwrap_or_default();
        assert!(described.len() > 10, "{} says nothing of itself", entry.event_type);
    }
}

#[test]
fn a_name_is_of_one_context() {
    let mut code = code();
    none(&contested(&code));
    let mut stolen = code.events[0].clone();
    stolen.context = ContextName::ALL.into_iter().find(|it| *it != stolen.context).unwrap();
    let name = stolen.entry.name;
    code.events.push(stolen);
    names(&contested(&code), &[name, "a name is one context's"]);
}

#[test]
fn what_an_event_of_ours_always_has_is_promised() {
    let code = code();
    for (name, field) in [
        ("TransferPending", "confirmed_at"),
        ("TransferConfirmed", "payer_report"),
        ("ParticipantEnrolled", "position_limit"),
    ] {
        let event = code.events.iter().find(|event| event.entry.name == name).unwrap();
        assert!(event.schema["required"].as_array().unwrap().contains(&json!(field)), "{name}");
    }
}

#[test]
fn a_field_says_what_it_is() {
    for event in code().events {
        for (field, schema) in event.schema["properties"].as_object().unwrap() {
            let words = schema["description"].as_str().unwrap_or_default();
            assert!(!words.is_empty(), "{}: {field} has no words", event.entry.event_type);
        }
    }
}
