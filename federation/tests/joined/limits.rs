//! What is too much is refused before any subgraph is asked.

use async_graphql::{BatchRequest, Executor, Request};
use federation::Limits;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::cases::errors_of;
use crate::shop::Shop;

/// The code that a query is refused with, and the sentence; no subgraph may have been asked.
async fn refusal(limits: Limits, query: &str, variables: Value) -> Option<(String, String)> {
    let shop = Shop::with(limits);
    let answer = shop.ask(query, variables).await;
    let (code, _) = errors_of(&answer).into_iter().next()?;
    assert_eq!(shop.asked(), [], "{query}");
    assert_eq!(answer["data"], json!(null));
    Some((code, answer["errors"][0]["message"].as_str().unwrap().to_owned()))
}

async fn code(limits: Limits, query: &str) -> Option<String> {
    refusal(limits, query, json!({})).await.map(|(code, _)| code)
}

/// The cost of a query, as the refusal names it.
async fn cost(query: &str, variables: Value) -> u64 {
    let limits = Limits { complexity_max: 0, ..Limits::default() };
    let (code, sentence) = refusal(limits, query, variables).await.unwrap();
    assert_eq!(code, "operation_too_complex");
    sentence.split(' ').nth(3).unwrap().trim_end_matches(';').parse().unwrap()
}

#[tokio::test]
async fn each_limit_refuses_with_its_code_what_is_one_over_it() {
    let usual = Limits::default();
    let large = Some("operation_too_large".to_owned());
    let deep = Some("operation_too_deep".to_owned());
    let query = "{ a: me { id } b: me { id @skip(if: false) } }";
    let rows = [
        (Limits { tokens_max: 21, ..usual }, Limits { tokens_max: 20, ..usual }, &large),
        (Limits { depth_max: 2, ..usual }, Limits { depth_max: 1, ..usual }, &deep),
        (Limits { fields_max: 4, ..usual }, Limits { fields_max: 3, ..usual }, &large),
        (Limits { root_fields_max: 2, ..usual }, Limits { root_fields_max: 1, ..usual }, &large),
        (Limits { aliases_max: 2, ..usual }, Limits { aliases_max: 1, ..usual }, &large),
        (Limits { directives_max: 1, ..usual }, Limits { directives_max: 0, ..usual }, &large),
    ];
    for (enough, too_little, wanted) in rows {
        assert_eq!(code(enough, query).await, None, "{enough:?}");
        assert_eq!(code(too_little, query).await, *wanted, "{too_little:?}");
    }
}

#[tokio::test]
async fn fragments_count_as_often_as_they_are_used() {
    let mut bomb = "{ product(id: \"p-1\") { ...f0 } }".to_owned();
    for index in 0..30 {
        let next = index + 1;
        let more =
            format!(" fragment f{index} on Product {{ ...f{next} related {{ ...f{next} }} }}");
        bomb.push_str(&more);
    }
    bomb += " fragment f30 on Product { id }";
    let limits = Limits { depth_max: 100, ..Limits::default() };
    assert_eq!(code(limits, &bomb).await.as_deref(), Some("operation_too_large"));
    assert_eq!(code(Limits::default(), &bomb).await.as_deref(), Some("operation_too_deep"));
    let at_root = "{ ...a } fragment a on Query { ...b ...b ...b } \
        fragment b on Query { ...c ...c ...c } fragment c on Query { a: me { id } b: me { id } \
        c: me { id } }";
    assert_eq!(code(Limits::default(), at_root).await.as_deref(), Some("operation_too_large"));
}

#[tokio::test]
async fn fragments_on_the_schema_s_own_types_count_as_often_too() {
    let bomb = |begin: &str, leaf: &str| {
        let fragments = (0..30).map(|index| {
            let next = index + 1;
            format!(" fragment a{index} on __Type {{ ...a{next} ...a{next} }}")
        });
        begin.to_owned() + &fragments.collect::<Vec<_>>().concat() + leaf
    };
    let leaf = " fragment a30 on __Type { name }";
    let large = Some("operation_too_large".to_owned());
    let used = bomb("{ __schema { queryType { ...a0 } } }", leaf);
    assert!(used.len() < 2_000);
    assert_eq!(code(Limits::default(), &used).await, large);
    assert_eq!(code(Limits::default(), &bomb("{ warehouses }", leaf)).await, large, "unused");
    let nowhere = bomb("{ __schema { queryType { ...a0 } } }", "");
    assert_eq!(code(Limits::default(), &nowhere).await, large, "the last is not there");
}

#[tokio::test]
async fn fragments_that_go_round_are_refused_and_end() {
    let round = [
        "{ product(id: \"p-1\") { ...a } } fragment a on Product { related { ...a } }",
        "{ ...a } fragment a on Query { ...a ...a }",
        "{ me { ...a } } fragment a on User { ...b } fragment b on User { ...a ...a }",
        // Used by nobody: validation would follow it without end.
        "{ __typename } fragment a on Product { related { related { related { ...a } ...a } } }",
        "{ __typename } fragment a on Product { ...a }",
    ];
    for query in round {
        assert_eq!(code(Limits::default(), query).await.as_deref(), Some("operation_too_deep"));
    }
}

#[tokio::test]
async fn the_operations_of_a_document_and_its_unused_fragments_count_together() {
    let large = Some("operation_too_large".to_owned());
    let limits = Limits { fields_max: 4, introspection_fields_max: 4, ..Limits::default() };
    let two = |fields| format!("query a {{ me {{ id }} }} query b {{ me {{ {fields} }} }}");
    let ask = async |query: String| {
        let answer =
            Shop::with(limits).graph.execute(Request::new(query).operation_name("a")).await;
        errors_of(&serde_json::to_value(answer).unwrap()).into_iter().next().map(|(code, _)| code)
    };
    assert_eq!(ask(two("id")).await, None);
    assert_eq!(ask(two("id name")).await, large);
    let schema = "query a { __schema { queryType { name } } } \
        query b { __schema { queryType { name } } }";
    assert_eq!(ask(schema.to_owned()).await, large);
    // No fragment is too large by itself.
    let unused = |count| "fragment f on User { id id id } ".repeat(count);
    let wrong = Some("graphql_validation_failed".to_owned());
    assert_eq!(code(limits, &format!("{{ me {{ id }} }} {}", unused(2))).await, wrong);
    assert_eq!(code(limits, &format!("{{ me {{ id }} }} {}", unused(3))).await, large);
}

#[tokio::test]
async fn what_no_parser_should_follow_is_refused() {
    let lists = format!("{{ product(id: {}1{}) {{ id }} }}", "[".repeat(100), "]".repeat(100));
    assert_eq!(code(Limits::default(), &lists).await.as_deref(), Some("operation_too_deep"));
    let nested = format!("{}id{}", "{ related ".repeat(100), "}".repeat(100));
    assert_eq!(code(Limits::default(), &nested).await.as_deref(), Some("operation_too_deep"));
}

#[tokio::test]
async fn a_document_of_comments_is_refused_before_it_is_kept() {
    let long = format!("{{ warehouses }} #{}", "x".repeat(64 * 1024));
    assert_eq!(code(Limits::default(), &long).await.as_deref(), Some("operation_too_large"));
    let aliases: Vec<String> = (0..70).map(|it| format!("a{it}: id")).collect();
    let unused = format!("{{ warehouses }} fragment a on Product {{ {} }}", aliases.join(" "));
    assert_eq!(code(Limits::default(), &unused).await.as_deref(), Some("operation_too_large"));
}

#[tokio::test]
async fn the_cost_follows_the_formula() {
    let none = || json!({});
    assert_eq!(cost("{ warehouses }", none()).await, 1);
    assert_eq!(cost("{ me { id name __typename } }", none()).await, 3);
    // The schema's own default for `first` is 3, and a list without it is taken for 10.
    assert_eq!(cost("{ products { id } }", none()).await, 1 + 3);
    assert_eq!(cost("{ products(first: 50) { id name } }", none()).await, 1 + 50 * 2);
    assert_eq!(cost("{ reviews { id } }", none()).await, 1 + 10);
    // Nor does `null` ask for nothing: a page that nobody sized has 50.
    let null = "query($n: Int) { products(first: $n) { id } }";
    assert!(cost(null, json!({ "n": null })).await > 3);
    // Inside a page a list is that page: `related` has its size from `products`.
    let nested = "{ products(first: 20) { related { related { id } } } }";
    assert_eq!(cost(nested, none()).await, 1 + 20 * (1 + 1 + 10));
    let in_fragment = "{ products(first: 20) { ...r } } fragment r on Product { related { id } }";
    assert_eq!(cost(in_fragment, none()).await, 1 + 20 * 2);
}

#[tokio::test]
async fn the_cost_follows_the_variables_of_each_request() {
    let query = "query($n: Int! = 4) { products(first: $n) { id } }";
    assert_eq!(cost(query, json!({})).await, 5);
    assert_eq!(cost(query, json!({ "n": 40 })).await, 41);
    let shop = Shop::with(Limits { complexity_max: 10, ..Limits::default() });
    assert!(shop.execute(query, json!({ "n": 9 })).await.is_ok());
    let again = shop.ask(query, json!({ "n": 10 })).await;
    assert_eq!(errors_of(&again)[0].0, "operation_too_complex");
}

#[tokio::test]
async fn introspection_has_limits_of_its_own() {
    let wide = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(code(Limits::default(), wide).await.as_deref(), Some("operation_too_deep"));
    let deep = format!("{{ __schema {{ types {}{}", "{ ofType ".repeat(25), "{ name }");
    let deep = format!("{deep}{}", "}".repeat(27));
    assert_eq!(code(Limits::default(), &deep).await.as_deref(), Some("operation_too_deep"));
    let usual = include_str!("../fixtures/introspection.graphql");
    let small = Limits { depth_max: 2, complexity_max: 1, fields_max: 2, ..Limits::default() };
    assert_eq!(code(small, usual).await, None);
    let few = Limits { introspection_fields_max: 100, ..Limits::default() };
    assert_eq!(code(few, usual).await.as_deref(), Some("operation_too_large"));
}

#[tokio::test]
async fn a_batch_has_its_limit_and_each_of_it_its_answer() {
    let graph = Shop::with(Limits { batch_max: 2, ..Limits::default() }).graph;
    let batch =
        |count| BatchRequest::Batch((0..count).map(|_| Request::new("{ warehouses }")).collect());
    let two = serde_json::to_value(graph.execute_batch(batch(2)).await).unwrap();
    let one = json!({ "data": { "warehouses": ["Recife"] } });
    assert_eq!(two, json!([one, one]));
    let three = serde_json::to_value(graph.execute_batch(batch(3)).await).unwrap();
    assert_eq!(errors_of(&three), [("batch_too_large".to_owned(), String::new())]);
}

#[tokio::test]
async fn errors_beyond_their_limit_are_left_out() {
    let shop = Shop::with(Limits { errors_max: 2, ..Limits::default() });
    let query = "query($ids: [ID!]!) { reviewsBy(authors: $ids) { author { nickname } } }";
    let answer = shop.ask(query, json!({ "ids": ["u-broken", "u-broken", "u-broken"] })).await;
    assert_eq!(errors_of(&answer).len(), 2);
}

#[tokio::test]
async fn the_search_for_failing_entities_ends() {
    let shop = Shop::with(Limits { splits_max: 3, ..Limits::default() });
    let authors = ["u-broken", "u-refused", "u-ana", "u-bia"];
    let query = "query($authors: [ID!]!) { reviewsBy(authors: $authors) { author { nickname } } }";
    let answer = shop.ask(query, json!({ "authors": authors })).await;
    // The list, its first half, and the two of that half; the second half is not asked for.
    assert_eq!(shop.asked().len(), 1 + 4);
    assert_eq!(answer["data"]["reviewsBy"][2]["author"]["nickname"], json!(null));
    assert_eq!(errors_of(&answer).len(), 3);
}

#[tokio::test]
async fn plans_are_kept_up_to_their_limit() {
    let shop = Shop::with(Limits { plans_max: 2, ..Limits::default() });
    for query in ["{ warehouses }", "{ me { id } }", "{ reviews { id } }", "{ warehouses }"] {
        assert!(shop.execute(query, json!({})).await.is_ok());
    }
    assert_eq!(shop.graph.plan_count(), 2);
    let _refused = shop.execute("{ none }", json!({})).await;
    assert_eq!(shop.graph.plan_count(), 2);
}

#[tokio::test]
async fn the_texts_of_plans_are_bounded_and_the_latest_plan_stays() {
    let shop = Shop::with(Limits { plans_bytes_max: 200, ..Limits::default() });
    let long = format!("{{ reviews {{ id }} }} #{}", "x".repeat(500));
    for (query, kept) in [("{ warehouses }", 1), ("{ me { id } }", 2), (long.as_str(), 1)] {
        assert!(shop.execute(query, json!({})).await.is_ok());
        assert_eq!(shop.graph.plan_count(), kept, "{query}");
    }
    assert!(shop.execute("{ warehouses }", json!({})).await.is_ok());
    assert_eq!(shop.graph.plan_count(), 1, "the long one made room");
}

#[tokio::test(start_paused = true)]
async fn queries_have_their_turns_and_mutations_do_not_queue_behind_them() {
    let limits = Limits { queries_under_way_max: 1, turn_ms_max: 10, ..Limits::default() };
    let shop = Shop::with(limits);
    let hangs = r#"{ product(id: "p-1") { hangs } }"#;
    // What is known waits for no planning: who comes first has the turn.
    for known in [hangs, "{ warehouses }"] {
        drop(shop.ask(known, json!({})).await);
    }
    let slow = shop.ask(hangs, json!({}));
    let others = async {
        let query = shop.ask("{ warehouses }", json!({})).await;
        assert_eq!(errors_of(&query), [("too_many_queries".to_owned(), String::new())]);
        for passes in [
            r#"mutation { rename(id: "u-ana", name: "Ana") { name } }"#,
            "{ __schema { queryType { name } } }",
        ] {
            assert_eq!(errors_of(&shop.ask(passes, json!({})).await), [], "{passes}");
        }
    };
    let (slow, ()) = tokio::join!(slow, others);
    assert_eq!(errors_of(&slow)[0].0, "subgraph_timeout");
    assert!(shop.execute("{ warehouses }", json!({})).await.is_ok(), "there is room again");
}

#[tokio::test]
async fn subscriptions_have_their_places_until_they_end() {
    let limits = Limits { streams_under_way_max: 1, queries_under_way_max: 1, ..Limits::default() };
    let graph = Shop::with(limits).graph;
    let follow = || graph.execute_stream(Request::new("subscription { quiet }"), None);
    let mut first = follow();
    assert!(first.next().await.unwrap().is_ok());
    let refused = serde_json::to_value(follow().next().await.unwrap()).unwrap();
    assert_eq!(errors_of(&refused), [("too_many_watchers".to_owned(), String::new())]);
    assert!(graph.execute(Request::new("{ warehouses }")).await.is_ok());
    drop(first);
    assert!(follow().next().await.unwrap().is_ok());
}
