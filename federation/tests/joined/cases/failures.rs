//! What fails, and how far it reaches.

use serde_json::json;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [fields(), entities(), nulls(), roots()].into_iter().flatten().collect()
}

fn fields() -> Vec<Case> {
    vec![
        case(
            "a field of one entity fails, with its code and path",
            "{ products(first: 2) { id quantity } }",
            json!({ "products": [
                { "id": "p-1", "quantity": 7 }, { "id": "p-2", "quantity": null }
            ] }),
        )
        .error("stock_unknown", "products.1.quantity")
        .asks([("catalog", 0), ("stock", 2)]),
        case(
            "what was not meant for the caller is masked",
            r#"{ product(id: "p-3") { name quantity } }"#,
            json!({ "product": { "name": "Product 3", "quantity": null } }),
        )
        .error("internal_error", "product.quantity"),
        case(
            "two fail at one place: nobody can say which is whose",
            "{ products(first: 3) { quantity } }",
            json!({ "products": [{ "quantity": 7 }, { "quantity": null }, { "quantity": null }] }),
        )
        .error("internal_error", "")
        .error("stock_unknown", ""),
    ]
}

fn entities() -> Vec<Case> {
    vec![
        case(
            "an entity that cannot be read takes no other with it",
            r#"{ reviewsBy(authors: ["u-ana", "u-broken", "u-bia", "u-eva"]) {
                author { id name }
            } }"#,
            json!({ "reviewsBy": [
                { "author": { "id": "u-ana", "name": "ana" } },
                { "author": null },
                { "author": { "id": "u-bia", "name": "bia" } },
                { "author": { "id": "u-eva", "name": "eva" } }
            ] }),
        )
        .error("internal_error", "reviewsBy.1.author"),
        case(
            "a field that may be null is all that a failed entity loses",
            r#"{ reviewsBy(authors: ["u-ana", "u-broken"]) { author { id nickname } } }"#,
            json!({ "reviewsBy": [
                { "author": { "id": "u-ana", "nickname": "aninha" } },
                { "author": { "id": "u-broken", "nickname": null } }
            ] }),
        )
        .error("internal_error", "reviewsBy.1.author"),
        case(
            "two entities that fail for different reasons",
            r#"{ reviewsBy(authors: ["u-refused", "u-ana", "u-broken"]) { author { nickname } } }"#,
            json!({ "reviewsBy": [
                { "author": { "nickname": null } },
                { "author": { "nickname": "aninha" } },
                { "author": { "nickname": null } }
            ] }),
        )
        .error("user_hidden", "reviewsBy.0.author")
        .error("internal_error", "reviewsBy.2.author"),
        case(
            "an entity at two places fails at both",
            r#"{ reviewsBy(authors: ["u-broken", "u-broken"]) { author { nickname } } }"#,
            json!({ "reviewsBy": [
                { "author": { "nickname": null } }, { "author": { "nickname": null } }
            ] }),
        )
        .error("internal_error", "reviewsBy.0.author")
        .error("internal_error", "reviewsBy.1.author")
        .asks([("reviews", 0), ("people", 1)]),
        case(
            "an entity that is gone",
            r#"{ reviewsBy(authors: ["u-gone", "u-ana"]) { author { nickname } } }"#,
            json!({ "reviewsBy": [
                { "author": { "nickname": null } }, { "author": { "nickname": "aninha" } }
            ] }),
        ),
    ]
}

fn nulls() -> Vec<Case> {
    vec![
        case(
            "a value that is never null and has none, and nobody said why",
            r#"{ reviewsBy(authors: ["u-gone", "u-ana"]) { author { name } } }"#,
            json!({ "reviewsBy": [{ "author": null }, { "author": { "name": "ana" } }] }),
        )
        .error("value_missing", "reviewsBy.0.author.name"),
        case(
            "a null goes outwards to the first that may be null, and no further",
            r#"{ reviewsOf(products: ["p-1", "p-broken"]) { id product { name } } }"#,
            json!({ "reviewsOf": [{ "id": "r-1", "product": { "name": "Product 1" } }, null] }),
        )
        .error("internal_error", "reviewsOf.1.product"),
        case(
            "a null in a list that has none goes out through all of it",
            "{ products(first: 3) { id shelf } }",
            json!(null),
        )
        .error("shelf_unknown", "products.1.shelf"),
    ]
}

fn roots() -> Vec<Case> {
    vec![
        case("a root field that fails", "{ featured { name } }", json!(null))
            .error("internal_error", "featured"),
        case(
            "a mutation that is refused does not stop the next",
            r#"mutation {
                addReview(input: { product: "p-1", stars: 6 }) { id }
                rename(id: "u-ana", name: "Ana") { name }
            }"#,
            json!(null),
        )
        .error("stars_invalid", "addReview")
        .asks([("reviews", 0), ("people", 0)]),
    ]
}
