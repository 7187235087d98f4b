//! Banks whose programs are not ours: keys over gRPC, transfers in all pairings over Kafka,
//! repeats, lateness and kills. What such a program is told to credit, it credits; so it is told
//! once.

use std::collections::BTreeMap;
use std::time::Duration;

use codepix::client::transfers::TransferState;
use serde_json::{Value, json};
use shared_kernel::application::Ids as _;
use shared_kernel::infrastructure::system::SystemIds;
use tonic::{Code, Status};

use crate::support::log::{BANK_MESSAGES, TRANSFERS};
use crate::support::operator::{doctor, operate, operate_json};
use crate::support::program::{PACKAGE, PixKey, PixKeyInfo, Program, call};
use crate::support::{HubOptions, Log, TestHub, eventually};

/// How often each thing was told.
fn told(inbox: &[Value], status: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for message in inbox.iter().filter(|message| message["status"] == status) {
        let id = message["id"].as_str().unwrap().to_owned();
        let count: &mut usize = counts.entry(id).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

async fn find(hub: &TestHub, package: &str, kind: &str, key: &str) -> Result<PixKeyInfo, Status> {
    let message = PixKey { kind: kind.to_owned(), key: key.to_owned() };
    call(hub.client(), package, "Find", message).await
}

/// The one transfer of the hub, once it is in this state.
async fn only_transfer(hub: &TestHub, state: TransferState) -> String {
    let scene = hub.scene();
    eventually(async || {
        let found = scene.transfers_in(state).await;
        let ids: Vec<String> = found.into_iter().map(|it| it.end_to_end_id).collect();
        if let [id] = ids.as_slice() { Ok(id.clone()) } else { Err(ids) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_registered_found_and_not_found_as_programs_expect() {
    let hub = TestHub::start().await;
    let program = Program::start(&hub, "001").await;
    let first = program.register("email", "Maria.Silva@Example.com").await.unwrap();
    assert_eq!((first.status.as_str(), first.error.as_str()), ("created", ""));
    let again = program.register("email", "maria.silva@example.com").await.unwrap();
    assert_eq!(again.id, first.id, "a repeat gets the first id");

    let found = find(&hub, PACKAGE, "email", "maria.silva@example.com").await.unwrap();
    assert_eq!((found.id.as_str(), found.kind.as_str()), (first.id.as_str(), "email"));
    let account = found.account.unwrap();
    assert_eq!(account.account_id, program.account_id);
    assert_eq!((account.bank_id.as_str(), account.bank_name.as_str()), ("001", "Bank 001"));
    assert!(!found.created_at.is_empty());

    for (package, sentence) in [
        (PACKAGE, "no key was found"),
        ("github.com.mazyn.codepix", "no key was found"),
        ("github.com.rodrigoorlandini.codepixgo", "Pix Key was not found."),
    ] {
        for key in ["nobody@example.com", "no key at all"] {
            let refused = find(&hub, package, "email", key).await.unwrap_err();
            assert_eq!((refused.message(), refused.code()), (sentence, Code::NotFound));
        }
    }
    let unknown = find(&hub, "github.com.nobody.codepix", "email", "a@b.com").await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    let refused = program.register("cpf", "not a cpf").await.unwrap_err();
    assert!(refused.message().contains("CPF"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pairing_completes() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (Program::start(&hub, "001").await, Program::start(&hub, "NLB").await);
    let three = scene.enrol("003").await;
    let ana = scene.account(&three, "Ana", 10_000).await;
    let anas_key = scene.key(&ana).await;

    // From one program to another.
    let id = one.order("10.5", &two.key).await;
    let pending = two.hears(&id, "pending").await;
    let expected = json!({
        "id": id, "accountId": one.account_id, "amount": 10.5, "pixKeyTo": two.key,
        "pixKeyKindTo": "email", "pixKeyToKind": "email", "description": "", "status": "pending",
        "error": "",
    });
    assert_eq!(pending, expected);
    two.confirm(&id, "confirmed").await;
    one.hears(&id, "confirmed").await;
    one.confirm(&id, "completed").await;
    only_transfer(&hub, TransferState::Completed).await;

    // From a program to a bank of this hub.
    let id = one.order("25", &anas_key).await;
    one.hears(&id, "confirmed").await;
    scene.has(&ana, 12_500, 0).await;
    one.confirm(&id, "completed").await;

    // From a bank of this hub to a program.
    scene.send(&ana, &two.key, 2_000).await;
    let pending = eventually(async || {
        let inbox = two.inbox().await;
        let found = inbox.iter().find(|it| it["accountId"] == json!(ana.id)).cloned();
        found.ok_or_else(|| format!("{inbox:?}"))
    })
    .await;
    assert_eq!((&pending["amount"], &pending["status"]), (&json!(20), &json!("pending")));
    two.confirm(pending["id"].as_str().unwrap(), "confirmed").await;
    scene.has(&ana, 10_500, 0).await;

    // From a bank to itself, through the hub: positions stay.
    let before = scene.positions().await;
    let id = one.order("7", &one.key).await;
    one.hears(&id, "pending").await;
    one.confirm(&id, "confirmed").await;
    one.hears(&id, "confirmed").await;
    one.confirm(&id, "completed").await;
    eventually(async || {
        let open = scene.transfers_in(TransferState::Completed).await.len();
        if open == 4 { Ok(()) } else { Err(open) }
    })
    .await;
    assert_eq!(scene.positions().await, before);
    doctor(&hub.servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_repeated_is_one_transfer_and_its_refusal_is_told() {
    let hub = TestHub::start().await;
    let (one, two) = (Program::start(&hub, "001").await, Program::start(&hub, "002").await);
    let id = SystemIds.random().to_string();
    for _ in 0..3 {
        one.order_as(&id, "1.10", &two.key).await;
    }
    two.hears(&id, "pending").await;
    two.confirm(&id, "confirmed").await;
    two.confirm(&id, "confirmed").await;
    one.hears(&id, "confirmed").await;
    one.order_as(&id, "1.1", &two.key).await;

    let refusals = [("5", "nobody@example.com"), ("0", &two.key), ("1.001", &two.key)];
    let mut ids = Vec::new();
    for (amount, key) in refusals {
        ids.push(one.order(amount, key).await);
    }
    for id in &ids {
        assert!(!one.hears(id, "error").await["error"].as_str().unwrap().is_empty());
    }
    // Another order under the id of the first is neither taken nor answered.
    one.order_as(&id, "99", &two.key).await;
    two.write("transactions", "{".to_owned()).await;
    two.write("transactions", r#"{"Name":"TransactionCreated","Payload":{}}"#.to_owned()).await;
    let letters = Log::of(&hub.servers).letters("transactions", 2).await;
    let code = |letter: &shared_kernel::application::InboundRecord| {
        letter.header("dlq_code").unwrap().to_owned()
    };
    let mut codes: Vec<String> = letters.iter().map(code).collect();
    codes.sort();
    assert_eq!(codes, ["order_content_differs", "payload_json"]);
    assert_eq!(told(&two.inbox().await, "pending"), BTreeMap::from([(id.clone(), 1)]));
    assert!(!told(&one.inbox().await, "error").contains_key(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_any_size_stops_nobody_else() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let one = Program::start(&hub, "001").await;
    let (two, three) = (scene.enrol("002").await, scene.enrol("003").await);
    let ana = scene.account(&two, "Ana", 10_000).await;
    let bia = scene.account(&three, "Bia", 0).await;
    let order = |id: &str, length: usize| {
        // A refusal has the kind of the key twice.
        let kind = "k".repeat(length);
        let order = json!({
            "id": id, "accountId": one.account_id, "amount": 1, "pixKeyTo": "nobody@example.com",
            "pixKeyKindTo": kind,
        });
        order.to_string()
    };
    let (huge, large) = (SystemIds.random().to_string(), SystemIds.random().to_string());
    one.write("transactions", order(&huge, 900_000)).await;
    one.write("transactions", order(&large, 15_000)).await;
    let letters = Log::of(&hub.servers).letters("transactions", 1).await;
    assert_eq!(letters[0].header("dlq_code"), Some("order_too_large"));
    let refused = one.hears(&large, "error").await;
    assert_eq!(refused["pixKeyKindTo"], "k".repeat(20));
    let sent = scene.send(&ana, &scene.key(&bia).await, 1_000).await.end_to_end_id;
    scene.reaches(&sent, TransferState::Completed).await;
    doctor(&hub.servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_waits_for_its_bank_or_an_operator() {
    let deadline = "1s";
    let hub = TestHub::with(HubOptions { deadline, ..HubOptions::default() }).await;
    let scene = hub.scene();
    let (one, two) = (Program::start(&hub, "001").await, Program::start(&hub, "002").await);
    let three = scene.enrol("003").await;
    let ana = scene.account(&three, "Ana", 10_000).await;

    // A bank that confirms late: the hold of the payer waits for it.
    scene.send(&ana, &two.key, 1_000).await;
    let pending = two.hears_of_credit().await;
    let id = only_transfer(&hub, TransferState::Pending).await;
    let log = Log::of(&hub.servers);
    log.event(TRANSFERS, &id, "codepix.transfers.TransferOverdue.v1").await;
    scene.has(&ana, 9_000, 1_000).await;
    two.confirm(pending["id"].as_str().unwrap(), "confirmed").await;
    scene.reaches(&id, TransferState::Completed).await;
    scene.has(&ana, 9_000, 0).await;

    // One that never says anything, and an operator who asks it.
    let order = one.order("3", &two.key).await;
    two.hears(&order, "pending").await;
    let id = only_transfer(&hub, TransferState::Pending).await;
    log.event(TRANSFERS, &id, "codepix.transfers.TransferOverdue.v1").await;
    let url = hub.url();
    let list = ["transfer", "list", "--state", "pending", "--hub", &url];
    let listed = operate(&hub.servers, &list).await.printed;
    assert!(listed.contains("OVERDUE") && listed.contains(&order), "{listed}");
    // By the id that both banks know it by.
    let decide = |word: &'static str| ["transfer", word, &order, "--hub", &url, "--json"];
    let reason = ["--reason", "they looked it up"];
    let words = [&decide("resolve")[..], &["--as", "refused"], &reason].concat();
    let resolved = operate_json(&hub.servers, &words).await;
    assert_eq!(
        (&resolved[0]["state"], &resolved[0]["end_to_end_id"]),
        (&json!("rejected"), &json!(id))
    );
    one.hears(&order, "error").await;
    let again = operate(&hub.servers, &words).await;
    assert_ne!(again.code, Some(0), "{again:?}");

    let acknowledge = [&decide("acknowledge")[..], &["--reason", "they paid it back"]].concat();
    let early = operate(&hub.servers, &acknowledge).await;
    assert!(format!("{early:?}").contains("transfer_not_contradicted"), "{early:?}");

    // It had credited all the same: nothing changes, and the doctor says so, until the banks have
    // settled it.
    two.confirm(&order, "confirmed").await;
    eventually(async || {
        let ran = operate(&hub.servers, &["doctor", "--json"]).await;
        let found = ran.code != Some(0) && ran.printed.contains("credited_after_refusal");
        if found && ran.printed.contains(&order) { Ok(()) } else { Err(ran.printed) }
    })
    .await;
    let shown = operate_json(&hub.servers, &acknowledge).await.remove(0);
    assert_eq!(shown["resolution"]["acknowledgement"], "they paid it back");
    let ran = operate(&hub.servers, &["doctor", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.printed.contains("they paid it back"), "{ran:?}");
    scene.reaches(&id, TransferState::Rejected).await;
    assert_eq!(told(&two.inbox().await, "pending").values().sum::<usize>(), 2);
    let native = log.records_of(BANK_MESSAGES, &id).await;
    assert!(native.is_empty(), "no bank of ours spoke of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_changes_its_protocol_only_when_nothing_is_open() {
    let hub = TestHub::start().await;
    let (one, two) = (Program::start(&hub, "001").await, Program::start(&hub, "002").await);
    let id = one.order("1", &two.key).await;
    two.hears(&id, "pending").await;
    let url = hub.url();
    let rename = ["bank", "enrol", "--code", "002", "--name", "Banco 002", "--hub", &url, "--json"];
    let enrol = [&rename[..], &["--protocol", "native"]].concat();
    let refused = operate(&hub.servers, &enrol).await;
    assert!(format!("{refused:?}").contains("bank_has_open_transfers"), "{refused:?}");
    let renamed = operate_json(&hub.servers, &rename).await;
    assert_eq!(renamed[0]["name"], "Banco 002", "a name changes at any time");
    assert_eq!(renamed[0]["protocol"], "classic", "what is not named stays");
    two.confirm(&id, "confirmed").await;
    one.hears(&id, "confirmed").await;
    one.confirm(&id, "completed").await;
    only_transfer(&hub, TransferState::Completed).await;
    let renamed = operate_json(&hub.servers, &rename).await;
    assert_eq!(renamed[0]["protocol"], "classic", "with nothing open too");
    let enrolled = operate_json(&hub.servers, &enrol).await;
    assert_eq!(enrolled[0]["protocol"], "native");
    // Its program goes on, and is told that it does not order any more.
    let late = two.order("1", &one.key).await;
    two.hears(&late, "error").await;
    doctor(&hub.servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_the_hub_hands_each_transfer_over_exactly_once() {
    const ORDERS: usize = 40;
    let mut hub = TestHub::start().await;
    let (one, two) = (Program::start(&hub, "001").await, Program::start(&hub, "002").await);
    let mut ids = Vec::new();
    for round in 0..4_u64 {
        for _ in 0..ORDERS.div_euclid(4) {
            ids.push(one.order("1.01", &two.key).await);
        }
        // Not a wait for anything: each round is cut off elsewhere.
        let moment = Duration::from_millis(round.saturating_mul(60));
        drop(tokio::time::timeout(moment, std::future::pending::<()>()).await);
        hub.kill();
        hub.restart().await;
    }
    for id in &ids {
        two.hears(id, "pending").await;
        two.confirm(id, "confirmed").await;
    }
    hub.kill();
    hub.restart().await;
    for id in &ids {
        one.hears(id, "confirmed").await;
        one.confirm(id, "completed").await;
    }
    let scene = hub.scene();
    eventually(async || {
        let completed = scene.transfers_in(TransferState::Completed).await.len();
        if completed == ORDERS { Ok(()) } else { Err(completed) }
    })
    .await;
    let counts = told(&two.inbox().await, "pending");
    assert_eq!(counts.len(), ORDERS);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    doctor(&hub.servers).await;
}
