//! What is selected: aliases, fragments, conditions, abstract types, arguments.

use serde_json::json;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [aliases(), fragments(), conditions(), abstract_types(), arguments()]
        .into_iter()
        .flatten()
        .collect()
}

fn aliases() -> Vec<Case> {
    vec![
        case(
            "one field twice with different arguments",
            r#"{ product(id: "p-1") { reais: price dollars: price(currency: "USD") } }"#,
            json!({ "product": { "reais": "1.00 BRL", "dollars": "1.00 USD" } }),
        )
        .asks([("catalog", 0)]),
        case(
            "one root field twice, each with a hop",
            r#"{ a: product(id: "p-1") { n: quantity } b: product(id: "p-4") { n: quantity } }"#,
            json!({ "a": { "n": 7 }, "b": { "n": 7 } }),
        )
        .asks([("catalog", 0), ("stock", 2)]),
        case(
            "an alias that is the name of another field",
            r#"{ product(id: "p-1") { name: id id: name quantity } }"#,
            json!({ "product": { "name": "p-1", "id": "Product 1", "quantity": 7 } }),
        ),
        case(
            "type names, everywhere and under aliases",
            r#"{ __typename kind: __typename product(id: "p-1") { __typename what: __typename } }"#,
            json!({
                "__typename": "Query", "kind": "Query",
                "product": { "__typename": "Product", "what": "Product" }
            }),
        ),
        case(
            "nothing but the root's type name asks nobody",
            "{ __typename }",
            json!({ "__typename": "Query" }),
        )
        .asks([]),
    ]
}

fn fragments() -> Vec<Case> {
    vec![
        case(
            "fragments that select in one another's objects",
            r#"
            { product(id: "p-1") { ...stars ...authors } }
            fragment stars on Product { reviews { stars } }
            fragment authors on Product { reviews { author { ...named } } name }
            fragment named on User { name }
            "#,
            json!({ "product": {
                "reviews": [
                    { "stars": 5, "author": { "name": "ana" } },
                    { "stars": 4, "author": { "name": "bia" } }
                ],
                "name": "Product 1"
            } }),
        ),
        case(
            "one key in an interface and in its types",
            "{ items { name ... on Product { name related { id } } \
             ... on Bundle { products { name } } ... on Item { id } } }",
            json!({ "items": [
                { "name": "Product 1", "related": [{ "id": "p-2" }, { "id": "p-1" }], "id": "p-1" },
                { "name": "Bundle 1", "id": "b-1",
                  "products": [{ "name": "Product 1" }, { "name": "Product 2" }] }
            ] }),
        ),
    ]
}

fn conditions() -> Vec<Case> {
    let by_variable = "query($hop: Boolean!) {
        product(id: \"p-1\") { name quantity @include(if: $hop) ...more @skip(if: $hop) }
    }
    fragment more on Product { reviews { stars } }";
    vec![
        case(
            "literal conditions",
            r#"{ product(id: "p-1") {
                name @skip(if: false) price @skip(if: true)
                id @include(if: true) quantity @include(if: false)
            } }"#,
            json!({ "product": { "name": "Product 1", "id": "p-1" } }),
        )
        .asks([("catalog", 0)]),
        case(
            "a condition by variable, true",
            by_variable,
            json!({ "product": { "name": "Product 1", "quantity": 7 } }),
        )
        .variables(json!({ "hop": true }))
        .asks([("catalog", 0), ("stock", 1)]),
        case(
            "a condition by variable, false",
            by_variable,
            json!({
                "product": { "name": "Product 1", "reviews": [{ "stars": 5 }, { "stars": 4 }] }
            }),
        )
        .variables(json!({ "hop": false }))
        .asks([("catalog", 0), ("reviews", 1)]),
        case(
            "a condition on an inline fragment, by a variable's default",
            "query($all: Boolean = false) {
                search { __typename ... on Product @include(if: $all) { quantity } }
            }",
            json!({ "search": [{ "__typename": "Bundle" }, { "__typename": "Product" }] }),
        ),
        case(
            "everything skipped leaves an empty object",
            r#"{ product(id: "p-1") { name @skip(if: true) } }"#,
            json!({ "product": {} }),
        ),
    ]
}

fn abstract_types() -> Vec<Case> {
    vec![
        case(
            "a union whose members hop elsewhere",
            "{ search { __typename ... on Product { quantity } \
             ... on Bundle { name products { quantity } } } }",
            json!({ "search": [
                { "__typename": "Bundle", "name": "Bundle 1",
                  "products": [{ "quantity": 7 }, { "quantity": null }] },
                { "__typename": "Product", "quantity": null }
            ] }),
        )
        .error("stock_unknown", "search.0.products.1.quantity")
        .error("stock_unknown", "search.1.quantity"),
        case(
            "an interface of which one type hops elsewhere",
            "{ items { id name ... on Product { shippingCentavos } } }",
            json!({ "items": [
                { "id": "p-1", "name": "Product 1", "shippingCentavos": 200 },
                { "id": "b-1", "name": "Bundle 1" }
            ] }),
        )
        .asks([("catalog", 0), ("stock", 1)]),
        case("an empty list of a union", "{ search(text: \"nothing\") { __typename } }", {
            json!({ "search": [] })
        }),
        case(
            "a value of an enum that clients may not see is null",
            r#"{ seen: product(id: "p-2") { category } hidden: product(id: "p-9") { category } }"#,
            json!({ "seen": { "category": "TOY" }, "hidden": { "category": null } }),
        ),
    ]
}

fn arguments() -> Vec<Case> {
    vec![
        case(
            "variables with defaults, given and not",
            "query($few: Int! = 2, $many: Int! = 9) {
                few: products(first: $few) { id } many: products(first: $many) { id }
            }",
            json!({ "few": [{ "id": "p-1" }, { "id": "p-2" }], "many": [{ "id": "p-1" }] }),
        )
        .variables(json!({ "many": 1 })),
        case(
            "an input object, with defaults inside, and one value for a list",
            "query($filter: ProductFilter) { products(first: 9, filter: $filter) { id } }",
            json!({ "products": [
                { "id": "p-2" }, { "id": "p-3" }, { "id": "p-4" }, { "id": "p-5" }
            ] }),
        )
        .variables(json!({ "filter": { "words": "one" } })),
        case(
            "a variable inside a literal object",
            "query($most: Int!) { products(first: 9, filter: { numberMax: $most }) { id } }",
            json!({ "products": [{ "id": "p-1" }] }),
        )
        .variables(json!({ "most": 1 })),
        case(
            "one of two ways to name a product",
            "query($by: ProductName!) { productNamed(by: $by) { id } }",
            json!({ "productNamed": { "id": "p-4" } }),
        )
        .variables(json!({ "by": { "number": 4 } })),
        case(
            "a variable that an entity's field takes",
            "query($n: Int!) { me { reviews(first: $n) { id } } }",
            json!({ "me": { "reviews": [{ "id": "r-1" }] } }),
        )
        .variables(json!({ "n": 1 }))
        .asks([("people", 0), ("reviews", 1)]),
        case("a missing thing is null", r#"{ product(id: "none") { name quantity } }"#, {
            json!({ "product": null })
        })
        .asks([("catalog", 0)]),
    ]
}
