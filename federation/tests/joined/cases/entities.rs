//! Hops: keys, requirements, lists, order, and how often a subgraph is asked.

use serde_json::json;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [hops(), requirements(), nulls_and_lists(), counts(), mutations()]
        .into_iter()
        .flatten()
        .collect()
}

fn hops() -> Vec<Case> {
    vec![
        case("no hop", r#"{ product(id: "p-1") { name } }"#, {
            json!({ "product": { "name": "Product 1" } })
        })
        .asks([("catalog", 0)]),
        case("one hop", r#"{ product(id: "p-1") { name quantity } }"#, {
            json!({ "product": { "name": "Product 1", "quantity": 7 } })
        })
        .asks([("catalog", 0), ("stock", 1)]),
    ]
}

fn requirements() -> Vec<Case> {
    vec![
        case(
            "a field that requires one of another subgraph",
            r#"{ product(id: "p-3") { shippingCentavos } }"#,
            json!({ "product": { "shippingCentavos": 600 } }),
        ),
        case(
            "a requirement that is null is sent as null",
            r#"{ product(id: "p-4") { shippingCentavos weightGrams } }"#,
            json!({ "product": { "shippingCentavos": null, "weightGrams": null } }),
        )
        .asks([("catalog", 0), ("stock", 1)]),
        case(
            "a requirement two hops away",
            "{ reviews { product { shippingCentavos } } }",
            json!({ "reviews": [
                { "product": { "shippingCentavos": 200 } },
                { "product": { "shippingCentavos": 200 } },
                { "product": { "shippingCentavos": 400 } },
                { "product": { "shippingCentavos": 600 } }
            ] }),
        )
        .asks([("reviews", 0), ("catalog", 3), ("stock", 3)]),
    ]
}

fn nulls_and_lists() -> Vec<Case> {
    vec![
        case(
            "null where a key would be asks for nothing",
            "{ reviews { author { name } } }",
            json!({ "reviews": [
                { "author": { "name": "ana" } },
                { "author": { "name": "bia" } },
                { "author": null },
                { "author": { "name": "ana" } }
            ] }),
        )
        .asks([("reviews", 0), ("people", 2)]),
        case(
            "only nulls ask nobody",
            "{ reviewsOf(products: [\"p-1\"]) { author { name } } }",
            json!({ "reviewsOf": [{ "author": null }] }),
        )
        .asks([("reviews", 0)]),
        case(
            "lists in lists",
            "{ shelves { id shippingCentavos } }",
            json!({ "shelves": [
                [
                    { "id": "p-1", "shippingCentavos": 200 },
                    { "id": "p-2", "shippingCentavos": 400 }
                ],
                [],
                [{ "id": "p-1", "shippingCentavos": 200 }]
            ] }),
        )
        .asks([("catalog", 0), ("stock", 2)]),
        case(
            "there and back and there again",
            "{ reviews { product { reviews { author { nickname } } } } }",
            {
                let of_1 = json!({ "product": { "reviews": [
                    { "author": { "nickname": "aninha" } }, { "author": { "nickname": null } }
                ] } });
                let of_2 = json!({ "product": { "reviews": [{ "author": null }] } });
                let of_3 = json!({ "product": { "reviews": [
                    { "author": { "nickname": "aninha" } }
                ] } });
                json!({ "reviews": [of_1, of_1, of_2, of_3] })
            },
        ),
        case(
            "who asks is known after a hop",
            r#"{ me { name } product(id: "p-1") { askedBy } }"#,
            json!({ "me": { "name": "tester" }, "product": { "askedBy": "tester" } }),
        ),
    ]
}

fn counts() -> Vec<Case> {
    vec![
        case(
            "four subgraphs side by side, one sub-request to each",
            "{ products(first: 1) { quantity reviews { author { name } } } warehouses }",
            json!({
                "products": [{
                    "quantity": 7,
                    "reviews": [{ "author": { "name": "ana" } }, { "author": { "name": "bia" } }]
                }],
                "warehouses": ["Recife"]
            }),
        )
        .asks([("catalog", 0), ("stock", 0), ("stock", 1), ("reviews", 1), ("people", 2)]),
        case(
            "fifty entities are one sub-request",
            "{ products(first: 50) { shippingCentavos } }",
            {
                let shipping = (200..=10_000).step_by(200).map(|centavos| match centavos {
                    800 => json!({ "shippingCentavos": null }),
                    _ => json!({ "shippingCentavos": centavos }),
                });
                json!({ "products": shipping.collect::<Vec<_>>() })
            },
        )
        .asks([("catalog", 0), ("stock", 50)]),
        case(
            "one entity at two places is one representation",
            "{ products(first: 2) { related { shippingCentavos } } }",
            json!({ "products": [
                { "related": [{ "shippingCentavos": 400 }, { "shippingCentavos": 200 }] },
                { "related": [{ "shippingCentavos": 600 }, { "shippingCentavos": 200 }] }
            ] }),
        )
        .asks([("catalog", 0), ("stock", 3)]),
        case(
            "entities of one type under two fields are one sub-request",
            "{ reviews { author { name } } reviewsBy(authors: [\"u-eva\"]) { author { name } } }",
            json!({
                "reviews": [
                    { "author": { "name": "ana" } }, { "author": { "name": "bia" } },
                    { "author": null }, { "author": { "name": "ana" } }
                ],
                "reviewsBy": [{ "author": { "name": "eva" } }]
            }),
        )
        .asks([("reviews", 0), ("people", 3)]),
    ]
}

fn mutations() -> Vec<Case> {
    vec![case(
        "mutations of two subgraphs, with hops",
        r#"mutation {
                first: addReview(input: { product: "p-1", stars: 2 }) { stars author { name } }
                rename(id: "u-ana", name: "Ana") { name reviews(first: 1) { id } }
                last: addReview(input: { product: "p-2", stars: 3 }) { product { name } }
            }"#,
        json!({
            "first": { "stars": 2, "author": { "name": "ana" } },
            "rename": { "name": "Ana", "reviews": [{ "id": "r-1" }] },
            "last": { "product": { "name": "Product 2" } }
        }),
    )]
}
