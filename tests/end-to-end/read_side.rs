//! The read side over HTTP, past and present, and rebuilt while money moves.

use std::time::Duration;

use codepix::client::transfers::TransferState;
use serde_json::{Value, json};
use shared_kernel::domain::Money;
use shared_kernel::testing::ForeignEvent;

use crate::support::binary::Process;
use crate::support::http::get;
use crate::support::operator::{on, operate, same_again};
use crate::support::{Scene, TestHub, at_rest, eventually};

const DEPOSITED: &str = "codepix.banking.AmountDeposited.v1";

async fn ask(hub: &TestHub, path: &str) -> (u16, Value) {
    let address = hub.addresses().balances.clone().expect("the hub serves balances");
    let (status, body) = get(&address, path).await;
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_and_statements_are_served_over_http() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 1_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let id = scene.send(&ana, &key, 250).await.end_to_end_id;
    scene.reaches(&id, TransferState::Completed).await;
    at_rest(&hub, &scene).await;

    let (status, balance) = ask(&hub, &format!("/balances/{}", ana.id)).await;
    assert_eq!((status, &balance["balance"]), (200, &json!(7.50)));
    assert_eq!((&balance["available"], &balance["held"]), (&json!(7.50), &json!(0.0)));
    // The other side is known once the hub's own event has arrived.
    let line = eventually(async || {
        let (_, statement) = ask(&hub, &format!("/balances/{}/statement", ana.id)).await;
        let line = statement["lines"][0].clone();
        if line["payee_key"].is_null() { Err(statement) } else { Ok(line) }
    })
    .await;
    assert_eq!((&line["kind"], &line["amount"]), (&json!("transfer_sent"), &json!(2.50)));
    assert_eq!(line["counterparty"]["account_id"], json!(bia.id));
    assert_eq!((&line["end_to_end_id"], &line["payee_key"]), (&json!(id), &json!(key)));
    let at = line["occurred_at"].as_str().unwrap();
    let (_, then) = ask(&hub, &format!("/balances/{}?at={at}", ana.id)).await;
    assert_eq!(then["version"], line["version"]);
    let version = balance["version"].as_i64().unwrap();
    let path = format!("/balances/{}?min_version={version}", ana.id);
    assert_eq!(ask(&hub, &path).await, (200, balance));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_side_is_rebuilt_while_money_moves() {
    let mut hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let send = async |scene: &Scene| {
        for _ in 0..30 {
            scene.send(&ana, &key, 10).await;
        }
    };
    send(&scene).await;
    // Rebuilds that are killed wherever they are; the next takes their place.
    let folder = tempfile::tempdir().unwrap();
    for millis in [150, 300, 600] {
        let replay = on(&hub.servers, &["replay", "balances"]);
        let mut replay = Process::start(replay, folder.path(), "replay");
        drop(tokio::time::timeout(Duration::from_millis(millis), replay.end()).await);
        replay.kill();
    }
    let ((), swapped) = tokio::join!(send(&scene), same_again(&hub.servers, &[]));
    assert_eq!(
        (&swapped["outcome"], &swapped["differing_accounts"]),
        (&json!("swapped"), &json!(0))
    );
    // A hub that is killed and one that comes later find the same side.
    hub.kill();
    hub.restart().await;
    let scene = scene.moved_to(hub.client());
    send(&scene).await;
    at_rest(&hub, &scene).await;
    let compared = same_again(&hub.servers, &["--dry-run"]).await;
    assert_eq!(compared["outcome"], "equal");
    assert!(compared["rebuilt"]["entries"].as_i64() > swapped["rebuilt"]["entries"].as_i64());
    let past =
        operate(&hub.servers, &["replay", "balances", "--until", "2026-01-01T00:00:00Z"]).await;
    assert_eq!(past.code, Some(0), "{past:?}");
    assert!(past.printed.contains("0 accounts, 0 entries"), "{past:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_the_read_side_lacks_and_what_no_ledger_says() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let one = scene.enrol("001").await;
    let ana = scene.account(&one, "Ana Souza", 1_000).await;
    at_rest(&hub, &scene).await;
    let said = |account: &str, version: i64, centavos: i64| {
        let at = format!("2999-01-01T00:00:0{version}Z");
        let [available, held, amount] = [centavos, 0, 100].map(Money::from_centavos);
        let body = json!({ "account_id": account, "ispb": one, "owner_name": "Nobody",
            "available": available, "held": held, "amount": amount, "occurred_at": at });
        let event_type = if version == 1 { "codepix.banking.AccountOpened.v1" } else { DEPOSITED };
        let (source, subject) = ("/codepix/banking", account.to_owned());
        let event =
            ForeignEvent { event_type, source, subject, version, payload: body.to_string() };
        hub.servers.foreign("codepix.banking.accounts", event)
    };
    // One whose second event is lost, and one that is told a deposit that its bank never took.
    let torn = "00000000-0000-4000-8000-00000000dead";
    hub.servers.write(&[said(torn, 1, 0), said(torn, 3, 2), said(&ana.id, 3, 11)]).await;
    let wanted = [("read_side_gap", torn), ("read_side_differs", ana.id.as_str())];
    let report = eventually(async || {
        let ran = operate(&hub.servers, &["doctor", "--json"]).await;
        let report: Value = serde_json::from_str(&ran.printed).unwrap();
        let found = |(invariant, subject): &(&str, &str)| {
            let findings = report["findings"].as_array().unwrap();
            findings.iter().any(|it| it["invariant"] == *invariant && it["subject"] == *subject)
        };
        if ran.code == Some(1) && wanted.iter().all(found) { Ok(report) } else { Err(ran) }
    })
    .await;
    assert!(report.to_string().contains("versions 2 to 2"), "{report}");
}
