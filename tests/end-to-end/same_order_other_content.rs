//! The same `EndToEndId` with other content: a dead letter, never an event; the first one is paid.

use codepix::client::transfers::TransferState;
use serde_json::{Value, json};

use crate::support::log::{BANK_MESSAGES, Raw, TRANSFERS, again, bank_topic};
use crate::support::{Account, Log, Split, at_rest};

/// A copy of the order with other content.
async fn other(split: &Split, log: &Log, id: &str, field: &str, value: Value) -> Raw {
    let first = log.event(BANK_MESSAGES, id, "codepix.banking.TransferRequested.v1").await;
    let mut body: Value = serde_json::from_slice(first.payload.as_deref().unwrap()).unwrap();
    assert_ne!(body[field], value);
    body[field] = value;
    let payload = Some(body.to_string().into_bytes());
    Raw { payload, ..again(&first, &split.hub.servers.kafka.topic_prefix) }
}

/// What everyone and the two banks were told of a transfer: topics and types.
async fn told(log: &Log, id: &str, banks: &[&Account]) -> Vec<(String, String)> {
    let mut topics = vec![TRANSFERS.to_owned()];
    topics.extend(banks.iter().map(|bank| bank_topic(&bank.ispb)));
    let mut told = Vec::new();
    for topic in topics {
        for record in log.records_of(&topic, id).await {
            told.push((topic.clone(), record.header("ce_type").unwrap().to_owned()));
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_is_set_aside_and_the_first_is_paid() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;
    let log = Log::of(&split.hub.servers);

    // While the first is pending.
    split.kill_two();
    let id = split.scene.send(&ana, &key, 1_000).await.end_to_end_id;
    split.scene.reaches(&id, TransferState::Pending).await;
    log.event(&bank_topic(&bia.ispb), &id, "codepix.transfers.TransferPending.v1").await;
    let before = told(&log, &id, &[&ana, &bia]).await;
    assert_eq!(before.len(), 2, "everyone, and the payee's bank: {before:?}");
    let dearer = json!({ "amount": "99.00", "currency": "BRL" });
    let forged = other(&split, &log, &id, "amount", dearer).await;
    log.put(&[forged]).await;
    let letters = log.letters(BANK_MESSAGES, 1).await;
    assert_eq!(letters[0].header("dlq_code"), Some("order_content_differs"));
    assert_eq!(letters[0].key.as_deref(), Some(id.as_bytes()));
    split.scene.has(&ana, 9_000, 1_000).await;
    assert_eq!(split.scene.at_hub(&id).await.unwrap().state(), TransferState::Pending);

    split.restart_two().await;
    let done = split.scene.reaches(&id, TransferState::Completed).await;
    assert_eq!(done.amount_centavos, 1_000);

    // After it was paid.
    at_rest(&split.hub, &split.scene).await;
    log.read_to_the_end().await;
    let before = told(&log, &id, &[&ana, &bia]).await;
    for (field, value) in [("description", json!("rent")), ("payee_key", json!("x@example.com"))] {
        let forged = other(&split, &log, &id, field, value).await;
        log.put(&[forged]).await;
    }
    let letters = log.letters(BANK_MESSAGES, 3).await;
    assert!(letters.iter().all(|it| it.header("dlq_code") == Some("order_content_differs")));
    log.read_to_the_end().await;
    assert_eq!(told(&log, &id, &[&ana, &bia]).await, before, "nobody was told of it");
    split.scene.has(&ana, 9_000, 0).await;
    split.scene.has(&bia, 1_000, 0).await;
    at_rest(&split.hub, &split.scene).await;
}
