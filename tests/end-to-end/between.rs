//! An account that changes between the bank's acceptance and the credit.

use codepix::client::banking::{AccountStatus, TransferState as Shown};
use codepix::client::transfers::TransferState;
use tonic::Code;

use crate::support::log::{BANK_MESSAGES, bank_topic};
use crate::support::{Account, Log, Refused, Split, at_rest, refused};

/// A transfer that its payee's bank has accepted and of which the hub does not know it yet.
async fn accepted(split: &mut Split, ana: &Account, bia: &Account, centavos: i64) -> String {
    let key = split.scene.key(bia).await;
    split.kill_two();
    let id = split.scene.send(ana, &key, centavos).await.end_to_end_id;
    let log = Log::of(&split.hub.servers);
    // On the log, not only in the hub's outbox: the hub is about to be gone.
    log.event(&bank_topic(&bia.ispb), &id, "codepix.transfers.TransferPending.v1").await;
    split.kill_hub();
    split.restart_two().await;
    log.event(BANK_MESSAGES, &id, "codepix.banking.TransferAccepted.v1").await;
    split.scene.shows(bia, &id, Shown::Requested).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_blocked_after_acceptance_is_credited_all_the_same() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let id = accepted(&mut split, &ana, &bia, 4_000).await;
    split.scene.block(&bia).await;
    split.restart_hub().await;
    split.scene.reaches(&id, TransferState::Completed).await;
    split.scene.shows(&bia, &id, Shown::Settled).await;
    split.scene.has(&bia, 4_000, 0).await;
    split.scene.has(&ana, 6_000, 0).await;
    assert_eq!(split.scene.now(&bia).await.status(), AccountStatus::Blocked);
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_side_of_an_open_transfer_can_be_closed() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let id = accepted(&mut split, &ana, &bia, 10_000).await;
    let open = Refused::new(Code::FailedPrecondition, "account_has_open_transfers", "account_id");
    assert_eq!(refused(split.scene.close(&bia).await), open, "a credit is expected");
    assert_eq!(refused(split.scene.close(&ana).await), open, "an amount is held");
    split.restart_hub().await;
    split.scene.reaches(&id, TransferState::Completed).await;
    split.scene.has(&bia, 10_000, 0).await;
    split.scene.has(&ana, 0, 0).await;
    at_rest(&split.hub, &split.scene).await;
    // Emptied by the transfer, the payer's account can go now; the payee's is not empty.
    split.scene.close(&ana).await.unwrap();
    assert_eq!(split.scene.now(&ana).await.status(), AccountStatus::Closed);
    let full = Refused::new(Code::FailedPrecondition, "account_not_empty", "account_id");
    assert_eq!(refused(split.scene.close(&bia).await), full);
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_blocked_under_way_is_debited_all_the_same() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let id = accepted(&mut split, &ana, &bia, 1_000).await;
    split.scene.block(&ana).await;
    split.restart_hub().await;
    split.scene.reaches(&id, TransferState::Completed).await;
    split.scene.has(&ana, 9_000, 0).await;
    split.scene.has(&bia, 1_000, 0).await;
    at_rest(&split.hub, &split.scene).await;
}
