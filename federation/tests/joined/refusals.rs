//! Documents and variables that are wrong: a code, and the place where.

use async_graphql::{Executor, Request, Variables};
use serde_json::{Value, json};

use crate::cases::errors_of;
use crate::shop::Shop;

/// Code, place and sentence of each error of a query that is refused before anything is asked.
async fn refused(query: &str, variables: Value) -> Vec<(String, Value, String)> {
    let shop = Shop::here();
    let answer = shop.ask(query, variables).await;
    assert_eq!(answer["data"], json!(null), "{answer}");
    assert_eq!(shop.asked(), [], "{query}");
    let errors = answer["errors"].as_array().unwrap().iter().map(|error| {
        let code = error["extensions"]["code"].as_str().unwrap().to_owned();
        let place = error["locations"][0].clone();
        (code, place, error["message"].as_str().unwrap().to_owned())
    });
    errors.collect()
}

fn at(line: u32, column: u32) -> Value {
    json!({ "line": line, "column": column })
}

#[tokio::test]
async fn what_is_not_graphql_has_its_place() {
    let errors = refused("{\n  product(id: }", json!({})).await;
    assert_eq!(errors[0].0, "graphql_parse_failed");
    assert_eq!(errors[0].1, at(2, 15));
    assert_eq!(refused("", json!({})).await[0].0, "graphql_parse_failed");
    let huge = "{ products(first: 99999999999999999999) { id } }";
    assert_eq!(refused(huge, json!({})).await[0].0, "graphql_parse_failed");
}

#[tokio::test]
async fn what_does_not_fit_the_schema_has_its_place() {
    let rows = [
        ("{ product(id: \"p-1\") {\n colour } }", at(2, 2)),
        ("{ product { id } }", at(1, 3)),
        ("{ product(id: \"p-1\") }", at(1, 3)),
        ("query($a: ID!) { warehouses }", at(1, 1)),
        ("{ ...none }", at(1, 6)),
        ("{ products(first: \"one\") { id } }", at(1, 1)),
        ("{ products(filter: { category: HIDDEN }) { id } }", at(1, 1)),
        ("subscription { quiet other: quiet }", at(1, 1)),
        ("{ warehouses @unknown }", at(1, 14)),
    ];
    for (query, place) in rows {
        let errors = refused(query, json!({})).await;
        assert_eq!(errors[0].0, "graphql_validation_failed", "{query}");
        assert_eq!(errors[0].1, place, "{query}: {errors:?}");
    }
}

#[tokio::test]
async fn the_operation_must_be_there_and_be_named_if_there_are_several() {
    let two = "query A { warehouses } query B { me { id } }";
    assert_eq!(refused(two, json!({})).await[0].0, "operation_not_found");
    assert_eq!(refused("fragment a on User { id }", json!({})).await[0].0, "operation_not_found");
    let graph = Shop::here().graph;
    let named = |name: &str| graph.execute(Request::new(two).operation_name(name));
    assert_eq!(named("B").await.into_result().unwrap().data.to_string(), "{me: null}");
    let a = named("A").await.into_result().unwrap().data.to_string();
    assert_eq!(a, "{warehouses: [\"Recife\"]}");
    let answer = serde_json::to_value(named("C").await).unwrap();
    assert_eq!(errors_of(&answer), [("operation_not_found".to_owned(), String::new())]);
}

const FIRST: &str = "query(\n$n: Int!) { products(first: $n) { id } }";
const FILTER: &str = "query($filter: ProductFilter) { products(filter: $filter) { id } }";
const IDS: &str = "query($ids: [ID!]!) { reviewsBy(authors: $ids) { id } }";
const NAMED: &str = "query($by: ProductName!) { productNamed(by: $by) { id } }";
const FLAG: &str = "query($on: Boolean!) { warehouses @include(if: $on) }";

/// Each variable is refused alone, at its declaration, with this of the sentence.
async fn unfit<const N: usize>(rows: [(&str, Value, &str); N]) {
    for (query, variables, sentence) in rows {
        let errors = refused(query, variables).await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        let (code, place, found) = &errors[0];
        let wanted = format!("The variable {sentence}.");
        assert_eq!((code.as_str(), found), ("variable_invalid", &wanted));
        let declared = if query == FIRST { at(2, 1) } else { at(1, 7) };
        assert_eq!(*place, declared, "{query}");
    }
}

#[tokio::test]
async fn variables_must_be_there_and_of_their_scalars() {
    let number = "must be a whole number of 32 bits, not such a number";
    unfit([
        (FIRST, json!({}), "$n is missing; Int! is required"),
        (FIRST, json!({ "n": null }), "$n is null; Int! is required"),
        (FIRST, json!({ "n": "3" }), "$n must be a whole number of 32 bits, not a text"),
        (FIRST, json!({ "n": 1.5 }), &format!("$n {number}")),
        (FIRST, json!({ "n": 2_147_483_648_i64 }), &format!("$n {number}")),
        (FLAG, json!({ "on": "true" }), "$on must be true or false, not a text"),
        (IDS, json!({ "ids": ["a", null] }), "$ids[1] is null; ID! is required"),
        (
            IDS,
            json!({ "ids": [true] }),
            "$ids[0] must be a text or a whole number, not true or false",
        ),
    ])
    .await;
}

#[tokio::test]
async fn variables_must_be_of_their_enums_and_input_objects() {
    let category = "$filter.category must be a value of Category: BOOK, TOY";
    let of = |filter: Value| json!({ "filter": filter });
    unfit([
        (FILTER, of(json!({ "category": "CAR" })), category),
        (FILTER, of(json!({ "category": "HIDDEN" })), category),
        (FILTER, of(json!({ "category": 1 })), category),
        (
            FILTER,
            of(json!({ "colour": "red" })),
            "$filter.colour is not known; ProductFilter has no such field",
        ),
        (FILTER, of(json!(["a"])), "$filter must be an object of ProductFilter, not a list"),
        (FILTER, of(json!({ "words": [1] })), "$filter.words[0] must be a text, not such a number"),
        (
            NAMED,
            json!({ "by": { "id": "p-1", "number": 1 } }),
            "$by must have exactly one field of ProductName",
        ),
        (NAMED, json!({ "by": {} }), "$by must have exactly one field of ProductName"),
    ])
    .await;
}

#[tokio::test]
async fn every_wrong_variable_is_named_and_required_fields_are_missed() {
    let query = "mutation($input: NewReview!, $n: Int!) {
        addReview(input: $input) { author { reviews(first: $n) { id } } }
    }";
    let errors = refused(query, json!({ "input": { "product": 1.5 } })).await;
    let sentences: Vec<&str> = errors.iter().map(|(_, _, sentence)| sentence.as_str()).collect();
    let wanted = [
        "The variable $input.product must be a text or a whole number, not such a number.",
        "The variable $input.stars is missing; Int! is required.",
        "The variable $n is missing; Int! is required.",
    ];
    assert_eq!(sentences, wanted);
}

#[tokio::test]
async fn whole_numbers_are_ids_and_what_is_not_declared_is_left_out() {
    let query = "query($ids: [ID!]!) { reviewsBy(authors: $ids) { author { id } } }";
    let variables = Variables::from_json(json!({ "ids": 7, "other": { "a": 1 } }));
    let answer = Shop::here().graph.execute(Request::new(query).variables(variables)).await;
    let data = serde_json::to_value(answer).unwrap()["data"].clone();
    assert_eq!(data, json!({ "reviewsBy": [{ "author": { "id": "7" } }] }));
}

#[tokio::test]
async fn a_subscription_is_not_answered_as_one_answer() {
    let errors = refused("subscription { quiet }", json!({})).await;
    assert_eq!(errors[0].0, "subscription_needs_stream");
}
