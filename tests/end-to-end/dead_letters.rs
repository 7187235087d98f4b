//! An order that the hub had to set aside: its bank finds it again, or an operator redrives it.

use codepix::client::banking::TransferState as Shown;
use codepix::client::transfers::TransferState;
use serde_json::{Value, json};

use crate::support::log::{BANK_MESSAGES, PARTICIPANTS, event};
use crate::support::operator::{operate, operate_json};
use crate::support::{Account, HubOptions, Log, Scene, TestHub, at_rest};

/// A bank whose enrolment the hub itself does not know, although everyone else has heard of it:
/// what it orders is set aside. Answers a customer of it, and the order's id.
async fn order_of_an_unknown_bank(hub: &TestHub, scene: &Scene) -> (Account, Account, String) {
    let two = scene.enrol("002").await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let log = Log::of(&hub.servers);
    log.put(&[event(
        PARTICIPANTS,
        "codepix.transfers.ParticipantEnrolled.v1",
        "00000009",
        &json!({
            "ispb": "00000009", "code": "009", "name": "Bank 009", "protocol": "native",
            "position_limit": null, "enrolled_at": "2026-01-02T03:04:05Z",
        }),
    )])
    .await;
    let ana = scene.account("00000009", "Ana Souza", 10_000).await;
    let id = scene.send(&ana, &key, 4_000).await.end_to_end_id;
    let letters = log.letters(BANK_MESSAGES, 1).await;
    assert_eq!(letters[0].header("dlq_code"), Some("payer_bank_unknown"));
    assert_eq!(letters[0].key.as_deref(), Some(id.as_bytes()));
    assert_eq!(scene.at_hub(&id).await, None);
    scene.has(&ana, 6_000, 4_000).await;
    (ana, bia, id)
}

/// The bank takes part now, and the transfer is paid.
async fn paid(hub: &TestHub, scene: &Scene, (ana, bia, id): &(Account, Account, String)) {
    scene.reaches(id, TransferState::Completed).await;
    scene.shows(ana, id, Shown::Settled).await;
    scene.has(ana, 6_000, 0).await;
    scene.has(bia, 4_000, 0).await;
    at_rest(hub, scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_set_aside_is_found_again_by_its_bank() {
    let hub = TestHub::with(HubOptions { deadline: "5s", ..HubOptions::default() }).await;
    let scene = hub.scene();
    let order = order_of_an_unknown_bank(&hub, &scene).await;
    assert_eq!(scene.enrol("009").await, "00000009");
    paid(&hub, &scene, &order).await;
    let log = Log::of(&hub.servers);
    let orders = log.records_of(BANK_MESSAGES, &order.2).await;
    let of_type = |record: &&_| header(record, "ce_type") == "codepix.banking.TransferRequested.v1";
    assert_eq!(orders.iter().filter(of_type).count(), 2, "the bank ordered it again");
}

fn header(record: &shared_kernel::application::InboundRecord, name: &str) -> String {
    record.header(name).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_shows_and_redrives_a_dead_letter() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let order = order_of_an_unknown_bank(&hub, &scene).await;
    let servers = &hub.servers;

    let listed = operate_json(servers, &["dlq", "list", "--json"]).await;
    let letters = listed[0]["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "{listed:?}");
    let letter = &letters[0];
    assert_eq!(letter["code"], "payer_bank_unknown");
    assert_eq!(letter["key"], json!(order.2));
    assert_eq!(letter["event_type"], "codepix.banking.TransferRequested.v1");
    assert_eq!(letter["redriven_at"], Value::Null);
    let address = letter["letter"].as_str().unwrap().to_owned();

    let shown = operate_json(servers, &["dlq", "show", &address, "--json"]).await;
    assert_eq!(shown[0]["body"]["end_to_end_id"], json!(order.2));
    assert!(shown[0]["reason"].as_str().unwrap().contains("00000009"), "{shown:?}");

    // The cause is not mended yet: what is redriven is set aside again.
    let redrive = ["dlq", "redrive", &address, "--yes", "--json"];
    let redriven = operate_json(servers, &redrive).await;
    assert_eq!(redriven[0]["letters"], json!([address]));
    let log = Log::of(servers);
    let waiting = async || {
        let listed = operate_json(servers, &["dlq", "list", "--json"]).await;
        let letters = listed[0]["letters"].as_array().unwrap().clone();
        let only = (letters.len() == 1).then(|| letters[0]["letter"].as_str().unwrap().to_owned());
        only.filter(|letter| *letter != address).ok_or(letters)
    };
    let second = crate::support::eventually(waiting).await;
    let again = operate(servers, &redrive).await;
    assert_ne!(again.code, Some(0), "a letter is redriven once: {again:?}");

    assert_eq!(scene.enrol("009").await, "00000009");
    operate_json(servers, &["dlq", "redrive", &second, "--yes", "--json"]).await;
    paid(&hub, &scene, &order).await;
    log.read_to_the_end().await;
    let listed = operate_json(servers, &["dlq", "list", "--json"]).await;
    assert_eq!(listed[0]["letters"], json!([]), "nothing is left to do");
}
