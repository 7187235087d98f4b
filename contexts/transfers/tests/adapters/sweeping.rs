//! The sweepers on a real database.

use std::sync::Arc;

use shared_kernel::application::{Clock, Progress, Sweep, TopicPartition};
use shared_kernel::testing::FixedClock;
use transfers::application::ports::{Horizon, TransfersStore};
use transfers::application::{ExpireOverdue, RepeatConfirmations, TransfersSettings};
use transfers::domain::TransferState;

use crate::harness::{
    BBX, CTER, Hub, accepted, enrolment, id_of, requested, settled_by_payee, settled_by_payer, told,
};

fn partition(number: i32) -> TopicPartition {
    TopicPartition { topic: "codepix.banking.transfers".into(), partition: number }
}

fn expiry(hub: &Hub, limit: u16) -> (ExpireOverdue, Arc<Progress>) {
    let progress = Arc::new(Progress::default());
    progress.assigned([&partition(0), &partition(1)]);
    let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&hub.clock);
    let settings = TransfersSettings { sweep_batch_max: limit, ..hub.settings };
    let sweeper = ExpireOverdue::new(hub.store(), Arc::clone(&progress), clock, settings);
    (sweeper, progress)
}

async fn state(hub: &Hub, number: usize) -> TransferState {
    hub.transfer(id_of(BBX, number)).await.unwrap().standing().state
}

#[tokio::test]
async fn only_partitions_at_their_end_are_swept() {
    let hub = Hub::empty().await;
    hub.enrol(enrolment("001", Some(1_000))).await.unwrap();
    hub.enrol(enrolment("002", None)).await.unwrap();
    hub.sent().await;
    let records: Vec<_> = (0..4_i32)
        .map(|number| {
            let id = id_of(BBX, usize::try_from(number).unwrap());
            requested(id, CTER, 100).read(number % 2, hub.now())
        })
        .collect();
    assert_eq!(hub.handle(&records).await.unwrap(), []);
    hub.sent().await;
    let (sweeper, progress) = expiry(&hub, 500);
    hub.pass(100);
    progress.looked(hub.now());
    assert_eq!(sweeper.sweep().await.unwrap(), 0);
    progress.caught_up(&partition(1));
    assert_eq!(sweeper.sweep().await.unwrap(), 2);
    let states = [state(&hub, 0).await, state(&hub, 1).await, state(&hub, 3).await];
    assert_eq!(states, [TransferState::Pending, TransferState::Expired, TransferState::Expired]);
    assert_eq!(hub.position(BBX).await.reserved.centavos(), 200);
    let sent = hub.sent().await;
    let (kind, version, topics) = told(&hub, &sent[0]);
    assert_eq!((kind.as_str(), version.as_str()), ("codepix.transfers.TransferExpired.v1", "2"));
    let all = ["codepix.transfers", "codepix.bank.00000001", "codepix.bank.00000002"];
    assert_eq!((sent.len(), topics), (2, all.map(str::to_owned).to_vec()));

    // An acceptance that was in time lay in the other partition all along.
    let in_time = hub.transfer(id_of(BBX, 0)).await.unwrap().terms().deadline;
    let record = accepted(id_of(BBX, 0), CTER).read(0, in_time);
    assert_eq!(hub.handle(&[record]).await.unwrap(), []);
    progress.caught_up(&partition(0));
    assert_eq!(sweeper.sweep().await.unwrap(), 1);
    let states = [state(&hub, 0).await, state(&hub, 2).await];
    assert_eq!(states, [TransferState::Confirmed, TransferState::Expired]);
    assert!(hub.position(BBX).await.reserved.is_zero());
}

#[tokio::test]
async fn a_sweep_is_bounded_and_takes_the_oldest_first() {
    let hub = Hub::new().await;
    for number in 0..5 {
        hub.hear(&[requested(id_of(BBX, number), CTER, 1)]).await;
        hub.pass(1);
    }
    let (sweeper, progress) = expiry(&hub, 2);
    hub.pass(100);
    progress.looked(hub.now());
    progress.caught_up(&partition(0));
    assert_eq!(sweeper.sweep().await.unwrap(), 2);
    let states = [state(&hub, 0).await, state(&hub, 1).await, state(&hub, 2).await];
    assert_eq!(states, [TransferState::Expired, TransferState::Expired, TransferState::Pending]);
    assert_eq!(sweeper.sweep().await.unwrap(), 2);
    assert_eq!(sweeper.sweep().await.unwrap(), 1);
    assert_eq!(sweeper.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn the_row_lock_decides_between_sweeper_and_acceptance() {
    let hub = Hub::new().await;
    let id = id_of(BBX, 1);
    hub.hear(&[requested(id, CTER, 1)]).await;
    let (sweeper, progress) = expiry(&hub, 500);
    hub.pass(100);
    progress.looked(hub.now());
    progress.caught_up(&partition(0));
    // Whoever has the row keeps it: the sweeper leaves it alone and does not wait.
    let mut holder = TransfersStore::begin(&hub.sessions).await.unwrap();
    assert_eq!(holder.load_transfers(&[id]).await.unwrap().len(), 1);
    assert_eq!(sweeper.sweep().await.unwrap(), 0);
    holder.rollback().await;
    assert_eq!(sweeper.sweep().await.unwrap(), 1);
    hub.sent().await;
    // Too late: the bank learns that the transfer has expired, and nothing moves.
    assert_eq!(hub.hear(&[accepted(id, CTER)]).await, []);
    let sent = hub.sent().await;
    let (kind, _, topics) = told(&hub, &sent[0]);
    assert_eq!(kind, "codepix.transfers.TransferExpired.v1");
    assert_eq!((sent.len(), topics), (1, vec!["codepix.bank.00000002".to_owned()]));
    assert!(hub.position(CTER).await.amount.is_zero());
}

#[tokio::test]
async fn two_sweepers_share_the_work_and_do_nothing_twice() {
    let hub = Hub::new().await;
    let said: Vec<_> = (0..200).map(|number| requested(id_of(BBX, number), CTER, 1)).collect();
    hub.hear(&said).await;
    hub.sent().await;
    let (one, progress) = expiry(&hub, 30);
    let (other, others) = expiry(&hub, 30);
    hub.pass(100);
    for progress in [progress, others] {
        progress.looked(hub.now());
        progress.caught_up(&partition(0));
    }
    let sweep = async |sweeper: &ExpireOverdue| {
        let mut swept = 0_usize;
        while state(&hub, 0).await == TransferState::Pending || !open_is_empty(&hub).await {
            swept = swept.saturating_add(sweeper.sweep().await.unwrap());
        }
        swept
    };
    let (first, second) = futures::join!(sweep(&one), sweep(&other));
    assert_eq!(first.saturating_add(second), 200);
    assert_eq!(hub.sent().await.len(), 200);
}

async fn open_is_empty(hub: &Hub) -> bool {
    let mut transaction = TransfersStore::begin(&hub.sessions).await.unwrap();
    let horizon = Horizon { origin: 0, before: hub.now() };
    let due = transaction.lock_overdue(&[horizon], 1).await.unwrap();
    transaction.rollback().await;
    due.is_empty()
}

#[tokio::test]
async fn a_missing_report_is_asked_for_again_at_growing_intervals() {
    let hub = Hub::new().await;
    let (silent, half, whole) = (id_of(BBX, 1), id_of(BBX, 2), id_of(BBX, 3));
    for id in [silent, half, whole] {
        hub.hear(&[requested(id, CTER, 1), accepted(id, CTER)]).await;
    }
    hub.hear(&[settled_by_payee(half, CTER)]).await;
    hub.hear(&[settled_by_payee(whole, CTER), settled_by_payer(whole)]).await;
    hub.sent().await;
    let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&hub.clock);
    let sweeper = RepeatConfirmations::new(hub.store(), clock, hub.settings);
    hub.pass(19);
    assert_eq!(sweeper.sweep().await.unwrap(), 0);
    hub.pass(1);
    assert_eq!(sweeper.sweep().await.unwrap(), 2);
    assert_eq!(sweeper.sweep().await.unwrap(), 0);
    let sent: Vec<_> = hub.sent().await.iter().map(|record| told(&hub, record)).collect();
    let confirmed = |topics: &[&str]| {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect::<Vec<_>>();
        ("codepix.transfers.TransferConfirmed.v1".to_owned(), "2".to_owned(), topics)
    };
    let (payer, payee) = ("codepix.bank.00000001", "codepix.bank.00000002");
    assert_eq!(sent, [confirmed(&[payer, payee]), confirmed(&[payer])]);
    hub.pass(39);
    assert_eq!(sweeper.sweep().await.unwrap(), 0);
    hub.hear(&[settled_by_payer(half)]).await;
    hub.pass(1);
    assert_eq!(sweeper.sweep().await.unwrap(), 1);
}
