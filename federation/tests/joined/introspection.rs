//! The schema that clients see, as the reference implementation of GraphQL describes it.

use async_graphql::{Executor, Request};
use serde_json::{Value, json};

use crate::cases::errors_of;
use crate::shop::Shop;

const QUERY: &str = include_str!("../fixtures/introspection.graphql");
const EXPECTED: &str = include_str!("../fixtures/introspection.json");

/// Lists of named parts in one order; built-in scalars and directives, whose words are each
/// implementation's own, left out.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Array(parts) => {
            let mut parts: Vec<Value> =
                parts.iter().filter(|part| is_ours(part)).map(ordered).collect();
            parts.sort_by_key(|part| part["name"].as_str().map(ToOwned::to_owned));
            Value::Array(parts)
        }
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), ordered(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn is_ours(part: &Value) -> bool {
    let name = part["name"].as_str().unwrap_or_default();
    let is_scalar = ["Boolean", "Float", "ID", "Int", "String"].contains(&name);
    let is_directive = part.get("locations").is_some();
    let is_scalar_type = is_scalar && part.get("fields").is_some();
    let is_theirs = name.starts_with("__") || is_directive || is_scalar_type;
    !is_theirs
}

#[tokio::test]
async fn introspection_is_that_of_the_composed_schema() {
    let shop = Shop::here();
    let answer = shop.ask(QUERY, json!({})).await;
    assert_eq!(answer.get("errors"), None);
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let (found, expected) = (ordered(&answer["data"]), ordered(&expected));
    for root in ["queryType", "mutationType", "subscriptionType"] {
        assert_eq!(found["__schema"][root], expected["__schema"][root]);
    }
    let types = |of: &Value| of["__schema"]["types"].as_array().unwrap().clone();
    for (found, expected) in types(&found).iter().zip(&types(&expected)) {
        assert_eq!(found, expected);
    }
    assert_eq!(types(&found).len(), types(&expected).len());
    assert_eq!(shop.asked(), []);
}

#[tokio::test]
async fn the_schema_describes_itself_and_its_directives() {
    let shop = Shop::here();
    let answer = shop.ask(QUERY, json!({})).await;
    let names = |list: &str| -> Vec<String> {
        let list = answer["data"]["__schema"][list].as_array().unwrap().iter();
        list.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    for name in ["Boolean", "ID", "Int", "String", "__Schema", "__Type", "__TypeKind"] {
        assert!(names("types").contains(&name.to_owned()), "{name}");
    }
    for name in ["skip", "include", "deprecated", "specifiedBy", "oneOf"] {
        assert!(names("directives").contains(&name.to_owned()), "{name}");
    }
    for name in names("types").iter().chain(&names("directives")) {
        assert!(!name.starts_with("join__") && !name.starts_with("link"), "{name}");
    }
}

#[tokio::test]
async fn one_type_by_name_beside_data_and_with_conditions() {
    let query = r#"query($name: String!, $kind: Boolean!) {
        __type(name: $name) { __typename name kind @include(if: $kind) fields { name } }
        none: __type(name: "Missing") { name }
        product(id: "p-1") { name }
    }"#;
    let answer = Shop::here().ask(query, json!({ "name": "Bundle", "kind": false })).await;
    let wanted = json!({
        "__type": {
            "__typename": "__Type", "name": "Bundle",
            "fields": [{ "name": "id" }, { "name": "name" }, { "name": "products" }]
        },
        "none": null,
        "product": { "name": "Product 1" }
    });
    assert_eq!(answer["data"], wanted);
}

#[tokio::test]
async fn deprecated_fields_and_hidden_values_are_left_out() {
    let query = r#"{
        query: __type(name: "Query") { fields { name } }
        category: __type(name: "Category") { enumValues { name } }
    }"#;
    let answer = Shop::here().ask(query, json!({})).await;
    let fields = answer["data"]["query"]["fields"].to_string();
    assert!(fields.contains("products") && !fields.contains("firstProduct"), "{fields}");
    let values = &answer["data"]["category"]["enumValues"];
    assert_eq!(*values, json!([{ "name": "BOOK" }, { "name": "TOY" }]));
}

#[tokio::test]
async fn introspection_can_be_switched_off_for_a_request() {
    let graph = Shop::here().graph;
    let both = "{ __schema { queryType { name } } product(id: \"p-1\") { id } }";
    let off = graph.execute(Request::new(both).disable_introspection()).await;
    let only = graph.execute(Request::new(both).only_introspection()).await;
    for answer in [off, only] {
        let answer = serde_json::to_value(answer).unwrap();
        let wanted = [("introspection_disabled".to_owned(), String::new())];
        assert_eq!(errors_of(&answer), wanted);
        assert_eq!(answer["data"], json!(null));
    }
    let data = graph.execute(Request::new("{ warehouses }").disable_introspection()).await;
    assert!(data.is_ok());
}
