//! A payee's bank that is down past the deadline, and its return.

use codepix::client::banking::TransferState as Shown;
use codepix::client::transfers::TransferState;
use shared_kernel::application::Clock as _;
use shared_kernel::infrastructure::system::SystemClock;

use crate::support::log::{BANK_MESSAGES, TRANSFERS, bank_topic};
use crate::support::{Log, Split, at_rest, eventually};

/// A time of the protocol as the log's.
fn micros(time: &prost_types::Timestamp) -> i64 {
    let fraction = i64::from(time.nanos.checked_div(1_000).unwrap());
    time.seconds.checked_mul(1_000_000).and_then(|whole| whole.checked_add(fraction)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_to_a_bank_that_is_down_expires_and_its_return_changes_nothing() {
    let mut split = Split::start("2s").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;
    split.kill_two();
    let id = split.scene.send(&ana, &key, 2_500).await.end_to_end_id;
    let expired = split.scene.reaches(&id, TransferState::Expired).await;
    let reason = expired.reason.unwrap();
    assert_eq!(reason.code, "AB03");
    assert_eq!(reason.sentence, "The transfer was not settled in time.");
    assert!(expired.confirmed_at.is_none() && expired.finished_at.is_some());

    let shown = split.scene.shows(&ana, &id, Shown::Expired).await;
    assert_eq!(shown.reason.unwrap().code, "AB03");
    split.scene.has(&ana, 10_000, 0).await;

    // Its bank comes back, hears the question first and accepts, and then hears of the end.
    split.restart_two().await;
    let log = Log::of(&split.hub.servers);
    let late = log.event(BANK_MESSAGES, &id, "codepix.banking.TransferAccepted.v1").await;
    assert_eq!(late.header("ce_subject"), Some(id.as_str()));
    let shown = split.scene.shows(&bia, &id, Shown::Expired).await;
    assert_eq!(shown.reason.unwrap().code, "AB03");
    log.read_to_the_end().await;
    let told = log.records_of(TRANSFERS, &id).await;
    let types: Vec<_> = told.iter().filter_map(|record| record.header("ce_type")).collect();
    assert_eq!(
        types,
        ["codepix.transfers.TransferPending.v1", "codepix.transfers.TransferExpired.v1"],
        "the late acceptance changed nothing"
    );
    let answers = log.records_of(&bank_topic(&bia.ispb), &id).await;
    let last = answers.last().and_then(|record| record.header("ce_type"));
    assert_eq!(last, Some("codepix.transfers.TransferExpired.v1"), "the bank was answered");
    split.scene.has(&bia, 0, 0).await;
    split.scene.close(&bia).await.unwrap();
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_in_time_is_not_beaten_by_an_outage_of_the_hub() {
    let mut split = Split::start("25s").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;
    split.kill_two();
    let id = split.scene.send(&ana, &key, 2_500).await.end_to_end_id;
    let pending = split.scene.reaches(&id, TransferState::Pending).await;
    let log = Log::of(&split.hub.servers);
    // On the log, not only in the hub's outbox: the hub is about to be gone.
    log.event(&bank_topic(&bia.ispb), &id, "codepix.transfers.TransferPending.v1").await;
    split.kill_hub();
    split.restart_two().await;
    let accepted = log.event(BANK_MESSAGES, &id, "codepix.banking.TransferAccepted.v1").await;
    let deadline = micros(&pending.deadline.unwrap());
    // The hub returns after the deadline; what counts is when the log took the answer.
    eventually(async || if SystemClock.now().micros() > deadline { Ok(()) } else { Err("early") })
        .await;
    split.restart_hub().await;
    assert!(accepted.broker_time.micros() <= deadline, "the bank was too slow to prove anything");
    split.scene.reaches(&id, TransferState::Completed).await;
    at_rest(&split.hub, &split.scene).await;
}
