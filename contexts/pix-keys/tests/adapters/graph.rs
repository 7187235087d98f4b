//! The directory's part of the graph on a real database.

use std::sync::atomic::Ordering;

use async_graphql::{Request, Response, Variables};
use pix_keys::infrastructure::{GraphSchema, graphql};
use serde_json::{Value, json};
use shared_kernel::application::Caller;
use shared_kernel::infrastructure::graphql::together;

use crate::harness::{ANA, BBX, CTER, Directory, MARIA, account_id, ispb, opened};

async fn setting() -> (Directory, GraphSchema) {
    let directory = Directory::fresh().await;
    directory.hear(vec![opened(1, MARIA)]).await;
    directory.enrol(2, CTER, ANA).await.unwrap();
    let ids = directory.sessions.ids.clone();
    let graph = graphql::schema(&directory.pix_keys, ids);
    (directory, graph)
}

fn bank(text: &str) -> Caller {
    Caller::Bank(ispb(text))
}

fn data(response: Response) -> Value {
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

async fn ask(graph: &GraphSchema, caller: Caller, query: &str) -> Value {
    data(graph.execute(Request::new(query).data(caller)).await)
}

#[tokio::test]
async fn a_key_goes_all_the_way() {
    let (_directory, graph) = setting().await;
    let register = format!(
        "mutation {{ registerPixKey(input: {{ requestId: \"r1\", kind: CPF, key: \"{MARIA}\", \
         accountId: \"{}\" }}) {{ pixKey {{ id entryId kind createdAt ownedSince }} }} }}",
        account_id(1)
    );
    let registered = ask(&graph, bank(BBX), &register).await;
    let key = &registered["registerPixKey"]["pixKey"];
    assert_eq!((&key["id"], &key["kind"]), (&json!(MARIA), &json!("CPF")));
    assert_eq!(ask(&graph, bank(BBX), &register).await, registered);
    let look_up =
        format!("{{ pixKey(key: \"{MARIA}\") {{ id entryId kind createdAt ownedSince }} }}");
    assert_eq!(&ask(&graph, bank(CTER), &look_up).await["pixKey"], key);
    let remove = format!(
        "mutation {{ removePixKey(input: {{ requestId: \"d1\", key: \"{MARIA}\", \
         accountId: \"{}\" }}) {{ key }} }}",
        account_id(1)
    );
    let removed = ask(&graph, bank(BBX), &remove).await;
    assert_eq!(removed, json!({ "removePixKey": { "key": MARIA } }));
    assert_eq!(ask(&graph, bank(CTER), &look_up).await, json!({ "pixKey": null }));
}

#[tokio::test]
async fn entities_are_read_together() {
    let (directory, graph) = setting().await;
    for (account, text) in [(1, "z@x"), (1, "a@x"), (2, "b@x")] {
        directory.register(text, account, text).await.unwrap();
    }
    let of = json!([
        { "__typename": "Account", "id": account_id(1) },
        { "__typename": "Account", "id": account_id(2) },
        { "__typename": "Account", "id": account_id(3) },
        { "__typename": "PixKey", "id": "a@x" },
        { "__typename": "PixKey", "id": "c@x" },
    ]);
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { \
         ... on Account { listing { number status ownerTaxId bank { id } } \
             keys { nodes { key } } } \
         ... on PixKey { ownerName account { id } } } }";
    let variables = Variables::from_json(json!({ "of": of }));
    let request = Request::new(query).variables(variables).data(Caller::Operator);
    directory.queries.store(0, Ordering::SeqCst);
    let found = data(together(graph.execute(request)).await);
    let account = |bank: &str, tax_id: &str, keys: &[&str]| {
        let nodes: Vec<Value> = keys.iter().map(|key| json!({ "key": key })).collect();
        json!({
            "listing": {
                "number": "1111", "status": "ACTIVE", "ownerTaxId": tax_id, "bank": { "id": bank },
            },
            "keys": { "nodes": nodes },
        })
    };
    let expected = json!([
        account(BBX, MARIA, &["z@x", "a@x"]),
        account(CTER, ANA, &["b@x"]),
        { "listing": null, "keys": null },
        { "ownerName": "Owner", "account": { "id": account_id(1) } },
        null,
    ]);
    assert_eq!(found["_entities"], expected);
    // Listings, accounts whose keys are asked for, their keys, and keys by their texts.
    assert_eq!(directory.queries.load(Ordering::SeqCst), 4);
}
