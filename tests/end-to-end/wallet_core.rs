//! Wallet Core's protocol from outside: its API, what its readers hear, and what it says itself.

use serde_json::{Value, json};
use shared_kernel::application::{Clock as _, InboundRecord, OutboundRecord};
use shared_kernel::domain::Timestamp;
use shared_kernel::infrastructure::system::SystemClock;

use crate::support::http::{get, post};
use crate::support::operator::{doctor, same_again};
use crate::support::{HubOptions, Log, TestHub, eventually};

const JOHN: &str = "912ca3ff-59d4-4640-acd8-76eb1faf0dbe";
const JANE: &str = "31fb673a-012a-4cfc-8dc9-7a9ad0219437";
const STRANGER: &str = "11111111-2222-4333-8444-555555555555";

fn options(contexts: &'static str) -> HubOptions {
    let variables = vec![("CODEPIX_DEMO_DATA", "true".into())];
    HubOptions { contexts, wallet_core: true, variables, ..HubOptions::default() }
}

async fn ask(hub: &TestHub, path: &str, body: Value) -> (u16, Value) {
    ask_with(hub, path, &[], body).await
}

async fn ask_with(
    hub: &TestHub,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> (u16, Value) {
    let (status, answer) = post(&hub.addresses().http, path, headers, &body.to_string()).await;
    (status, serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

async fn seen(hub: &TestHub, account: &str) -> Value {
    let address = hub.addresses().balances.clone().expect("the hub serves balances");
    let (status, body) = get(&address, &format!("/balances/{account}")).await;
    let mut body: Value = serde_json::from_str(&body).unwrap();
    body["http"] = json!(status);
    body
}

/// Waits until an account has that much on the read side.
async fn has(hub: &TestHub, account: &str, balance: impl Into<Value>) -> Value {
    let balance = balance.into();
    eventually(async || {
        let seen = seen(hub, account).await;
        if seen["balance"] == balance { Ok(seen) } else { Err(seen) }
    })
    .await
}

/// Waits until a topic has so many records.
async fn heard(log: &Log, topic: &str, count: usize) -> Vec<InboundRecord> {
    eventually(async || {
        let records = log.records(topic).await;
        if records.len() == count { Ok(records) } else { Err(records.len()) }
    })
    .await
}

fn text(record: &InboundRecord) -> String {
    String::from_utf8(record.payload.clone().unwrap()).unwrap()
}

/// A message of the original program at a time of its own.
fn message(hub: &TestHub, topic: &str, millis: i64, body: &str) -> OutboundRecord {
    OutboundRecord {
        topics: vec![hub.servers.kafka.named(topic)],
        key: None,
        headers: Vec::new(),
        payload: Some(body.as_bytes().to_vec()),
        time: Some(Timestamp::from_millis(millis).unwrap()),
    }
}

fn updated(from: &str, to: &str, balances: [&str; 2]) -> String {
    let [one, other] = balances;
    format!(
        "{{\"Name\":\"BalanceUpdated\",\"Payload\":{{\"account_id_from\":\"{from}\",\
         \"account_id_to\":\"{to}\",\"balance_account_id_from\":{one},\
         \"balance_account_id_to\":{other}}}}}"
    )
}

/// Refusals, each by its code, of a hub where Ana has an account.
async fn refuses(hub: &TestHub, ana: &str) {
    for (path, body, code) in [
        (
            "/transactions",
            json!({"account_id_from": JOHN, "account_id_to": ana, "amount": 99999}),
            "insufficient_funds",
        ),
        (
            "/transactions",
            json!({"account_id_from": STRANGER, "account_id_to": ana, "amount": 1}),
            "account_not_found",
        ),
        (
            "/transactions",
            json!({"account_id_from": JOHN, "account_id_to": STRANGER, "amount": 1}),
            "payee_account_unknown",
        ),
        (
            "/transactions",
            json!({"account_id_from": JOHN, "account_id_to": JOHN, "amount": 1}),
            "payer_is_payee",
        ),
        (
            "/transactions",
            json!({"account_id_from": JOHN, "account_id_to": ana, "amount": 0}),
            "amount_out_of_range",
        ),
        ("/accounts", json!({"client_id": STRANGER}), "client_not_found"),
        ("/clients", json!({"name": "", "email": "a@a.com"}), "owner_name_shape"),
        ("/clients", json!({"email": "a@a.com"}), "body_shape"),
    ] {
        let (status, refused) = ask(hub, path, body).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_open_accounts_and_pay_and_readers_hear_of_it() {
    let hub = TestHub::with(options("")).await;
    has(&hub, JOHN, 1000.0).await;
    has(&hub, JANE, 1000.0).await;
    let (status, client) = ask(&hub, "/clients", json!({"name": "Ana", "email": "a@a.com"})).await;
    assert_eq!((status, &client["id"]), (201, &client["ID"]));
    assert_eq!((&client["name"], &client["Email"]), (&json!("Ana"), &json!("a@a.com")));
    let (status, account) = ask(&hub, "/accounts", json!({"client_id": client["id"]})).await;
    assert_eq!((status, &account["id"], &account["balance"]), (201, &account["ID"], &json!(0)));
    let ana = account["id"].as_str().unwrap().to_owned();

    let order = json!({"account_id_from": JOHN, "account_id_to": ana, "amount": 10.05});
    let key = [("idempotency-key", "e2e-1")];
    let (status, paid) = ask_with(&hub, "/transactions", &key, order.clone()).await;
    assert_eq!((status, &paid["amount"]), (201, &json!(10.05)), "{paid}");
    assert_eq!(ask_with(&hub, "/transactions", &key, order.clone()).await, (201, paid.clone()));
    let back = json!({"account_from_id": ana, "account_to_id": JANE, "amount": 0.05});
    assert_eq!(ask(&hub, "/transactions", back).await.0, 201);
    has(&hub, JOHN, 989.95).await;
    let seen = has(&hub, &ana, 10.0).await;
    assert_eq!((&seen["account_id"], &seen["external"]), (&json!(ana), &json!(false)));
    has(&hub, JANE, 1000.05).await;

    let log = Log::of(&hub.servers);
    let id = paid["id"].as_str().unwrap();
    let told = heard(&log, "transactions", 2).await;
    let created = format!(
        "{{\"Name\":\"TransactionCreated\",\"Payload\":{{\"id\":\"{id}\",\
         \"account_id_from\":\"{JOHN}\",\"account_id_to\":\"{ana}\",\"amount\":10.05}}}}"
    );
    // Its topic has many partitions and its records no key: they are in no order.
    assert!(told.iter().any(|it| text(it) == created), "{created}");
    let balances = heard(&log, "balances", 2).await;
    let texts: Vec<String> = balances.iter().map(text).collect();
    let expected =
        [updated(JOHN, &ana, ["989.95", "10.05"]), updated(&ana, JANE, ["10", "1000.05"])];
    assert_eq!(texts, expected);
    let is_bare = |it: &InboundRecord| it.headers.iter().all(|(name, _)| name == "traceparent");
    assert!(told.iter().chain(&balances).all(|it| it.key.is_none() && is_bare(it)));
    assert!(balances[0].broker_time > Timestamp::EPOCH);

    refuses(&hub, &ana).await;
    doctor(&hub.servers).await;
    same_again(&hub.servers, &["--dry-run"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_programs_messages_are_followed_until_our_own_api_moves_the_money() {
    let mut hub = TestHub::with(options("")).await;
    has(&hub, JOHN, 1000.0).await;
    has(&hub, JANE, 1000.0).await;
    let now = SystemClock.now().millis();
    let upper = updated(JOHN, JANE, ["900", "1100"]);
    let lower = format!(
        "{{\"name\":\"BalanceUpdated\",\"payload\":{{\"account_from_id\":\"{JOHN}\",\
         \"account_to_id\":\"{STRANGER}\",\"balance_account_from\":899.9999999999999,\
         \"balance_account_to\":0.30000000000000004}}}}"
    );
    let opened = r#"{"Name":"AccountCreated","Payload":"22222222-2222-4333-8444-555555555555"}"#;
    hub.servers
        .write(&[
            message(&hub, "balances", now, &upper),
            message(&hub, "balances", now + 1, "{\"Name\":\"BalanceUpdated\",\"Payload\":{}}"),
            message(&hub, "balances", now + 9, &lower),
            // Offset order is not time order; repeats are harmless.
            message(&hub, "balances", now + 5, &updated(JOHN, JANE, ["1", "1200.5"])),
            message(&hub, "balances", now + 9, &lower),
            message(&hub, "accounts", now, opened),
            message(&hub, "accounts", now, "no json"),
        ])
        .await;
    let stranger = has(&hub, STRANGER, 0.30).await;
    assert_eq!((&stranger["external"], &stranger["version"]), (&json!(true), &Value::Null));
    has(&hub, JOHN, 900.0).await;
    has(&hub, JANE, 1200.5).await;
    let created = has(&hub, "22222222-2222-4333-8444-555555555555", 0.0).await;
    assert_eq!(created["external"], json!(true));
    let log = Log::of(&hub.servers);
    let letters = log.letters("balances", 1).await;
    assert_eq!(letters[0].header("dlq_code"), Some("payload_json"));
    assert_eq!(log.letters("accounts", 1).await.len(), 1);

    // A rebuild, a kill and a hub that comes later find the same.
    let swapped = same_again(&hub.servers, &[]).await;
    assert_eq!(swapped["outcome"], "swapped");
    hub.kill();
    hub.restart().await;
    has(&hub, STRANGER, 0.30).await;
    has(&hub, JANE, 1200.5).await;

    // Our own API moves their money: the books count from now on.
    let order = json!({"account_id_from": JOHN, "account_id_to": JANE, "amount": 100});
    assert_eq!(ask(&hub, "/transactions", order).await.0, 201);
    has(&hub, JOHN, 900.0).await;
    has(&hub, JANE, 1100.0).await;
    let late = updated(JOHN, STRANGER, ["5", "7"]);
    hub.servers.write(&[message(&hub, "balances", now + 90_000, &late)]).await;
    has(&hub, STRANGER, 7.0).await;
    assert_eq!(seen(&hub, JOHN).await["balance"], json!(900.0));
    doctor(&hub.servers).await;
    same_again(&hub.servers, &["--dry-run"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_alone_stands_beside_the_original_program() {
    let hub = TestHub::with(options("balances")).await;
    let john = has(&hub, JOHN, 1000.0).await;
    assert_eq!((&john["account_id"], &john["external"]), (&json!(JOHN), &json!(true)));
    // A message of any age counts more than a fixture.
    let body = updated(JOHN, JANE, ["990", "1010"]);
    hub.servers.write(&[message(&hub, "balances", 1_000, &body)]).await;
    has(&hub, JOHN, 990.0).await;
    has(&hub, JANE, 1010.0).await;
    let swapped = same_again(&hub.servers, &[]).await;
    assert_eq!((&swapped["outcome"], &swapped["live"]["external"]), (&json!("swapped"), &json!(4)));
    let nobody = seen(&hub, STRANGER).await;
    assert_eq!((&nobody["http"], &nobody["code"]), (&json!(404), &json!("balance_unknown")));
}
