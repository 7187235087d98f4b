//! Removing, and what a key is afterwards.

use futures::future::join_all;
use pix_keys::application::{DirectoryReads, DirectoryStore, RemovalOrder};
use pix_keys::domain::RemovalReason;
use shared_kernel::application::Caller;
use shared_kernel::testing::eventually;

use crate::harness::{
    ANA, BBX, CTER, Directory, MARIA, account_id, code, count, gives_up, header, ispb, trace,
};

async fn remove(directory: &Directory, order: RemovalOrder) -> &'static str {
    let desk = &directory.pix_keys.desk;
    code(&desk.remove_key(&Caller::Operator, trace(), order).await)
}

#[tokio::test]
async fn a_removed_key_is_found_no_more_and_another_may_have_it() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, CTER, ANA).await.unwrap();
    let first = directory.register("r1", 1, "shared@example.com").await.unwrap();
    assert_eq!(remove(&directory, gives_up("d1", 1, "shared@example.com")).await, "");
    assert!(directory.found("shared@example.com").await.is_none());
    assert!(directory.store.entries_of(&[account_id(1)]).await.unwrap().is_empty());
    let second = directory.register("r2", 2, "shared@example.com").await.unwrap();
    assert_eq!(second.account.account_id, account_id(2));
    assert_ne!(second.entry_id, first.entry_id);
    assert_eq!(directory.found("shared@example.com").await.unwrap(), second);
    // The first request is over and still answered as it was.
    assert_eq!(directory.register("r1", 1, "shared@example.com").await.unwrap(), first);
    let outbox = directory.outbox().await;
    let told: Vec<(&str, &str)> = outbox
        .iter()
        .map(|record| (header(record, "ce_type"), header(record, "ce_aggregateversion")))
        .collect();
    assert_eq!(
        told,
        [
            ("codepix.pix_keys.PixKeyRegistered.v1", "1"),
            ("codepix.pix_keys.PixKeyRemoved.v1", "2"),
            ("codepix.pix_keys.PixKeyRegistered.v1", "3"),
        ]
    );
    let audit = directory.auditor().audit(&[]).await.unwrap();
    assert_eq!((audit.keys_active, audit.keys_removed), (1, 0));
}

#[tokio::test]
async fn only_the_owning_account_removes_and_only_its_bank_may_ask() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, BBX, MARIA).await.unwrap();
    directory.register("r1", 1, "maria@example.com").await.unwrap();
    assert_eq!(remove(&directory, gives_up("d", 2, "maria@example.com")).await, "key_not_found");
    assert_eq!(remove(&directory, gives_up("d", 1, "ana@example.com")).await, "key_not_found");
    assert_eq!(remove(&directory, gives_up("d", 7, "a@x")).await, "account_not_found");
    let stranger = Caller::Bank(ispb(CTER));
    let order = gives_up("d", 1, "maria@example.com");
    let refused = directory.pix_keys.desk.remove_key(&stranger, trace(), order).await;
    assert_eq!(code(&refused), "account_not_found");
    assert!(directory.found("maria@example.com").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_removal_sent_many_times_at_once_happens_once() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.register("r1", 1, "maria@example.com").await.unwrap();
    let answers = join_all((0..40).map(|number| {
        let process = if number % 2 == 0 { &directory } else { &twin };
        let order = gives_up("d", 1, "maria@example.com");
        async move { process.pix_keys.desk.remove_key(&Caller::Operator, trace(), order).await }
    }))
    .await;
    assert_eq!(count(&answers, ""), 40);
    assert!(answers.iter().all(|answer| answer == answers.first().unwrap()));
    assert_eq!(directory.outbox().await.len(), 2);
    let fraud =
        RemovalOrder { reason: RemovalReason::Fraud, ..gives_up("d", 1, "maria@example.com") };
    assert_eq!(remove(&directory, fraud).await, "idempotency_key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_passed_on_by_many_at_once_has_one_owner_and_no_gap_in_its_versions() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, CTER, ANA).await.unwrap();
    join_all((0..60_u128).map(|number| {
        let process = if number % 2 == 0 { &directory } else { &twin };
        let account = number % 3 % 2 + 1;
        async move {
            let taken = process.register(&format!("r{number}"), account, "hot@example.com").await;
            let allowed = ["", "key_already_registered", "key_owned_by_another_person"];
            assert!(allowed.contains(&code(&taken)), "{taken:?}");
            let order = gives_up(&format!("d{number}"), account, "hot@example.com");
            let given = process.pix_keys.desk.remove_key(&Caller::Operator, trace(), order).await;
            assert!(["", "key_not_found"].contains(&code(&given)), "{given:?}");
        }
    }))
    .await;
    let outbox = directory.outbox().await;
    for (record, version) in outbox.iter().zip(1..) {
        let registers = version % 2 == 1;
        assert_eq!(header(record, "ce_aggregateversion"), version.to_string());
        assert_eq!(header(record, "ce_type").contains("Registered"), registers);
    }
    assert_eq!(directory.found("hot@example.com").await.is_some(), outbox.len() % 2 == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_of_a_locked_account_stays_so_until_its_transaction_ends() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    for number in 0..4 {
        let key = format!("maria{number}@example.com");
        directory.register(&key, 1, &key).await.unwrap();
    }
    let mut registering = directory.store.begin().await.unwrap();
    registering.lock_accounts(&[account_id(1)]).await.unwrap();
    let counted = registering.keys_held(&[account_id(1)]).await.unwrap();
    assert_eq!(counted, [(account_id(1), 4)]);
    let twin = directory.twin();
    let removal =
        tokio::spawn(async move { remove(&twin, gives_up("d", 1, "maria0@example.com")).await });
    eventually(async || {
        let waits = directory.waits_for_locks().await > 0;
        if waits || removal.is_finished() { Ok(()) } else { Err("it does neither".to_owned()) }
    })
    .await;
    assert_eq!(registering.keys_held(&[account_id(1)]).await.unwrap(), counted);
    registering.commit().await.unwrap();
    assert_eq!(removal.await.unwrap(), "");
    assert_eq!(directory.store.entries_of(&[account_id(1)]).await.unwrap().len(), 3);
}
