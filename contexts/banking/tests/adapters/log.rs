//! The context on a real log: what it reads, in whatever order and shape, and what it writes.

use banking::application::views::ShownState;
use shared_kernel::application::log::{InboundRecord, OutboundRecord};
use shared_kernel::testing::{ForeignEvent, eventually};

use crate::process::{Process, Word};
use crate::world::{BANK_A, BANK_B};

const PENDING: &str = "codepix.transfers.TransferPending.v1";
const CONFIRMED: &str = "codepix.transfers.TransferConfirmed.v1";
const COMPLETED: &str = "codepix.transfers.TransferCompleted.v1";
const REJECTED: &str = "codepix.transfers.TransferRejected.v1";
const LETTERS_A: &str = "codepix.bank.00000001.dlq";

fn header(record: &InboundRecord, name: &str) -> String {
    record.header(name).unwrap_or_default().to_owned()
}

/// The short names of a topic's events about one subject, in order.
fn names(records: &[InboundRecord], subject: &str) -> Vec<String> {
    records
        .iter()
        .filter(|record| header(record, "ce_subject") == subject)
        .map(|record| header(record, "ce_type").split('.').nth(2).unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_goes_its_way_over_the_log() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = process.pay(&ana, "bia@example.com", 2_500).await.end_to_end_id;
    let word =
        |name| Word { name, id: &id, payer: &ana, payee: &bia, amount: "25.00", reason: None };
    process.servers.write(&[process.word(BANK_B, &word(PENDING))]).await;
    let told = process.published("codepix.banking.transfers", 2).await;
    assert_eq!(names(&told, &id), ["TransferRequested", "TransferAccepted"]);
    let confirmed =
        [process.word(BANK_A, &word(CONFIRMED)), process.word(BANK_B, &word(CONFIRMED))];
    process.servers.write(&confirmed).await;
    process.has(&ana, (7_500, 0)).await;
    process.has(&bia, (2_500, 0)).await;
    let told = process.published("codepix.banking.transfers", 4).await;
    assert_eq!(told.len(), 4);
    let accounts = process.published("codepix.banking.accounts", 6).await;
    assert_eq!(
        names(&accounts, &ana.account_id.to_string()),
        ["AccountOpened", "AmountDeposited", "AmountHeld", "AccountDebited"]
    );
    let ana_id = ana.account_id.to_string();
    let versions: Vec<String> = accounts
        .iter()
        .filter(|record| header(record, "ce_subject") == ana_id)
        .map(|record| header(record, "ce_aggregateversion"))
        .collect();
    assert_eq!(versions, ["1", "2", "3", "4"]);
    assert_eq!(header(&accounts[0], "ce_source"), "/codepix/banking");
}

/// Records on a bank's topic that are no events of the hub, and one that is none for a bank.
fn garbage(process: &Process, good: &OutboundRecord) -> Vec<OutboundRecord> {
    let like = |payload: Option<&[u8]>| OutboundRecord {
        payload: payload.map(<[u8]>::to_vec),
        ..good.clone()
    };
    let event = |event_type| {
        let (source, subject) = ("/elsewhere", "x".to_owned());
        ForeignEvent { event_type, source, subject, version: 1, payload: "{}".into() }
    };
    let topic = "codepix.bank.00000001";
    vec![
        like(Some(b"{")),
        like(None),
        OutboundRecord { headers: Vec::new(), ..good.clone() },
        process.servers.foreign(topic, event("com.example.Other.v1")),
        process.servers.foreign(topic, event("codepix.transfers.TransferOverdue.v1")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_garbage_and_disorder_harm_nobody() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let first = process.pay(&ana, "bia@example.com", 1_000).await.end_to_end_id;
    let second = process.pay(&ana, "bia@example.com", 2_000).await.end_to_end_id;
    let word = |name, id| Word {
        name,
        id,
        payer: &ana,
        payee: &bia,
        amount: if id == first { "10.00" } else { "20.00" },
        reason: (name == REJECTED).then_some("DS04"),
    };
    let good = process.word(BANK_A, &word(CONFIRMED, &first));
    let swapped = Word { payer: &bia, payee: &bia, ..word(CONFIRMED, &first) };
    let unknown = "E0000000120261120120000000000009";
    let batch = [
        process.word(BANK_A, &swapped),
        process.word(BANK_A, &word(CONFIRMED, unknown)),
        good.clone(),
        good.clone(),
        process.word(BANK_A, &word(COMPLETED, &first)),
        process.word(BANK_A, &word(REJECTED, &first)),
        process.word(BANK_A, &word(REJECTED, &second)),
        // To the payee in the wrong order: the late question is not answered any more.
        process.word(BANK_B, &word(COMPLETED, &first)),
        process.word(BANK_B, &word(PENDING, &first)),
        process.word(BANK_B, &word(REJECTED, &second)),
        process.word(BANK_B, &word(PENDING, &second)),
    ];
    process.servers.write(&garbage(&process, &good)).await;
    process.servers.write(&batch).await;
    process.has(&ana, (9_000, 0)).await;
    process.has(&bia, (1_000, 0)).await;
    let letters = process.published(LETTERS_A, 7).await;
    let mut codes: Vec<String> = letters.iter().map(|letter| header(letter, "dlq_code")).collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            "bank_not_concerned",
            "envelope_header",
            "event_type_unknown",
            "payload_json",
            "payload_missing",
            "transfer_contradicts",
            "transfer_unknown"
        ]
    );
    let rejected = process.transfer(&second, ana.account_id).await;
    assert_eq!(rejected.state, ShownState::Rejected);
    // The marker proves that everything before it was handled.
    process.servers.write(&[process.word(BANK_B, &word(CONFIRMED, &first))]).await;
    let told = process.published("codepix.banking.transfers", 6).await;
    assert!(!names(&told, &first).contains(&"TransferAccepted".to_owned()), "{told:?}");
    assert!(!names(&told, &second).contains(&"TransferAccepted".to_owned()), "{told:?}");
    assert_eq!(process.funds(&ana).await, (9_000, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_that_is_redriven_late_is_safe() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = process.pay(&ana, "bia@example.com", 2_500).await.end_to_end_id;
    let word =
        |name, reason| Word { name, id: &id, payer: &ana, payee: &bia, amount: "25.00", reason };
    let life = [PENDING, CONFIRMED, COMPLETED];
    let in_order: Vec<OutboundRecord> = life
        .iter()
        .flat_map(|name| {
            [process.word(BANK_A, &word(name, None)), process.word(BANK_B, &word(name, None))]
        })
        .collect();
    process.servers.write(&in_order).await;
    process.has(&ana, (7_500, 0)).await;
    process.has(&bia, (2_500, 0)).await;
    // Each event once more, from the last to the first.
    let late: Vec<OutboundRecord> = in_order.iter().rev().cloned().collect();
    process.servers.write(&late).await;
    // Requested, accepted, two reports; and both reports again, which confirmed asks for.
    let told = process.published("codepix.banking.transfers", 6).await;
    assert_eq!(told.len(), 6);
    assert_eq!((process.funds(&ana).await, process.funds(&bia).await), ((7_500, 0), (2_500, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_the_own_bank_are_learnt_and_forgotten() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = process.account(BANK_A, 222_333_444, 0, "none").await;
    let key = |name: &'static str, version| {
        let payload = format!(
            r#"{{"entry_id":"e","kind":"email","key":"bia@example.com","account_id":"{}",
                "ispb":"{}","owner_name":"{}","owner_tax_id":"{}","reason":"user_requested"}}"#,
            bia.account_id,
            bia.ispb,
            bia.owner_name,
            bia.owner_tax_id.as_str()
        );
        let event = ForeignEvent {
            event_type: name,
            source: "/codepix/pix-keys",
            subject: "bia@example.com".into(),
            version,
            payload,
        };
        process.servers.foreign("codepix.pix-keys", event)
    };
    let registered = key("codepix.pix_keys.PixKeyRegistered.v1", 1);
    process.servers.write(&[registered.clone(), registered.clone()]).await;
    let transfer = eventually(async || process.try_pay(&ana, "bia@example.com", 100).await).await;
    assert_eq!(transfer.counterparty_account_id, bia.account_id.to_string());
    process.has(&bia, (100, 0)).await;
    // Removed, then an old registration again: the key stays removed.
    process.servers.write(&[key("codepix.pix_keys.PixKeyRemoved.v1", 2), registered]).await;
    eventually(async || match process.try_pay(&ana, "bia@example.com", 1).await {
        Err(status) if status.code() == tonic::Code::NotFound => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_for_one_bank_hosts_and_hears_that_bank_alone() {
    let process = Process::start(&[BANK_B]).await;
    process.servers.create_topics(&["codepix.bank.00000001"], 2).await;
    let banks =
        [process.participant(BANK_A, "native", 1), process.participant(BANK_B, "native", 1)];
    process.servers.write(&banks).await;
    process.hosts(&[BANK_B]).await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let mut ana = bia.clone();
    ana.ispb = crate::world::ispb(BANK_A);
    let id = "E0000000120261120120000000000001";
    let word = Word { name: CONFIRMED, id, payer: &ana, payee: &bia, amount: "3.00", reason: None };
    // The copy for the payer's bank is nobody's here.
    let copies = [process.word(BANK_A, &word), process.word(BANK_B, &word)];
    process.servers.write(&copies).await;
    process.has(&bia, (300, 0)).await;
    let told = process.published("codepix.banking.transfers", 1).await;
    assert_eq!(names(&told, id), ["TransferSettledByPayee"]);
    assert_eq!(process.servers.read_all(LETTERS_A).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_again_goes_on_where_it_was() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = process.pay(&ana, "bia@example.com", 2_500).await.end_to_end_id;
    let word =
        |name| Word { name, id: &id, payer: &ana, payee: &bia, amount: "25.00", reason: None };
    process.servers.write(&[process.word(BANK_B, &word(PENDING))]).await;
    process.published("codepix.banking.transfers", 2).await;
    process.stop();
    let confirmed =
        [process.word(BANK_A, &word(CONFIRMED)), process.word(BANK_B, &word(CONFIRMED))];
    process.servers.write(&confirmed).await;
    let again = Process::on(process.servers.clone(), &[]).await;
    again.has(&ana, (7_500, 0)).await;
    again.has(&bia, (2_500, 0)).await;
    let told = again.published("codepix.banking.transfers", 4).await;
    assert_eq!(told.len(), 4, "nothing was said twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn banks_are_in_the_colours_of_the_process_that_started_last() {
    const CHOSEN: &str = "00000001=#123456/#abcdef,00000002=#234567/#bcdefa";
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let own = process.colors().await;
    process.stop();
    let only_a = Process::in_colors(process.servers.clone(), &[BANK_A], CHOSEN).await;
    let chosen = ("#123456".to_owned(), "#abcdef".to_owned());
    assert_eq!(only_a.colors().await, [chosen, own[1].clone()], "the other bank is another's");
    only_a.stop();
    let undone = Process::on(process.servers.clone(), &[]).await;
    assert_eq!(undone.colors().await, own);
}
