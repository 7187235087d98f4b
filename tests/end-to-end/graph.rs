//! The joined graph from outside: queries, commands, subscriptions, and parts in other processes.

use codepix::client::transfers::TransferState;
use serde_json::{Value, json};

use crate::support::graph::{Events, ask, ask_as, codes, data};
use crate::support::http::{get, post};
use crate::support::tls::Tls;
use crate::support::{Account, HubOptions, Scene, TestHub, at_rest, eventually};

const SEND: &str = "mutation($input: RequestTransferInput!) {
    requestTransfer(input: $input) { order { endToEndId state amount } }
}";

const JOINED: &str = "query($id: ID!) {
    account(id: $id) {
        owner { name }
        bank { name primaryColor }
        keys { nodes { key } }
        balance { available held }
        transfers { nodes { state amount payer { ownerName bank { name } } } }
    }
}";

fn order(from: &Account, key: &str, amount: &str, idempotency_key: &str) -> Value {
    json!({ "input": {
        "accountId": from.id, "payeeKey": key, "amount": amount, "idempotencyKey": idempotency_key,
    } })
}

/// A customer at each bank, the first with cash, the second with a key.
async fn customers(scene: &Scene) -> (Account, Account, String) {
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    (ana, bia, key)
}

async fn sees(address: &str, account: &Account, expected: &Value) {
    eventually(async || {
        let answer = ask(address, JOINED, json!({ "id": account.id })).await;
        if answer["data"]["account"] == *expected { Ok(()) } else { Err(answer) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_ordered_followed_and_seen_from_every_context() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let address = hub.addresses().http.clone();
    let (ana, bia, key) = customers(&scene).await;
    let follow = "subscription($id: ID!) { transferUpdated(accountId: $id) {
        state payee { ownerName account { owner { name } } }
    } }";
    let mut events = Events::of(&address, follow, json!({ "id": ana.id })).await;
    let of_payee = "subscription($id: ID!) { accountUpdated(id: $id) {
        balance { available } account { owner { name } keys { nodes { key } } }
    } }";
    let mut credited = Events::of(&address, of_payee, json!({ "id": bia.id })).await;
    let sent = data(&address, SEND, order(&ana, &key, "12.34", "first")).await;
    let again = data(&address, SEND, order(&ana, &key, "12.34", "first")).await;
    let id = sent["requestTransfer"]["order"]["endToEndId"].as_str().unwrap();
    assert_eq!(sent["requestTransfer"]["order"]["amount"], "12.34");
    assert_eq!(again["requestTransfer"]["order"]["endToEndId"], id, "the same transfer");
    for state in ["PENDING", "CONFIRMED", "COMPLETED"] {
        let event = events.next().await["transferUpdated"].take();
        let payee =
            json!({ "ownerName": "Bia Lima", "account": { "owner": { "name": "Bia Lima" } } });
        assert_eq!(event, json!({ "state": state, "payee": payee }));
    }
    let event = credited.next().await["accountUpdated"].take();
    let account = json!({ "owner": { "name": "Bia Lima" }, "keys": { "nodes": [{ "key": key }] } });
    assert_eq!(event, json!({ "balance": { "available": "12.34" }, "account": account }));
    let expected = json!({
        "owner": { "name": "Bia Lima" },
        "bank": { "name": "Bank 002", "primaryColor": null },
        "keys": { "nodes": [{ "key": key }] },
        "balance": { "available": "12.34", "held": "0.00" },
        "transfers": { "nodes": [{
            "state": "COMPLETED",
            "amount": "12.34",
            "payer": { "ownerName": "Ana Souza", "bank": { "name": "Bank 001" } },
        }] },
    });
    sees_but_colour(&address, &bia, expected).await;
    scene.reaches(id, TransferState::Completed).await;
    at_rest(&hub, &scene).await;
}

/// As [`sees`]; whatever colour the bank has is its own affair.
async fn sees_but_colour(address: &str, account: &Account, mut expected: Value) {
    let now = data(address, JOINED, json!({ "id": account.id })).await;
    expected["bank"] = json!({ "name": expected["bank"]["name"] });
    expected["bank"]["primaryColor"] = now["account"]["bank"]["primaryColor"].clone();
    assert!(expected["bank"]["primaryColor"].is_string(), "Banking has colours for its banks");
    sees(address, account, &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why_and_moves_nothing() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let address = hub.addresses().http.clone();
    let (ana, _bia, key) = customers(&scene).await;
    let before = scene.snapshot().await;
    for (variables, code) in [
        (order(&ana, &key, "0.00", "a"), "amount_out_of_range"),
        (order(&ana, &key, "100.01", "b"), "insufficient_funds"),
        (order(&ana, "nobody@example.com", "1.00", "c"), "key_not_found"),
    ] {
        let answer = ask(&address, SEND, variables).await;
        assert_eq!(codes(&answer), [code], "{answer}");
    }
    for (query, code) in [
        ("{ account(id: ", "graphql_parse_failed"),
        ("{ nothing }", "graphql_validation_failed"),
        ("query($id: ID!) { account(id: $id) { id } }", "variable_invalid"),
    ] {
        assert_eq!(codes(&ask(&address, query, json!({})).await), [code], "{query}");
    }
    // Refused before the first of its commands is given.
    let commands = (0..21).map(|number| {
        let (id, key) = (&ana.id, format!("over-{number}"));
        format!(
            "m{number}: deposit(input: {{ accountId: \"{id}\", amount: \"1.00\", \
             idempotencyKey: \"{key}\" }}) {{ account {{ id }} }}"
        )
    });
    let too_many = format!("mutation {{ {} }}", commands.collect::<Vec<_>>().join(" "));
    assert_eq!(codes(&ask(&address, &too_many, json!({})).await), ["operation_too_large"]);
    let page = "nodes { payee { account { transfers(first: 200) {";
    let too_much = format!("{{ transfers(first: 200) {{ {page} {page} nodes {{ id }} }} }} }} }}");
    let too_much = format!("{too_much} }} }} }} }} }} }}");
    let refused = ask(&address, &too_much, json!({})).await;
    assert_eq!(codes(&refused), ["operation_too_complex"], "{refused}");
    let body = json!({ "query": "{ banks { nodes { name } } }" }).to_string();
    let plain = [("content-type", "text/plain")];
    let (status, answer) = post(&address, "/graphql", &plain, &body).await;
    assert!(status == 400 && answer.contains("content_type_unsupported"), "{answer}");
    let foreign = [("content-type", "application/json"), ("origin", "http://evil.example")];
    let (status, answer) = post(&address, "/graphql", &foreign, &body).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, codes(&answer)), (403, vec!["origin_foreign"]), "{answer}");
    assert_eq!(scene.snapshot().await, before, "nothing has moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_that_is_no_text_is_refused_with_a_code_and_its_place() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let address = hub.addresses().http.clone();
    let (ana, _bia, key) = customers(&scene).await;
    let mut as_variable = order(&ana, &key, "", "number");
    as_variable["input"]["amount"] = json!(12.34);
    let id = &ana.id;
    let as_literal = format!(
        "mutation {{\n  requestTransfer(input: {{ accountId: \"{id}\", payeeKey: \"{key}\", \
         amount: 12.34, idempotencyKey: \"literal\" }}) {{ order {{ endToEndId }} }}\n}}"
    );
    for (query, variables, line) in [(SEND, as_variable, 2), (&as_literal, json!({}), 2)] {
        let answer = ask(&address, query, variables).await;
        assert_eq!(codes(&answer), ["scalar_not_a_text"], "{answer}");
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["kind"], "INVALID_ARGUMENT", "{answer}");
        assert_eq!(error["locations"][0]["line"], line, "{answer}");
        assert_eq!(error["path"], json!(["requestTransfer"]), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_behind_says_so_and_takes_no_other_along() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let address = hub.addresses().http.clone();
    let (ana, bia, _key) = customers(&scene).await;
    let query = "query($ana: ID!, $bia: ID!) {
        ana: account(id: $ana) { balance(minVersion: 1) { available } }
        bia: account(id: $bia) { owner { name } balance(minVersion: 1000) { available } }
    }";
    let ids = json!({ "ana": ana.id, "bia": bia.id });
    eventually(async || {
        let answer = ask(&address, query, ids.clone()).await;
        let known = &answer["data"]["ana"]["balance"]["available"];
        if *known == "100.00" { Ok(()) } else { Err(answer) }
    })
    .await;
    let answer = ask(&address, query, ids).await;
    assert_eq!(codes(&answer), ["balance_behind"], "{answer}");
    let data = json!({
        "ana": { "balance": { "available": "100.00" } },
        "bia": { "owner": { "name": "Bia Lima" }, "balance": null },
    });
    assert_eq!(answer["data"], data);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_playground_is_served_with_all_that_it_needs() {
    let hub = TestHub::start().await;
    let address = hub.addresses().http.clone();
    let (status, page) = get(&address, "/graphql").await;
    assert!(status == 200 && page.contains("id=\"playground\""), "{page}");
    let files: Vec<&str> =
        page.split('"').filter(|part| part.starts_with("/graphql/assets/")).collect();
    assert!(!files.is_empty());
    for file in files {
        assert_eq!(get(&address, file).await.0, 200, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_in_two_processes_are_one_graph_and_one_that_is_gone_fails_alone() {
    let mut desk = TestHub::with(HubOptions {
        name: "desk",
        contexts: "pix-keys,transfers,balances",
        ..HubOptions::default()
    })
    .await;
    let part = |name: &str| format!("http://{}/subgraphs/{name}", desk.addresses().internal);
    let secret = Tls::before(&desk.addresses().internal).await;
    let front = desk
        .beside(HubOptions {
            name: "front",
            contexts: "banking",
            pix_keys_url: desk.url(),
            variables: vec![
                ("CODEPIX_GRAPH", "true".to_owned()),
                ("SUBGRAPH_PIX_KEYS_URL", part("pix-keys")),
                ("SUBGRAPH_TRANSFERS_URL", secret.url("/subgraphs/transfers")),
                ("SUBGRAPH_BALANCES_URL", secret.url("/subgraphs/balances")),
                ("SUBGRAPH_CA_FILE", secret.authority().display().to_string()),
            ],
            ..HubOptions::default()
        })
        .await;
    let address = front.addresses().http.clone();
    let mut scene = desk.scene();
    scene.banking = front.client().clone();
    let (ana, bia, key) = customers(&scene).await;
    let follow = "subscription($ispb: Ispb!) { transferUpdated(ispb: $ispb) {
        state payer { account { owner { name } } }
    } }";
    let mut events = Events::of(&address, follow, json!({ "ispb": ana.ispb })).await;
    let sent = data(&address, SEND, order(&ana, &key, "1.00", "first")).await;
    let id = sent["requestTransfer"]["order"]["endToEndId"].as_str().unwrap();
    let event = events.next().await["transferUpdated"].take();
    let payer = json!({ "account": { "owner": { "name": "Ana Souza" } } });
    assert_eq!(event, json!({ "state": "PENDING", "payer": payer }));
    scene.reaches(id, TransferState::Completed).await;
    eventually(async || {
        let answer = ask(&address, JOINED, json!({ "id": bia.id })).await;
        let balance = answer["data"]["account"]["balance"]["available"].clone();
        if balance == "1.00" { Ok(()) } else { Err(answer) }
    })
    .await;
    assert_eq!(get(&address, "/health/ready").await.0, 200);
    desk.kill();
    let here = ask(
        &address,
        "query($id: ID!) { account(id: $id) {
        owner { name } balance { available }
    } }",
        json!({ "id": bia.id }),
    )
    .await;
    let account = json!({ "owner": { "name": "Bia Lima" }, "balance": null });
    assert_eq!(here["data"]["account"], account, "{here}");
    assert_eq!(codes(&here), ["subgraph_unavailable"]);
    let (status, ready) = get(&address, "/health/ready").await;
    assert!(status == 503 && ready.contains("graph.balances"), "{ready}");
}

const OPERATOR: &str = "the-operator-s-token";
const FIRST_BANK: &str = "token-of-the-first-bank";

/// Tokens of a hub that asks for them.
fn guarded() -> HubOptions {
    HubOptions {
        tokens: "operator=the-operator-s-token,00000001=token-of-the-first-bank",
        token: Some(OPERATOR),
        ..HubOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_known_in_every_part_also_in_another_process() {
    let desk = TestHub::with(HubOptions {
        name: "desk",
        contexts: "pix-keys,transfers,balances",
        ..guarded()
    })
    .await;
    let part = |name: &str| format!("http://{}/subgraphs/{name}", desk.addresses().internal);
    let front = desk
        .beside(HubOptions {
            name: "front",
            contexts: "banking",
            pix_keys_url: desk.url(),
            variables: vec![
                ("CODEPIX_GRAPH", "true".to_owned()),
                ("SUBGRAPH_PIX_KEYS_URL", part("pix-keys")),
                ("SUBGRAPH_TRANSFERS_URL", part("transfers")),
                ("SUBGRAPH_BALANCES_URL", part("balances")),
            ],
            ..guarded()
        })
        .await;
    let address = front.addresses().http.clone();
    let mut scene = desk.scene();
    scene.banking = front.client().clone();
    let (ana, bia, _) = customers(&scene).await;
    let query = "query($id: ID!) { account(id: $id) {
        number bank { name } keys { nodes { key } } balance { available }
    } }";
    let told = async |token, account: &Account| {
        ask_as(Some(token), &address, query, json!({ "id": account.id })).await
    };
    eventually(async || {
        let answer = told(OPERATOR, &bia).await;
        let account = &answer["data"]["account"];
        let is_told = account["number"].is_string() && account["balance"].is_object();
        if is_told { Ok(()) } else { Err(answer) }
    })
    .await;
    eventually(async || {
        let answer = told(FIRST_BANK, &ana).await;
        let account = &answer["data"]["account"];
        let is_told =
            account["bank"]["name"] == "Bank 001" && account["balance"]["available"] == "100.00";
        if is_told { Ok(()) } else { Err(answer) }
    })
    .await;
    let foreign = told(FIRST_BANK, &bia).await;
    assert_eq!(foreign["data"]["account"], Value::Null, "as if it were not there: {foreign}");
    // Its parts let nobody in without a token, and are there all the same.
    let (status, ready) = get(&address, "/health/ready").await;
    assert_eq!(status, 200, "{ready}");
    let all = "{ transfers { nodes { id } } }";
    let refused = ask_as(Some(FIRST_BANK), &address, all, json!({})).await;
    assert_eq!(codes(&refused), ["operator_only"]);
    for (token, code) in [(None, "token_missing"), (Some("nobody-s-own-token"), "token_unknown")] {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let body = json!({ "query": all }).to_string();
        let (status, answer) = post(&address, "/graphql", &headers, &body).await;
        assert!(status == 401 && answer.contains(code), "{status} {answer}");
    }
    assert_eq!(get(&address, "/graphql").await.0, 200, "the playground itself tells nothing");
}
