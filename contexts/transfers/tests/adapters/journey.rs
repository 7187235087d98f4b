//! The whole hub on real servers: transfers from order to end, through Kafka and back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use shared_kernel::application::{Caller, InboundRecord};
use shared_kernel::testing::TestServers;
use transfers::application::TransfersSettings;
use transfers::domain::TransferState;

use crate::harness::{
    BBX, CTER, Said, accepted, present_id_of, refused, requested, settled_by_payee,
    settled_by_payer, whole_life,
};
use crate::node::{Banks, Follower, Node};

const HUB: &str = "codepix.transfers";
const OF_BBX: &str = "codepix.bank.00000001";
const OF_CTER: &str = "codepix.bank.00000002";

fn kinds(records: &[InboundRecord]) -> Vec<&str> {
    records
        .iter()
        .map(|record| {
            let kind = record.header("ce_type").unwrap();
            kind.trim_start_matches("codepix.transfers.").trim_end_matches(".v1")
        })
        .collect()
}

/// Who has seen which event: its identity on each topic.
fn identity(record: &InboundRecord) -> (String, Vec<u8>) {
    (record.header("ce_id").unwrap().to_owned(), record.payload.clone().unwrap())
}

#[tokio::test]
async fn a_transfer_goes_from_order_to_completion() {
    let servers = TestServers::fresh().await;
    let node = Node::start(&servers).await;
    node.enrol(&["001", "002"]).await;
    let banks = Banks::new(&servers);
    let (mut hub, mut payer, mut payee) = (
        Follower::of(&servers, HUB),
        Follower::of(&servers, OF_BBX),
        Follower::of(&servers, OF_CTER),
    );
    let id = present_id_of(BBX, 1);
    banks.say(&[requested(id, CTER, 1_000)]).await;
    payee.until(|seen| !seen.is_empty()).await;
    assert_eq!(kinds(&payee.seen), ["TransferPending"]);

    let watched = node.facade.watch_transfer.execute(Caller::Operator, id);
    let mut watched = Box::pin(watched);
    let mut next = async || watched.next().await.unwrap().unwrap().standing().state;
    assert_eq!(next().await, TransferState::Pending);
    banks.say(&[accepted(id, CTER)]).await;
    assert_eq!(next().await, TransferState::Confirmed);
    banks.say(&[settled_by_payee(id, CTER), settled_by_payer(id)]).await;
    assert_eq!(next().await, TransferState::Completed);
    assert!(watched.next().await.is_none());

    hub.until(|seen| seen.len() == 3).await;
    payer.until(|seen| seen.len() == 2).await;
    payee.until(|seen| seen.len() == 3).await;
    let all = ["TransferPending", "TransferConfirmed", "TransferCompleted"];
    assert_eq!((kinds(&hub.seen), kinds(&payee.seen)), (all.to_vec(), all.to_vec()));
    assert_eq!(kinds(&payer.seen), all[1..]);
    let identities =
        |records: &[InboundRecord]| -> Vec<_> { records.iter().map(identity).collect() };
    assert_eq!(identities(&hub.seen), identities(&payee.seen));
    assert_eq!(identities(&hub.seen)[1..], identities(&payer.seen)[..]);
    node.stop().await;
}

#[tokio::test]
async fn garbage_goes_to_the_dead_letters_and_stops_nothing() {
    let servers = TestServers::fresh().await;
    let node = Node::start(&servers).await;
    node.enrol(&["001", "002"]).await;
    let banks = Banks::new(&servers);
    let id = present_id_of(BBX, 1);
    let mut broken = requested(present_id_of(BBX, 2), CTER, 1);
    broken.body = Value::Null;
    let mut other = requested(id, CTER, 1);
    other.body["description"] = Value::from("other");
    banks
        .say(&[
            requested(id, CTER, 1),
            broken,
            other,
            settled_by_payer(id),
            accepted(id, CTER),
            settled_by_payee(id, CTER),
            settled_by_payer(id),
        ])
        .await;
    let mut hub = Follower::of(&servers, HUB);
    hub.until(|seen| kinds(seen).contains(&"TransferCompleted")).await;
    let mut letters = Follower::of(&servers, "codepix.banking.transfers.dlq");
    letters.until(|seen| seen.len() == 3).await;
    let codes: BTreeSet<&str> =
        letters.seen.iter().map(|letter| letter.header("dlq_code").unwrap()).collect();
    let expected = ["order_content_differs", "payload_json", "report_before_confirmation"];
    assert_eq!(codes, expected.into_iter().collect());
    node.stop().await;
}

#[tokio::test]
async fn a_repeated_order_is_answered_on_the_senders_topic_alone() {
    let servers = TestServers::fresh().await;
    let node = Node::start(&servers).await;
    node.enrol(&["001", "002"]).await;
    let banks = Banks::new(&servers);
    let id = present_id_of(BBX, 1);
    banks.say(&[requested(id, CTER, 1), refused(id, CTER, "AC06")]).await;
    let (mut hub, mut payer) = (Follower::of(&servers, HUB), Follower::of(&servers, OF_BBX));
    payer.until(|seen| seen.len() == 1).await;
    banks.say(&[requested(id, CTER, 1)]).await;
    payer.until(|seen| seen.len() == 2).await;
    assert_eq!(kinds(&payer.seen), ["TransferRejected", "TransferRejected"]);
    let [first, again] = [&payer.seen[0], &payer.seen[1]];
    assert_eq!(first.payload, again.payload);
    assert_eq!(first.header("ce_aggregateversion"), again.header("ce_aggregateversion"));
    assert_ne!(first.header("ce_id"), again.header("ce_id"));
    // Another transfer shows that nothing more came of the first.
    banks.say(&[requested(present_id_of(BBX, 2), CTER, 1)]).await;
    hub.until(|seen| seen.len() == 3).await;
    let of_first =
        hub.seen.iter().filter(|record| record.key.as_deref() == Some(id.as_str().as_bytes()));
    assert_eq!(of_first.count(), 2);
    node.stop().await;
}

#[tokio::test]
async fn deadlines_pass_once_the_log_is_read_to_its_end() {
    let servers = TestServers::fresh().await;
    let own = TransfersSettings {
        transfer_deadline: Duration::ZERO,
        sweep_grace: Duration::ZERO,
        sweep_every: Duration::from_millis(10),
        ..TransfersSettings::default()
    };
    let node = Node::with(&servers, own).await;
    node.enrol(&["001", "002"]).await;
    let banks = Banks::new(&servers);
    let orders: Vec<Said> =
        (0..40).map(|number| requested(present_id_of(BBX, number), CTER, 1)).collect();
    banks.say(&orders).await;
    let mut payer = Follower::of(&servers, OF_BBX);
    payer.until(|seen| seen.len() == 40).await;
    assert!(kinds(&payer.seen).iter().all(|kind| *kind == "TransferExpired"));
    node.stop().await;
}

/// The versions of each transfer on the hub's topic, resends (same `ce_id`) left out.
fn versions(records: &[InboundRecord]) -> BTreeMap<Vec<u8>, Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut versions: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for record in records {
        if seen.insert(record.header("ce_id").unwrap().to_owned()) {
            let version = record.header("ce_aggregateversion").unwrap().to_owned();
            versions.entry(record.key.clone().unwrap()).or_default().push(version);
        }
    }
    versions
}

#[tokio::test]
async fn processes_that_come_and_go_lose_nothing_and_do_nothing_twice() {
    let servers = TestServers::fresh().await;
    let (first, second) = (Node::start(&servers).await, Node::start(&servers).await);
    first.enrol(&["001", "002"]).await;
    let banks = Banks::new(&servers);
    let lives = |from: usize| -> Vec<Said> {
        let ids = from..from.saturating_add(100);
        ids.flat_map(|number| whole_life(present_id_of(BBX, number), CTER, 10)).collect()
    };
    banks.say(&lives(0)).await;
    let third = Node::start(&servers).await;
    banks.say(&lives(100)).await;
    first.kill();
    banks.say(&lives(200)).await;
    second.stop().await;
    let mut hub = Follower::of(&servers, HUB);
    let completed = |seen: &[InboundRecord]| {
        versions(seen).values().filter(|versions| versions.len() == 3).count() == 300
    };
    hub.until(completed).await;
    for (key, versions) in versions(&hub.seen) {
        assert_eq!(versions, ["1", "2", "3"], "{}", String::from_utf8_lossy(&key));
    }
    let positions = third.facade.list_positions.execute(Caller::Operator).await.unwrap();
    let amounts: Vec<i64> = positions.iter().map(|position| position.amount.centavos()).collect();
    assert_eq!(amounts, [-3_000, 3_000]);
    third.stop().await;
}
