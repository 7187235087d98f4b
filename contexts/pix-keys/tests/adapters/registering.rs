//! Registering: each key once, each request once, no account over its limit, whoever comes when.

use futures::future::join_all;
use pix_keys::application::command::Leniency;
use pix_keys::application::ports::EntryChange;
use pix_keys::application::{
    DirectoryReads, DirectoryStore, DirectoryTransaction, EntryView, ProgramKeyOrder,
};
use pix_keys::domain::{Entry, EntryId, PixKey, PixKeyKind, Registration, RemovalReason, Spelling};
use shared_kernel::application::{Caller, StoreError};
use shared_kernel::domain::{AccountId, Timestamp};

use crate::harness::{
    ANA, BBX, CTER, Directory, MARIA, account_id, code, count, gives_up, header, key, person, trace,
};

#[tokio::test]
async fn a_registered_key_is_found_and_published() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    let entry = directory.register("r1", 1, "maria@example.com").await.unwrap();
    assert_eq!(directory.found("maria@example.com").await.unwrap(), entry);
    assert_eq!(entry.account.bank.as_ref().unwrap().code.as_str(), "001");
    let outbox = directory.outbox().await;
    let [record] = outbox.as_slice() else { panic!("one record: {outbox:?}") };
    assert!(record.topics.iter().all(|topic| topic.ends_with(".codepix.pix-keys")));
    assert_eq!(record.key.as_deref(), Some(b"maria@example.com".as_slice()));
    assert_eq!(header(record, "ce_type"), "codepix.pix_keys.PixKeyRegistered.v1");
    assert_eq!(header(record, "ce_source"), "/codepix/pix-keys");
    assert_eq!(header(record, "ce_subject"), "maria@example.com");
    assert_eq!(header(record, "ce_aggregateversion"), "1");
    assert_eq!(
        header(record, "traceparent"),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_accounts_that_want_one_key_at_once_one_gets_it() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    for number in 1..=50_u32 {
        directory.enrol(u128::from(number), BBX, &person(number)).await.unwrap();
    }
    let answers = join_all((1..=50_u128).map(|number| {
        let process = if number % 2 == 0 { &directory } else { &twin };
        async move { process.register(&format!("r{number}"), number, "one@example.com").await }
    }))
    .await;
    assert_eq!(count(&answers, ""), 1);
    assert_eq!(count(&answers, "key_owned_by_another_person"), 49);
    let winner = answers.into_iter().find_map(Result::ok).unwrap();
    assert_eq!(directory.found("one@example.com").await.unwrap(), winner);
    assert_eq!(directory.outbox().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_sent_fifty_times_at_once_is_one_entry_with_equal_answers() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    directory.enrol(1, BBX, MARIA).await.unwrap();
    // A key of the caller's choice and one of the directory's.
    for (request_id, text) in [("given", "maria@example.com"), ("random", "")] {
        let answers = join_all((0..50).map(|number| {
            let process = if number % 2 == 0 { &directory } else { &twin };
            process.register(request_id, 1, text)
        }))
        .await;
        let first = answers.first().unwrap().clone().unwrap();
        for answer in answers {
            assert_eq!(answer.unwrap(), first);
        }
    }
    assert_eq!(directory.outbox().await.len(), 2);
    assert_eq!(directory.store.entries_of(&[account_id(1)]).await.unwrap().len(), 2);
    let reused = directory.register("given", 1, "other@example.com").await;
    assert_eq!(code(&reused), "idempotency_key_reused");
    let reused = directory.register("random", 1, "other@example.com").await;
    assert_eq!(code(&reused), "idempotency_key_reused");
}

#[tokio::test]
async fn a_request_id_counts_within_its_bank() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, BBX, ANA).await.unwrap();
    directory.enrol(3, CTER, ANA).await.unwrap();
    directory.register("r", 1, "maria@example.com").await.unwrap();
    let same_bank = directory.register("r", 2, "ana@example.com").await;
    assert_eq!(code(&same_bank), "idempotency_key_reused");
    let other_bank = directory.register("r", 3, "ana@example.com").await.unwrap();
    assert_eq!(other_bank.account.account_id, account_id(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_passes_its_limit_however_many_ask_at_once() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, BBX, "11222333000181").await.unwrap();
    for (account, limit) in [(1_u128, 5), (2, 20)] {
        let answers = join_all((0..40).map(|number| {
            let process = if number % 2 == 0 { &directory } else { &twin };
            async move {
                let text = if number % 3 == 0 {
                    String::new()
                } else {
                    format!("k{number}@account{account}")
                };
                process.register(&format!("r{account}-{number}"), account, &text).await
            }
        }))
        .await;
        assert_eq!(count(&answers, ""), limit);
        assert_eq!(count(&answers, "key_limit_reached"), 40 - limit);
        let keys = directory.store.entries_of(&[account_id(account)]).await.unwrap();
        assert_eq!(keys.len(), limit);
    }
    assert!(directory.auditor().audit(&[]).await.unwrap().is_sound());
}

#[tokio::test]
async fn refusals_name_who_has_the_key_and_leave_no_trace() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, BBX, MARIA).await.unwrap();
    directory.enrol(3, CTER, MARIA).await.unwrap();
    directory.enrol(4, CTER, ANA).await.unwrap();
    directory.register("r1", 1, MARIA).await.unwrap();
    directory.register("r2", 1, "+5511987654321").await.unwrap();
    let before = directory.outbox().await;
    for (account, text, expected) in [
        (1, "+5511987654321", "key_already_registered"),
        (2, MARIA, "key_already_registered"),
        (3, MARIA, "key_at_another_participant"),
        (4, "+5511987654321", "key_owned_by_another_person"),
        (4, MARIA, "key_of_another_person"),
        (9, "new@example.com", "account_not_found"),
    ] {
        let answer = directory.register("again", account, text).await;
        assert_eq!(code(&answer), expected, "{account} {text}");
    }
    assert_eq!(directory.outbox().await, before);
    assert!(directory.found("new@example.com").await.is_none());
    // None of them was remembered.
    assert_eq!(code(&directory.register("again", 1, "new@example.com").await), "");
}

#[tokio::test]
async fn every_kind_of_key_is_kept_as_it_is() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, BBX, "12ABC34501DE35").await.unwrap();
    for (account, text) in
        [(1, MARIA), (1, "!#$'*+/=?^_`{|}~-.@x-1.y"), (1, "+5511987654321"), (2, "12ABC34501DE35")]
    {
        directory.register(text, account, text).await.unwrap();
        assert_eq!(directory.found(text).await.unwrap().key, key(text));
    }
    let random = directory.register("random", 1, "").await.unwrap();
    assert_eq!(random.key.kind(), PixKeyKind::Evp);
    assert_eq!(directory.found(random.key.as_str()).await.unwrap(), random);
}

/// A program that is not ours registers the CPF of account 1, written so.
async fn written(directory: &Directory, text: &str) -> EntryView {
    let key = PixKey::lenient(PixKeyKind::Cpf, text).unwrap();
    let spelling = Spelling::of(text, &key).unwrap();
    let order = ProgramKeyOrder { account_id: account_id(1), key, spelling };
    let leniency = Leniency { owner_is_made_up: false };
    let desk = &directory.pix_keys.desk;
    desk.register_for_program(&Caller::Operator, trace(), order, leniency).await.unwrap()
}

#[tokio::test]
async fn a_key_is_stored_with_how_its_program_wrote_it_last() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    let entry_id = written(&directory, "123.456.789-09").await.entry_id;
    for text in ["123.456.789-09", " 12345678909", MARIA, "123.456.789-09"] {
        let again = written(&directory, text).await;
        assert_eq!((again.registered_as(), again.entry_id), (text, entry_id));
        let found = directory.found(MARIA).await.unwrap();
        assert_eq!((found.registered_as(), found.key.as_str()), (text, MARIA));
    }
    assert_eq!(directory.outbox().await.len(), 1, "others hear of the key, not of its spelling");
    let removal = gives_up("r1", 1, MARIA);
    directory.pix_keys.desk.remove_key(&Caller::Operator, trace(), removal).await.unwrap();
    directory.register("r2", 1, MARIA).await.unwrap();
    assert_eq!(directory.found(MARIA).await.unwrap().registered_as(), MARIA);
}

#[tokio::test]
async fn the_keys_of_made_up_owners_break_no_promise() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    for number in 1..=6 {
        let key = PixKey::lenient(PixKeyKind::Cpf, &person(number)).unwrap();
        let order = ProgramKeyOrder { account_id: account_id(1), key, spelling: None };
        let leniency = Leniency { owner_is_made_up: true };
        let desk = &directory.pix_keys.desk;
        desk.register_for_program(&Caller::Operator, trace(), order, leniency).await.unwrap();
    }
    let sound =
        async |made_up: &[AccountId]| directory.auditor().audit(made_up).await.unwrap().is_sound();
    assert!(sound(&[account_id(1)]).await);
    assert!(!sound(&[]).await);
}

/// The entry of a key that was never registered, given to the account by this transaction.
async fn taken(transaction: &mut dyn DirectoryTransaction, account: u128) -> EntryChange {
    let listed = transaction.lock_accounts(&[account_id(account)]).await.unwrap();
    let wanted = key("race@example.com");
    assert!(transaction.lock_entries(std::slice::from_ref(&wanted)).await.unwrap().is_empty());
    let mut entry = Entry::vacant(wanted);
    let account = &listed.first().unwrap().account;
    let entry_id = EntryId::from_uuid(account.id().uuid());
    let now = Timestamp::EPOCH;
    let owner_is_made_up = false;
    let registration =
        Registration { entry_id, account, spelling: None, keys_held: 0, owner_is_made_up, now };
    let event = entry.register(&registration).unwrap();
    entry.apply(&event);
    EntryChange { entry, event, trace: trace() }
}

#[tokio::test]
async fn of_two_transactions_that_found_a_key_vacant_the_second_conflicts() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.enrol(2, BBX, ANA).await.unwrap();
    let mut first = directory.store.begin().await.unwrap();
    let mut second = directory.store.begin().await.unwrap();
    let mine = taken(first.as_mut(), 1).await;
    let yours = taken(second.as_mut(), 2).await;
    first.save_entries(&[mine]).await.unwrap();
    first.commit().await.unwrap();
    let refused = second.save_entries(&[yours]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    second.rollback().await;
    let found = directory.found("race@example.com").await.unwrap();
    assert_eq!(found.account.account_id, account_id(1));
    assert_eq!(directory.outbox().await.len(), 1);
}

#[tokio::test]
async fn an_entry_that_is_not_as_it_was_believed_conflicts() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    let entry = directory.register("r1", 1, "maria@example.com").await.unwrap();
    let mut transaction = directory.store.begin().await.unwrap();
    let stored = transaction.lock_entries(std::slice::from_ref(&entry.key)).await.unwrap();
    let newer = stored.first().unwrap();
    let mut believed = Entry::stored(newer.key().clone(), 7, *newer.state());
    let event = believed.remove(account_id(1), RemovalReason::Fraud, Timestamp::EPOCH).unwrap();
    believed.apply(&event);
    let change = EntryChange { entry: believed, event, trace: trace() };
    let refused = transaction.save_entries(&[change]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    transaction.rollback().await;
    assert_eq!(directory.found("maria@example.com").await.unwrap(), entry);
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_or_dropped_leaves_nothing() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    let entry = directory.register("r1", 1, "maria@example.com").await.unwrap();
    let before = directory.outbox().await;
    for drops in [false, true] {
        let mut transaction = directory.store.begin().await.unwrap();
        let held = transaction.lock_entries(std::slice::from_ref(&entry.key)).await.unwrap();
        let mut removed = held.into_iter().next().unwrap();
        let reason = RemovalReason::Fraud;
        let event = removed.remove(account_id(1), reason, entry.created_at).unwrap();
        removed.apply(&event);
        let change = EntryChange { entry: removed, event, trace: trace() };
        transaction.save_entries(&[change]).await.unwrap();
        if drops {
            drop(transaction);
        } else {
            transaction.rollback().await;
        }
        assert_eq!(directory.found("maria@example.com").await.unwrap(), entry);
        assert_eq!(directory.outbox().await, before);
    }
    directory.stop();
}
