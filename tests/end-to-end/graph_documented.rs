//! What the playground opens with and what the documents show, asked of a hub with demo data.

use serde_json::{Value, json};

use crate::support::graph::{Events, ask, data};
use crate::support::http::get;
use crate::support::{HubOptions, TestHub, eventually, unique};

const PAYER: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";
const PAYEE: &str = "103cc632-78e7-4476-ab63-d5ad3a562d26";

/// What a reader of the documents has: `./codepix up`.
async fn demo_hub() -> (TestHub, String) {
    let variables = vec![("CODEPIX_DEMO_DATA", "true".to_owned())];
    let hub = TestHub::with(HubOptions { variables, ..HubOptions::default() }).await;
    let address = hub.addresses().http.clone();
    let known = "query($payer: ID!, $payee: ID!) {
        payer: account(id: $payer) { ...known } payee: account(id: $payee) { ...known }
    }
    fragment known on Account { keys { nodes { key } } balance { total } }";
    let ids = json!({ "payer": PAYER, "payee": PAYEE });
    eventually(async || {
        let answer = ask(&address, known, ids.clone()).await;
        let is_filled = |account: &str| {
            let account = &answer["data"][account];
            let keys = account["keys"]["nodes"].as_array().map_or(0, Vec::len);
            keys == 2 && account["balance"]["total"] == "1000.00"
        };
        if is_filled("payer") && is_filled("payee") { Ok(()) } else { Err(answer) }
    })
    .await;
    (hub, address)
}

/// Whether anything that was asked for is missing.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_of_the_playground_is_answered() {
    let (_hub, address) = demo_hub().await;
    let (status, examples) = get(&address, "/graphql/assets/examples.json").await;
    assert_eq!(status, 200, "{examples}");
    let examples: Vec<Value> = serde_json::from_str(&examples).unwrap();
    let example = |word: &str| {
        let found = examples.iter().find(|it| it["query"].as_str().unwrap().contains(word));
        let found = found.unwrap_or_else(|| panic!("no example has {word}"));
        let variables = found["variables"].as_str().unwrap().replace("$new", &unique("example"));
        (found["query"].as_str().unwrap(), serde_json::from_str(&variables).unwrap())
    };
    let answered = async |word: &str| -> Value {
        let (query, variables) = example(word);
        data(&address, query, variables).await
    };
    let registered = answered("registerPixKey").await;
    assert_eq!(registered["registerPixKey"]["pixKey"]["bank"]["name"], "CTER");
    let found = answered("pixKey(key:").await;
    assert_eq!(found["pixKey"]["ownerName"], "User CTER 1");
    let (follow, account) = example("transferUpdated");
    let mut events = Events::of(&address, follow, account).await;
    let sent = answered("requestTransfer").await;
    let id = &sent["requestTransfer"]["order"]["endToEndId"];
    for state in ["PENDING", "CONFIRMED", "COMPLETED"] {
        let event = events.next().await["transferUpdated"].take();
        assert_eq!((&event["endToEndId"], &event["state"]), (id, &json!(state)));
        assert_eq!(event["payee"]["ownerName"], "User CTER 1");
    }
    let (statement, of_payer) = example("statement(");
    eventually(async || {
        let answer = ask(&address, statement, of_payer.clone()).await;
        let lines = &answer["data"]["account"]["statement"]["nodes"];
        if lines[0]["amount"] == "12.34" { Ok(()) } else { Err(answer) }
    })
    .await;
    let (balance, of_payer) = example("query Balance");
    let balance = data(&address, balance, of_payer).await;
    assert_eq!(balance["account"]["balance"]["available"], "987.66");
    for told in [registered, found, sent, balance] {
        assert!(!has_null(&told), "{told}");
    }
    assert_eq!(examples.len(), 6, "each example is asked above");
}

/// The documents that show the graph.
const DOCUMENTS: [&str; 3] = ["README.md", "README.pt-BR.md", "ARCHITECTURE.md"];

/// The operation that a document shows, and the answer below it.
fn shown(document: &str) -> (String, Value) {
    let path = format!("{}/{document}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let block = |kind: &str| {
        let fence = format!("```{kind}\n");
        let (_, after) = text.split_once(&fence).unwrap_or_else(|| panic!("{document}: {kind}"));
        assert!(!after.contains(&fence), "{document} shows one {kind}");
        after.split_once("\n```").unwrap().0.to_owned()
    };
    (block("graphql"), serde_json::from_str(&block("json")).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_joined_query_of_the_documents_is_answered_as_they_say() {
    let (_hub, address) = demo_hub().await;
    let send = "mutation($input: RequestTransferInput!) {
        requestTransfer(input: $input) { order { endToEndId } }
    }";
    let key = "user1@cter.example";
    let input =
        json!({ "accountId": PAYER, "payeeKey": key, "amount": "12.34", "idempotencyKey": "one" });
    data(&address, send, json!({ "input": input })).await;
    for document in DOCUMENTS {
        let (query, answer) = shown(document);
        for context in ["Banking", "Pix Keys", "Balances", "Transfers"] {
            assert!(query.contains(&format!("# {context}")), "{document}: {context}");
        }
        eventually(async || {
            let answered = ask(&address, &query, json!({})).await;
            if answered == answer { Ok(()) } else { Err(answered) }
        })
        .await;
    }
}
