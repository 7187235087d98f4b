//! `codepix events tail`: a person beside the log sees what happens, as it happens.

use codepix::client::transfers::TransferState;

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
        let page = "http://127.0.0.1:3000/docs/events/TransferConfirmed/1.1.0";
        for part in [" TransferConfirmed ", &id, " v2 ", "amount=BRL 40.00", page] {
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
    assert_eq!(types, expected.map(|name| format!("codepix.transfers.{name}.v1")));
    for (event, version) in events.iter().zip(1..) {
        assert_eq!(event["body"]["end_to_end_id"], *id);
        assert_eq!((&event["key"], &event["version"]), (&id.clone().into(), &version.into()));
        let page = event["page"].as_str().unwrap();
        assert!(page.starts_with("https://events.example/docs/events/Transfer"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_without_kafka_says_so() {
    let hub = TestHub::start().await;
    let words = ["events", "tail", "--kafka-brokers", "127.0.0.1:1", "--limit", "1"];
    let ran = operate(&hub.servers, &words).await;
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.said.contains("127.0.0.1:1"), "{ran:?}");
}
