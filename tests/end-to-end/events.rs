//! `codepix events tail`: a person beside the log sees what happens, as it happens.

use codepix::catalogue;
use codepix::client::transfers::TransferState;
use shared_kernel::application::catalogue::EventEntry;
use shared_kernel::application::{Ids as _, OutboundRecord};
use shared_kernel::domain::Timestamp;
use shared_kernel::infrastructure::system::SystemIds;

use crate::support::binary::{Process, command};
use crate::support::operator::{operate, operate_json};
use crate::support::{Scene, TestHub, at_rest, eventually};

/// A tail at work, which reads before this returns.
async fn tail(hub: &TestHub, folder: &tempfile::TempDir, words: &[&str]) -> Process {
    let words = [&["events", "tail"], words].concat();
    let mut command = command(&words);
    command
        .env("KAFKA_BROKERS", &hub.servers.kafka.brokers)
        .env("CODEPIX_TOPIC_PREFIX", &hub.servers.kafka.topic_prefix);
    let tail = Process::start(command, folder.path(), "tail");
    eventually(async || {
        let log = tail.log();
        if log.contains("following ") { Ok(()) } else { Err(log) }
    })
    .await;
    tail
}

/// What the registry says of an event of the hub, whatever version it has by now.
fn entry(name: &str) -> &'static EventEntry {
    let own = catalogue::events().filter(|entry| entry.name == name);
    own.max_by_key(|entry| entry.event_type).unwrap()
}

/// The page of an event, where the catalogue is served at `url`.
fn page(url: &str, name: &str) -> String {
    format!("{url}/docs/events/{name}/{}", entry(name).version)
}

/// A transfer between two banks, completed.
async fn transfer(scene: &Scene) -> String {
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let id = scene.send(&ana, &key, 4_000).await.end_to_end_id;
    scene.reaches(&id, TransferState::Completed).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_shows_what_happens_from_now_on_and_new_banks_too() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let before = scene.enrol("007").await;
    let folder = tempfile::tempdir().unwrap();
    let mut tail = tail(&hub, &folder, &["--type", "TransferConfirmed", "--limit", "3"]).await;
    let id = transfer(&scene).await;
    assert!(tail.end().await.success(), "{}", tail.log());
    let printed = tail.printed();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    for line in &lines {
        let page = page("http://127.0.0.1:3000", "TransferConfirmed");
        for part in [" TransferConfirmed ", &id, " v2 ", "amount=BRL 40.00", &page] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        assert!(!line.contains(&before) && !line.contains('\u{1b}'), "{line}");
    }
    // One for everyone, and one on the topic of each bank, which did not exist when it began.
    for topic in ["codepix.transfers  ", "codepix.bank.00000001  ", "codepix.bank.00000002  "] {
        assert!(lines.iter().any(|line| line.contains(topic)), "{topic} is not in {printed}");
    }
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_from_the_beginning_shows_what_is_there_to_programs_too() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let id = transfer(&scene).await;
    at_rest(&hub, &scene).await;
    let words = [
        "events",
        "tail",
        "--topic",
        "codepix.transfers",
        "--from-beginning",
        "--limit",
        "3",
        "--json",
        "--catalogue-url",
        "https://events.example",
    ];
    let events = operate_json(&hub.servers, &words).await;
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = ["TransferPending", "TransferConfirmed", "TransferCompleted"];
    assert_eq!(types, expected.map(|name| entry(name).event_type));
    for ((event, name), version) in events.iter().zip(expected).zip(1..) {
        assert_eq!(event["body"]["end_to_end_id"], *id);
        assert_eq!((&event["key"], &event["version"]), (&id.clone().into(), &version.into()));
        assert_eq!(event["page"], page("https://events.example", name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_knows_what_others_write_on_the_topics_of_the_settings() {
    let hub = TestHub::start().await;
    hub.servers.create_topics(&["theirs"], 1).await;
    let names = ["WalletTransactionCreated", "BankProgramOrdered"];
    let records = names.map(|name| {
        let example = (entry(name).example)().unwrap();
        let record = example.into_record("", "", SystemIds.ordered(), Timestamp::EPOCH);
        OutboundRecord { topics: vec![hub.servers.kafka.named("theirs")], ..record }
    });
    hub.servers.write(&records).await;
    let words = [
        "events",
        "tail",
        "--classic-orders-topic",
        "theirs",
        "--wallet-core-transactions-topic",
        "theirs",
        "--topic",
        "theirs",
        "--from-beginning",
        "--json",
    ];
    let both = operate_json(&hub.servers, &[&words[..], &["--limit", "2"]].concat()).await;
    let types: Vec<_> = both.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, names.map(|name| entry(name).event_type));
    let ordered = ["--type", "BankProgramOrdered", "--limit", "1"];
    let one = operate_json(&hub.servers, &[&words[..], &ordered].concat()).await;
    assert_eq!(one.len(), 1, "{one:?}");
    assert_eq!(one[0]["page"], page("http://127.0.0.1:3000", "BankProgramOrdered"));
    assert!(one[0].get("unreadable").is_none(), "{one:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_without_kafka_says_so() {
    let hub = TestHub::start().await;
    let words = ["events", "tail", "--kafka-brokers", "127.0.0.1:1", "--limit", "1"];
    let ran = operate(&hub.servers, &words).await;
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.said.contains("127.0.0.1:1"), "{ran:?}");
}
