//! Subgraphs that hang or panic: errors of what they were asked for, and of nothing else.

use federation::Limits;
use serde_json::json;

use crate::cases::errors_of;
use crate::shop::Shop;

#[tokio::test(start_paused = true)]
async fn a_subgraph_that_does_not_answer_in_time_loses_its_own_fields() {
    let shop = Shop::here();
    let query = r#"{ product(id: "p-1") { name hangs reviews { stars } } }"#;
    let answer = shop.ask(query, json!({})).await;
    let product = json!({
        "name": "Product 1", "hangs": null, "reviews": [{ "stars": 5 }, { "stars": 4 }]
    });
    assert_eq!(answer["data"]["product"], product);
    assert_eq!(errors_of(&answer), [("subgraph_timeout".to_owned(), "product".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_subgraph_that_does_not_answer_is_not_asked_again_in_parts() {
    let shop = Shop::here();
    let answer = shop.ask("{ products(first: 3) { hangs } }", json!({})).await;
    assert_eq!(shop.asked().len(), 2);
    assert_eq!(errors_of(&answer), [("subgraph_timeout".to_owned(), String::new())]);
}

#[tokio::test]
async fn what_is_away_behind_a_subgraph_is_not_asked_for_again_in_parts() {
    let shop = Shop::here();
    let query = r#"{ reviewsBy(authors: ["u-ana", "u-away", "u-bia"]) { author { nickname } } }"#;
    let answer = shop.ask(query, json!({})).await;
    assert_eq!(shop.asked().len(), 2);
    assert_eq!(errors_of(&answer), [("temporarily_unavailable".to_owned(), String::new())]);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_takes_too_long_is_answered_with_what_is_known() {
    let shop = Shop::with(Limits { operation_ms_max: 4_000, ..Limits::default() });
    let query = r#"{ product(id: "p-1") { name hangs reviews { stars } } }"#;
    let answer = shop.ask(query, json!({})).await;
    let product = json!({
        "name": "Product 1", "hangs": null, "reviews": [{ "stars": 5 }, { "stars": 4 }]
    });
    assert_eq!(answer["data"]["product"], product);
    assert_eq!(errors_of(&answer), [("operation_timeout".to_owned(), String::new())]);
}

#[tokio::test]
async fn a_subgraph_that_panics_loses_its_own_fields() {
    let query = r#"{ product(id: "p-1") { name panics } warehouses }"#;
    let answer = Shop::here().ask(query, json!({})).await;
    let wanted =
        json!({ "product": { "name": "Product 1", "panics": null }, "warehouses": ["Recife"] });
    assert_eq!(answer["data"], wanted);
    assert_eq!(errors_of(&answer), [("internal_error".to_owned(), "product".to_owned())]);
}

#[tokio::test]
async fn an_entity_that_panics_takes_no_other_with_it() {
    let query = r#"{ reviewsBy(authors: ["u-ana", "u-panic", "u-bia"]) { author { name } } }"#;
    let answer = Shop::here().ask(query, json!({})).await;
    let wanted = json!([
        { "author": { "name": "ana" } }, { "author": null }, { "author": { "name": "bia" } }
    ]);
    assert_eq!(answer["data"]["reviewsBy"], wanted);
    let wanted = [("internal_error".to_owned(), "reviewsBy.1.author".to_owned())];
    assert_eq!(errors_of(&answer), wanted);
}

#[tokio::test]
async fn a_masked_error_says_its_id_and_nothing_else() {
    let answer = Shop::here().ask("{ featured { name } }", json!({})).await;
    let wanted = json!([{
        "message": "internal error",
        "locations": [{ "line": 1, "column": 3 }],
        "path": ["featured"],
        "extensions": { "code": "internal_error", "id": "id-1" }
    }]);
    assert_eq!(answer["errors"], wanted);
}
