//! Batches of bank messages on a real database.

use serde_json::{Value, json};
use shared_kernel::application::{BatchHandler, InboundRecord};
use shared_kernel::domain::EndToEndId;
use transfers::domain::TransferState;
use transfers::infrastructure::audit::TransfersAudit;

use crate::harness::{
    BBX, CTER, Hub, NLB, Said, accepted, id_of, refused, requested, settled_by_payee,
    settled_by_payer, told, whole_life,
};
use shared_kernel::infrastructure::postgres::DatabaseSettings;

async fn state(hub: &Hub, id: EndToEndId) -> TransferState {
    hub.transfer(id).await.unwrap().standing().state
}

fn audit(hub: &Hub) -> TransfersAudit {
    let url = hub.servers.database_url.clone();
    TransfersAudit::new(&DatabaseSettings { url, connections_max: 2 }).unwrap()
}

/// 100 transfers, every message of each twice, interleaved, with garbage in between: 1 of 5 is
/// refused by the payee's bank, the others complete.
fn mixed() -> (Vec<InboundRecord>, Vec<(usize, &'static str)>) {
    let hour = shared_kernel::domain::Timestamp::parse("2026-11-20T12:00:01Z").unwrap();
    let lives: Vec<Vec<Said>> = (0..100)
        .map(|number| {
            let id = id_of(BBX, number);
            let centavos = i64::try_from(number).unwrap().saturating_add(1);
            if number % 5 == 0 {
                vec![requested(id, CTER, centavos), refused(id, CTER, "AC03")]
            } else {
                whole_life(id, CTER, centavos).to_vec()
            }
        })
        .collect();
    let mut records = Vec::new();
    for step in 0..4 {
        for said in lives.iter().filter_map(|life| life.get(step)) {
            // An impatient bank says everything twice.
            records.extend([said.read(3, hour), said.read(3, hour)]);
        }
    }
    let mut garbage = Vec::new();
    let mut put = |at: usize, record: InboundRecord, code: &'static str| {
        records.insert(at, record);
        garbage.push((at, code));
    };
    let known = accepted(id_of(BBX, 1), CTER).read(3, hour);
    put(5, InboundRecord { payload: Some(b"{".to_vec()), ..known.clone() }, "payload_json");
    put(250, InboundRecord { payload: None, ..known.clone() }, "payload_missing");
    put(350, InboundRecord { key: None, ..known.clone() }, "key_mismatch");
    put(400, InboundRecord { headers: Vec::new(), ..known }, "envelope_header");
    put(410, accepted(id_of(BBX, 999), CTER).read(3, hour), "transfer_unknown");
    put(420, accepted(id_of(BBX, 1), NLB).read(3, hour), "sender_is_not_payee");
    put(430, requested(id_of(BBX, 1), CTER, 77).read(3, hour), "order_content_differs");
    put(440, requested(id_of("00000009", 1), CTER, 1).read(3, hour), "payer_bank_unknown");
    (records, garbage)
}

#[tokio::test]
async fn a_large_mixed_batch_takes_effect_in_one_transaction() {
    let hub = Hub::new().await;
    let (records, garbage) = mixed();
    assert!(records.len() > 500, "{}", records.len());
    let mut refusals = hub.handle(&records).await.unwrap();
    refusals.sort();
    let expected: Vec<(usize, String)> =
        garbage.into_iter().map(|(index, code)| (index, code.to_owned())).collect();
    assert_eq!(refusals, expected);

    let (mut settled, mut rejected) = (0, 0);
    for number in 0..100_usize {
        let transfer = hub.transfer(id_of(BBX, number)).await.unwrap();
        if number % 5 == 0 {
            assert_eq!(transfer.standing().state, TransferState::Rejected);
            rejected += 1;
        } else {
            assert_eq!(transfer.standing().state, TransferState::Completed);
            settled += transfer.order().amount.centavos();
        }
    }
    assert_eq!(rejected, 20);
    assert_eq!(hub.position(BBX).await.amount.centavos(), -settled);
    assert_eq!(hub.position(CTER).await.amount.centavos(), settled);
    let found = audit(&hub).hub(hub.now()).await.unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!((found.open, found.unsent_rows), (0, 1));
}

#[tokio::test]
async fn what_is_told_of_a_transfer_is_in_order_and_each_version_is_told_to_all_once() {
    let hub = Hub::new().await;
    let (records, _) = mixed();
    hub.handle(&records).await.unwrap();
    let sent = hub.sent().await;
    for number in 0..100 {
        let id = id_of(BBX, number);
        let of_it =
            sent.iter().filter(|record| record.key.as_deref() == Some(id.as_str().as_bytes()));
        let told: Vec<_> = of_it.map(|record| told(&hub, record)).collect();
        let versions: Vec<&str> = told.iter().map(|(_, version, _)| version.as_str()).collect();
        assert!(versions.is_sorted(), "{told:?}");
        let to_all = |(_, version, topics): &(String, String, Vec<String>)| {
            topics.contains(&"codepix.transfers".to_owned()).then(|| version.clone())
        };
        let last = if number % 5 == 0 { 2 } else { 3 };
        let expected: Vec<String> = (1..=last).map(|version: i32| version.to_string()).collect();
        assert_eq!(told.iter().filter_map(to_all).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn an_event_has_one_record_for_all_its_copies_and_the_trace_of_its_cause() {
    let hub = Hub::new().await;
    let id = id_of(BBX, 1);
    hub.hear(&whole_life(id, CTER, 1_000)).await;
    let sent = hub.sent().await;
    let (payer, payee) = ("codepix.bank.00000001", "codepix.bank.00000002");
    let expected = [
        ("codepix.transfers.TransferPending.v1", "1", vec!["codepix.transfers", payee]),
        ("codepix.transfers.TransferConfirmed.v1", "2", vec!["codepix.transfers", payer, payee]),
        ("codepix.transfers.TransferCompleted.v1", "3", vec!["codepix.transfers", payer, payee]),
    ];
    let expected: Vec<(String, String, Vec<String>)> = expected
        .into_iter()
        .map(|(kind, version, topics)| {
            (kind.into(), version.into(), topics.into_iter().map(Into::into).collect())
        })
        .collect();
    assert_eq!(sent.iter().map(|record| told(&hub, record)).collect::<Vec<_>>(), expected);
    for record in &sent {
        let trace = crate::harness::trace().as_str().as_bytes().to_vec();
        assert!(record.headers.contains(&("traceparent".into(), trace)));
    }
    let body: Value = serde_json::from_slice(sent[2].payload.as_ref().unwrap()).unwrap();
    assert_eq!(body["description"], json!("rent \"of\" November"));
    assert_eq!((&body["payer_reported"], &body["payee_reported"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_batch_that_is_rolled_back_left_nothing() {
    let hub = Hub::new().await;
    let handler = hub.handler();
    let records: Vec<InboundRecord> =
        whole_life(id_of(BBX, 1), CTER, 5).iter().map(|said| said.read(0, hub.now())).collect();
    let mut transaction = handler.begin().await.unwrap();
    assert!(handler.handle(&mut *transaction, &records).await.unwrap().is_empty());
    transaction.rollback().await;
    assert_eq!(hub.transfer(id_of(BBX, 1)).await, None);
    assert!(hub.sent().await.is_empty());
    assert!(hub.position(BBX).await.amount.is_zero());
    assert_eq!(hub.handle(&records).await.unwrap(), []);
    assert_eq!(state(&hub, id_of(BBX, 1)).await, TransferState::Completed);
}

#[tokio::test]
async fn a_replay_of_everything_changes_nothing_and_tells_only_senders() {
    let hub = Hub::new().await;
    let (records, garbage) = mixed();
    hub.handle(&records).await.unwrap();
    hub.sent().await;
    let before = audit(&hub).transfers(None, 1_000).await.unwrap();
    let refusals = hub.handle(&records).await.unwrap();
    assert_eq!(refusals.len(), garbage.len());
    assert_eq!(audit(&hub).transfers(None, 1_000).await.unwrap(), before);
    let found = audit(&hub).hub(hub.now()).await.unwrap();
    assert!(found.is_sound(), "{found:?}");
    for record in hub.sent().await {
        let (_, _, topics) = told(&hub, &record);
        assert!(!topics.contains(&"codepix.transfers".to_owned()), "{topics:?}");
    }
}

#[tokio::test]
async fn steps_in_batches_of_their_own_end_the_same() {
    let hub = Hub::new().await;
    let id = id_of(NLB, 4);
    let seen = async |hub: &Hub| *hub.transfer(id).await.unwrap().standing();
    hub.hear(&[requested(id, BBX, 250)]).await;
    assert_eq!(seen(&hub).await.state, TransferState::Pending);
    hub.pass(2);
    hub.hear(&[accepted(id, BBX)]).await;
    assert_eq!(seen(&hub).await.state, TransferState::Confirmed);
    assert_eq!(seen(&hub).await.confirmed_at, Some(hub.now()));
    hub.hear(&[settled_by_payer(id)]).await;
    let half = seen(&hub).await;
    assert!(half.payer_reported && !half.payee_reported);
    assert_eq!((half.state, half.version), (TransferState::Confirmed, 2));
    hub.hear(&[settled_by_payee(id, BBX)]).await;
    let whole = seen(&hub).await;
    assert_eq!((whole.state, whole.version), (TransferState::Completed, 3));
    assert_eq!(whole.finished_at, Some(hub.now()));
    assert_eq!(hub.position(BBX).await.amount.centavos(), 250);
}

#[tokio::test]
async fn texts_of_customers_survive_the_store() {
    let hub = Hub::new().await;
    let id = id_of(BBX, 1);
    let mut order = requested(id, CTER, 1);
    let wild = "\u{1F980} \\ ' \" \u{7} $1 {NULL,\"} é\n";
    order.body["description"] = json!(wild);
    order.body["payer"]["owner_name"] = json!("{Ana,\"B\\\"}");
    assert_eq!(hub.hear(&[order]).await, []);
    let stored = hub.transfer(id).await.unwrap();
    assert_eq!(stored.order().description.as_str(), wild);
    assert_eq!(stored.order().payer.owner_name.as_str(), "{Ana,\"B\\\"}");
    let sent = hub.sent().await;
    let body: Value = serde_json::from_slice(sent[0].payload.as_ref().unwrap()).unwrap();
    assert_eq!(body["description"], json!(wild));
    // PostgreSQL keeps no NUL: such a message is refused before it gets there.
    let mut broken = requested(id_of(BBX, 2), CTER, 1);
    broken.body["description"] = json!("a\0b");
    assert_eq!(hub.hear(&[broken]).await, [(0, "payload_json".to_owned())]);
}
