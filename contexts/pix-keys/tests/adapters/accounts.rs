//! What banks and the hub tell: repeated, late, out of order, garbage, and in races.

use std::sync::Arc;

use futures::future::{join, join_all};
use pix_keys::application::query::FindAccount;
use pix_keys::application::{AccountView, DirectoryReads, DirectoryStore};
use pix_keys::domain::AccountFact::{Blocked, Closed, Unblocked};
use pix_keys::domain::AccountStatus;
use pix_keys::infrastructure::kafka::DirectoryConsumer;
use pix_keys::infrastructure::kafka::inbound::{ACCOUNTS_TOPIC, PARTICIPANTS_TOPIC};
use serde_json::{Value, json};
use shared_kernel::application::{BatchHandler, InboundRecord, TopicPartition};
use shared_kernel::domain::{AccountId, Timestamp};
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::testing::FixedClock;

use crate::harness::{
    ANA, BBX, CTER, Directory, MARIA, account_id, code, count, header, heard, opened, person,
};

fn record(event_type: &str, subject: &str, version: &str, body: &Value) -> InboundRecord {
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let is_participant = event_type.contains("Participant");
    let name = if is_participant { PARTICIPANTS_TOPIC } else { ACCOUNTS_TOPIC };
    let topic = format!("prefix.{name}");
    InboundRecord {
        from: TopicPartition { topic, partition: 0 },
        offset: 0,
        broker_time: Timestamp::EPOCH,
        key: Some(subject.as_bytes().to_vec()),
        headers: vec![
            header("ce_specversion", "1.0"),
            header("ce_id", "0191b8a4-0000-7000-8000-000000000000"),
            header("ce_type", event_type),
            header("ce_source", "/codepix/test"),
            header("ce_time", "2026-11-20T12:00:00Z"),
            header("ce_subject", subject),
            header("ce_aggregateversion", version),
        ],
        payload: Some(body.to_string().into_bytes()),
    }
}

fn account_record(name: &str, number: u128, version: i64, more: &Value) -> InboundRecord {
    let id = account_id(number).to_string();
    let mut body = json!({
        "account_id": id, "ispb": BBX, "available": {"amount": "0.00", "currency": "BRL"},
        "held": {"amount": "0.00", "currency": "BRL"}, "occurred_at": "2026-11-20T12:00:00Z",
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    record(&format!("codepix.banking.{name}.v1"), &id, &version.to_string(), &body)
}

fn opening(number: u128, tax_id: &str) -> InboundRecord {
    let more = json!({
        "branch": "0001", "number": "1111", "owner_name": "Owner", "owner_tax_id": tax_id,
        "limits": {"per_transfer": null, "per_day": null},
    });
    account_record("AccountOpened", number, 1, &more)
}

/// Handles a batch as the consumer does; the refusals by their places and codes.
async fn handle(directory: &Directory, batch: &[InboundRecord]) -> Vec<(usize, String)> {
    let store = Arc::new(directory.store.clone());
    let clock = Arc::new(FixedClock::default());
    let consumer = DirectoryConsumer::new(store, clock, Arc::new(SystemIds));
    let mut transaction = consumer.begin().await.unwrap();
    let refusals = consumer.handle(transaction.as_mut(), batch).await.unwrap();
    transaction.commit().await.unwrap();
    refusals.into_iter().map(|refusal| (refusal.index, refusal.code)).collect()
}

async fn account(directory: &Directory, id: AccountId) -> Option<AccountView> {
    directory.store.accounts(&[id]).await.unwrap().into_iter().next()
}

async fn status(directory: &Directory, number: u128) -> AccountStatus {
    account(directory, account_id(number)).await.unwrap().status
}

#[tokio::test]
async fn repeated_late_and_swapped_messages_change_nothing() {
    let directory = Directory::fresh().await;
    let none = json!({});
    let blocked = || account_record("AccountBlocked", 1, 4, &none);
    let unblocked = || account_record("AccountUnblocked", 1, 7, &none);
    assert!(handle(&directory, &[blocked()]).await.is_empty());
    assert!(account(&directory, account_id(1)).await.is_none());
    assert!(handle(&directory, &[opening(1, MARIA)]).await.is_empty());
    assert_eq!(status(&directory, 1).await, AccountStatus::Blocked);
    let batch = [unblocked(), blocked(), opening(1, MARIA), unblocked()];
    assert!(handle(&directory, &batch).await.is_empty());
    assert_eq!(status(&directory, 1).await, AccountStatus::Active);
    let closed = account_record("AccountClosed", 1, 9, &none);
    assert!(handle(&directory, &[closed, opening(1, MARIA)]).await.is_empty());
    assert!(handle(&directory, &[unblocked(), blocked()]).await.is_empty());
    assert_eq!(status(&directory, 1).await, AccountStatus::Closed);
}

#[tokio::test]
async fn garbage_is_set_aside_and_its_neighbours_take_effect() {
    let directory = Directory::fresh().await;
    let none = json!({});
    let mut headless = opening(2, MARIA);
    headless.headers.clear();
    let mut bodiless = opening(2, MARIA);
    bodiless.payload = None;
    let mut broken = opening(2, MARIA);
    broken.payload = Some(b"{\"account_id\":".to_vec());
    let other = account_id(2).to_string();
    let body = json!({"account_id": account_id(3).to_string(), "ispb": BBX});
    let misdirected = record("codepix.banking.AccountClosed.v1", &other, "2", &body);
    let batch = [
        opening(1, MARIA),
        headless,
        bodiless,
        broken,
        misdirected,
        opening(2, "12345678901"),
        account_record("AccountBlocked", 2, 0, &none),
        account_record("AmountDeposited", 2, 2, &json!({"amount": 5})),
        record("codepix.banking.SomethingNew.v2", "x", "1", &none),
        record("codepix.transfers.TransferPending.v1", "x", "1", &none),
        account_record("AccountBlocked", 1, 2, &none),
    ];
    let refused = handle(&directory, &batch).await;
    let expected = [
        (1, "envelope_header"),
        (2, "payload_missing"),
        (3, "payload_json"),
        (4, "subject_mismatch"),
        (5, "cpf_check_digit"),
        (6, "aggregate_version_shape"),
        (9, "event_misdirected"),
    ];
    assert_eq!(refused, expected.map(|(index, code)| (index, code.to_owned())));
    assert_eq!(status(&directory, 1).await, AccountStatus::Blocked);
    assert!(account(&directory, account_id(2)).await.is_none());
}

#[tokio::test]
async fn news_from_another_bank_or_of_another_owner_is_set_aside() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    directory.register("r1", 1, "maria@example.com").await.unwrap();
    let foreign = account_record("AccountClosed", 1, 5, &json!({"ispb": CTER}));
    let refused = handle(&directory, &[foreign, opening(1, ANA)]).await;
    let expected = [(0, "account_of_another_bank"), (1, "account_id_taken")];
    assert_eq!(refused, expected.map(|(index, code)| (index, code.to_owned())));
    assert!(directory.found("maria@example.com").await.is_some());
}

#[tokio::test]
async fn participants_are_kept_in_their_newest_version() {
    let directory = Directory::fresh().await;
    directory.enrol(1, BBX, MARIA).await.unwrap();
    let told = |name: &str, event: &str, version: &str| {
        let body = json!({
            "ispb": BBX, "code": "NLB", "name": name, "protocol": "native",
            "position_limit": null, "enrolled_at": "2026-11-20T12:00:00Z",
        });
        record(&format!("codepix.transfers.{event}.v1"), BBX, version, &body)
    };
    let batch = [
        told("Third", "ParticipantChanged", "3"),
        told("Second", "ParticipantChanged", "2"),
        told("First", "ParticipantEnrolled", "1"),
        told("", "ParticipantChanged", "9"),
    ];
    let refused = handle(&directory, &batch).await;
    assert_eq!(refused, [(3, "participant_name_shape".to_owned())]);
    handle(&directory, &[told("Second", "ParticipantChanged", "2")]).await;
    let bank = account(&directory, account_id(1)).await.unwrap().bank.unwrap();
    assert_eq!((bank.code.as_str(), bank.name.as_str()), ("NLB", "Third"));
}

#[tokio::test]
async fn closing_an_account_removes_its_keys_and_says_why() {
    let directory = Directory::fresh().await;
    directory.hear(vec![opened(1, MARIA), opened(2, ANA)]).await;
    for (account, text) in [(1, "a@x"), (1, "b@x"), (2, "c@x")] {
        directory.register(text, account, text).await.unwrap();
    }
    let none = json!({});
    let closing = || account_record("AccountClosed", 1, 3, &none);
    assert!(handle(&directory, &[closing(), closing()]).await.is_empty());
    assert!(handle(&directory, &[closing()]).await.is_empty());
    assert!(directory.found("a@x").await.is_none());
    assert!(directory.found("b@x").await.is_none());
    assert!(directory.found("c@x").await.is_some());
    let outbox = directory.outbox().await;
    let removed: Vec<Value> = outbox
        .iter()
        .filter(|record| header(record, "ce_type").contains("PixKeyRemoved"))
        .map(|record| serde_json::from_slice(record.payload.as_ref().unwrap()).unwrap())
        .collect();
    let told: Vec<_> = removed.iter().map(|body| (&body["key"], &body["reason"])).collect();
    let reason = json!("ACCOUNT_CLOSURE");
    assert_eq!(told, [(&json!("a@x"), &reason), (&json!("b@x"), &reason)]);
    let refused = directory.register("late", 1, "d@x").await;
    assert_eq!(code(&refused), "account_not_active");
    let audit = directory.auditor().audit(&[]).await.unwrap();
    assert!(audit.is_sound());
    assert_eq!((audit.keys_active, audit.keys_removed, audit.accounts_closed), (1, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_outlives_its_account_whichever_is_first() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    let people = 1..=20_u32;
    directory.hear(people.map(|number| opened(number.into(), &person(number))).collect()).await;
    let registering = join_all((1..=100_u128).map(|number| {
        let text = format!("k{number}@x");
        let directory = &directory;
        async move { directory.register(&text, number % 20 + 1, &text).await }
    }));
    let closing = async {
        for number in 1..=20 {
            twin.hear(vec![heard(number, 2, Closed)]).await;
        }
    };
    let (answers, ()) = join(registering, closing).await;
    let decided = count(&answers, "") + count(&answers, "account_not_active");
    assert_eq!(decided, 100);
    let audit = directory.auditor().audit(&[]).await.unwrap();
    assert!(audit.is_sound(), "{audit:?}");
    assert_eq!((audit.keys_active, audit.accounts_closed), (0, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_enrolled_many_times_at_once_is_one() {
    let directory = Directory::fresh().await;
    let twin = directory.twin();
    let answers = join_all((0..40_u32).map(|number| {
        let process = if number % 2 == 0 { &directory } else { &twin };
        let tax_id = if number % 4 < 2 { MARIA } else { ANA };
        process.enrol(1, BBX, tax_id)
    }))
    .await;
    assert_eq!(count(&answers, ""), 20);
    assert_eq!(count(&answers, "account_id_taken"), 20);
    assert_eq!(code(&directory.enrol(2, "99999999", MARIA).await), "participant_not_found");
}

#[tokio::test]
async fn the_audit_sees_what_must_not_be() {
    use diesel_async::SimpleAsyncConnection;

    let directory = Directory::fresh().await;
    directory.hear(vec![opened(1, MARIA), heard(2, 2, Blocked), heard(3, 2, Unblocked)]).await;
    directory.register("r1", 1, MARIA).await.unwrap();
    let audit = directory.auditor().audit(&[]).await.unwrap();
    assert!(audit.is_sound());
    assert_eq!((audit.accounts_unopened, audit.participants), (2, 2));
    let mut connection = directory.sessions.database.connection().await.unwrap();
    connection
        .batch_execute(
            "UPDATE pix_keys.account SET status = 'closed' WHERE owner_tax_id = '12345678909'; \
             INSERT INTO pix_keys.entry (key, kind, entry_id, account_id, ispb, owner_tax_id, \
                 state, created_at, owned_since, version) \
             SELECT 'k' || n || '@x', 'email', gen_random_uuid(), account_id, ispb, \
                 owner_tax_id, 'active', created_at, owned_since, 1 \
             FROM pix_keys.entry, generate_series(1, 5) AS n; \
             UPDATE pix_keys.entry SET owner_tax_id = '52998224725' WHERE kind = 'cpf'",
        )
        .await
        .unwrap();
    let audit = directory.auditor().audit(&[]).await.unwrap();
    assert!(!audit.is_sound());
    assert_eq!(audit.keys_of_closed_accounts, 6);
    assert_eq!(audit.accounts_over_limit, 1);
    assert_eq!(audit.keys_of_another_person, 1);
}

#[tokio::test]
async fn a_lookup_by_account_id_needs_no_participant() {
    let directory = Directory::fresh().await;
    let mut stray = opened(1, MARIA);
    stray.news.ispb = crate::harness::ispb("99999999");
    directory.hear(vec![stray]).await;
    let lookup = FindAccount { account_id: account_id(1) };
    let account = directory.pix_keys.find_account.submit(lookup).await.unwrap();
    assert_eq!(account.bank, None);
    assert_eq!(directory.auditor().audit(&[]).await.unwrap().accounts_without_participant, 1);
    assert_eq!(code(&directory.register("r", 1, "a@x").await), "participant_not_found");
    let transaction = directory.store.begin().await.unwrap();
    transaction.rollback().await;
}
