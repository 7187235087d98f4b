//! The subgraph on real servers.

use async_graphql::{Request, Variables};
use balances::infrastructure::GraphSchema;
use futures::StreamExt as _;
use serde_json::{Value, json};
use shared_kernel::application::Caller;
use shared_kernel::testing::eventually;

use crate::bank::{ISPB, World, account};
use crate::process::Process;

async fn ask(graph: &GraphSchema, query: &str, variables: Value) -> Value {
    let request = Request::new(query).variables(Variables::from_json(variables));
    let answer = graph.execute(request.data(Caller::Operator)).await;
    assert_eq!(answer.errors, []);
    answer.data.into_json().unwrap()
}

const ACCOUNT: &str = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Account { \
    balance { version total } then: balance(at: \"2026-11-20T12:00:01Z\") { version } \
    statement(first: 1) { pageInfo { hasNextPage } \
    edges { node { version amount balance } } } } } }";

#[tokio::test]
async fn an_account_is_an_entity_with_its_balance_past_balance_and_statement() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    let records: Vec<_> = (1..=3).map(|version| world.stated(account(1), version)).collect();
    world.servers.write(&records).await;
    process.arrived(account(1), 3).await;
    let of = json!({ "of": [
        { "__typename": "Account", "id": account(1) },
        { "__typename": "Account", "id": account(2) },
    ]});
    let answer = ask(&process.graph, ACCOUNT, of).await;
    let expected = json!([
        {
            "balance": { "version": 3, "total": "3.03" },
            "then": { "version": 1 },
            "statement": {
                "pageInfo": { "hasNextPage": true },
                "edges": [{ "node": { "version": 3, "amount": "1.01", "balance": "3.03" } }],
            },
        },
        { "balance": null, "then": null, "statement": null },
    ]);
    assert_eq!(answer["_entities"], expected);
    process.stop().await;
}

#[tokio::test]
async fn a_bank_is_listed_page_by_page() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    let records: Vec<_> = (1..=5).map(|number| world.stated(account(number), 1)).collect();
    world.servers.write(&records).await;
    for number in 1..=5 {
        process.arrived(account(number), 1).await;
    }
    let query = "query($ispb: Ispb!, $after: String) { \
        balances(ispb: $ispb, first: 2, after: $after) { \
        pageInfo { hasNextPage endCursor } edges { node { account { id } } } } }";
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = ask(&process.graph, query, json!({ "ispb": ISPB, "after": after })).await;
        let page = &page["balances"];
        let ids = page["edges"].as_array().unwrap().iter();
        seen.push(ids.map(|edge| edge["node"]["account"]["id"].clone()).collect::<Vec<_>>());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let id = |number| json!(account(number));
    assert_eq!(seen, [vec![id(1), id(2)], vec![id(3), id(4)], vec![id(5)]]);
    process.stop().await;
}

#[tokio::test]
async fn a_change_reaches_its_followers_and_what_waits_for_its_version() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    world.servers.write(&[world.stated(account(1), 1)]).await;
    process.arrived(account(1), 1).await;
    let query = format!(
        "subscription {{ accountUpdated(id: \"{}\") {{ balance {{ version total }} }} }}",
        account(1)
    );
    let request = Request::new(query).data(Caller::Operator);
    let mut updates = process.graph.execute_stream(request);
    let waits = "query($of: [_Any!]!) { _entities(representations: $of) { \
        ... on Account { balance(minVersion: 2) { version } } } }";
    let of = json!({ "of": [{ "__typename": "Account", "id": account(1) }] });
    let write = async {
        // Until a follower is told, the tail may not have been there yet: the next is newer.
        for version in 2..60 {
            world.servers.write(&[world.stated(account(1), version)]).await;
            let told = tokio::time::Duration::from_millis(200);
            if let Ok(update) = tokio::time::timeout(told, updates.next()).await {
                return update.unwrap().data.into_json().unwrap();
            }
        }
        panic!("no update has come");
    };
    let (update, waited) = tokio::join!(write, ask(&process.graph, waits, of));
    let balance = &update["accountUpdated"]["balance"];
    let version = balance["version"].as_i64().unwrap();
    assert!(version >= 2, "{balance}");
    assert_eq!(balance["total"], format!("{version}.{version:02}"));
    assert!(waited["_entities"][0]["balance"]["version"].as_i64().unwrap() >= 2);
    eventually(async || {
        let lag = world.balance(account(1)).await.map(|it| it.version().number());
        if lag >= Some(version) { Ok(()) } else { Err(lag) }
    })
    .await;
    process.stop().await;
}
