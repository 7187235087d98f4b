//! Streams: a watcher sees each state that lasts long enough to be seen, and always the last.

use codepix::client::banking::{
    TransferState as Shown, WatchTransferRequest as WatchAtBank, WatchTransferResponse as BankSays,
};
use codepix::client::transfers::{TransferState, WatchTransferRequest, WatchTransferResponse};
use tonic::Streaming;

use crate::support::{Split, TestHub, at_rest};

/// The next state that the hub's stream shows.
async fn next(stream: &mut Streaming<WatchTransferResponse>) -> Option<TransferState> {
    stream.message().await.unwrap().map(|said| said.transfer.unwrap().state())
}

/// The next state that a bank's stream shows.
async fn next_at_bank(stream: &mut Streaming<BankSays>) -> Option<Shown> {
    stream.message().await.unwrap().map(|said| said.transfer.unwrap().state())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_at_the_hub_sees_pending_confirmed_and_completed() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;

    split.kill_two();
    let id = split.scene.send(&ana, &key, 100).await.end_to_end_id;
    split.scene.reaches(&id, TransferState::Pending).await;
    let asked = WatchTransferRequest { end_to_end_id: id.clone() };
    let stream = split.scene.transfers.transfers().watch_transfer(asked).await;
    let mut stream = stream.unwrap().into_inner();
    assert_eq!(next(&mut stream).await, Some(TransferState::Pending));

    // Without the payer's report it is confirmed and no more.
    split.kill_one();
    split.restart_two().await;
    assert_eq!(next(&mut stream).await, Some(TransferState::Confirmed));
    split.restart_one().await;
    assert_eq!(next(&mut stream).await, Some(TransferState::Completed));
    assert_eq!(next(&mut stream).await, None, "a final state is the last");
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_at_the_bank_sees_requested_and_settled() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;

    split.kill_two();
    let id = split.scene.send(&ana, &key, 200).await.end_to_end_id;
    let asked = WatchAtBank { end_to_end_id: id.clone(), account_id: ana.id.clone() };
    let stream = split.scene.bank(&ana.ispb).watch_transfer(asked).await;
    let mut stream = stream.unwrap().into_inner();
    assert_eq!(next_at_bank(&mut stream).await, Some(Shown::Requested));
    split.scene.reaches(&id, TransferState::Pending).await;
    split.restart_two().await;
    assert_eq!(next_at_bank(&mut stream).await, Some(Shown::Settled));
    assert_eq!(next_at_bank(&mut stream).await, None, "a final state is the last");
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_comes_late_sees_the_end_at_once() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 1_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let id = scene.send(&ana, &key, 300).await.end_to_end_id;
    scene.reaches(&id, TransferState::Completed).await;
    let asked = WatchTransferRequest { end_to_end_id: id.clone() };
    let stream = scene.transfers.transfers().watch_transfer(asked).await;
    let mut stream = stream.unwrap().into_inner();
    assert_eq!(next(&mut stream).await, Some(TransferState::Completed));
    assert_eq!(next(&mut stream).await, None);
    let asked = WatchAtBank { end_to_end_id: id, account_id: bia.id.clone() };
    let stream = scene.bank(&two).watch_transfer(asked).await;
    let mut stream = stream.unwrap().into_inner();
    assert_eq!(next_at_bank(&mut stream).await, Some(Shown::Settled));
    assert_eq!(next_at_bank(&mut stream).await, None);
    at_rest(&hub, &scene).await;
}
