//! `kill -9` of Kafka and of `PostgreSQL` while transfers are under way: both come back, and so
//! does the hub by itself. And of Kafka while the programs of other banks are told what to credit.

use std::collections::BTreeSet;
use std::time::Duration;

use codepix::client::banking::TransferDirection;
use codepix::client::transfers::TransferState;
use serde_json::json;
use shared_kernel::infrastructure::kafka::KafkaSettings;
use shared_kernel::testing::TestServers;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::crowd::Crowd;
use crate::support::graph::Events;
use crate::support::operator::{doctor, same_again};
use crate::support::own_servers::{ALONE, Endpoints, OwnServers};
use crate::support::program::Program;
use crate::support::{Chance, HubOptions, TestHub, at_rest, eventually};

/// Transfers of a run.
const TRANSFERS: usize = 200;

/// Follows the transfers of a bank over the graph: the ids of those that are told to be completed.
async fn follow_completed(
    address: &str,
    ispb: &str,
) -> (JoinHandle<()>, watch::Receiver<BTreeSet<String>>) {
    let query = "subscription($ispb: Ispb!) { transferUpdated(ispb: $ispb) { id state } }";
    let mut events = Events::of(address, query, json!({ "ispb": ispb })).await;
    let (told, completed) = watch::channel(BTreeSet::new());
    let following = tokio::spawn(async move {
        loop {
            let news = events.next().await["transferUpdated"].take();
            if news["state"] == "COMPLETED" {
                let id = news["id"].as_str().unwrap().to_owned();
                told.send_if_modified(|ids| ids.insert(id));
            }
        }
    });
    (following, completed)
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_survive_a_kafka_and_a_postgresql_that_die() {
    let _alone = ALONE.lock().await;
    let mut chance = Chance::of_this_run();
    let (own, published) = OwnServers::start().await;
    let Endpoints { database_url, kafka_brokers } = published.endpoints;
    let kafka = KafkaSettings::new(kafka_brokers);
    let servers = TestServers { database_url, kafka };
    let hub = TestHub::with_servers(servers, HubOptions::default()).await;
    let scene = hub.scene();
    let crowd = Crowd::gather(&scene, &mut chance, TRANSFERS).await;
    let ispb = scene.enrol("001").await;
    let (following, completed) = follow_completed(&hub.addresses().http, &ispb).await;
    let mut deaths = [chance.below(TRANSFERS), chance.below(TRANSFERS)];
    deaths.sort_unstable();
    println!("Kafka and PostgreSQL die after these numbers of answers: {deaths:?}");

    let (_scene, seen) = watch::channel(scene.clone());
    let (answered, mut counted) = watch::channel(0_usize);
    let [first, second] = deaths;
    let killing = async {
        counted.wait_for(|count| *count >= first).await.unwrap();
        own.kill(|published| published.kafka.pid).await;
        counted.wait_for(|count| *count >= second).await.unwrap();
        own.kill(|published| published.postgres.pid).await;
    };
    let (answers, ()) = futures::join!(crowd.pay(&seen, &answered), killing);
    crowd.has_paid(&scene, &answers).await;
    // Who followed a bank through all of it missed nothing.
    let of_bank =
        answers.iter().filter(|it| it.direction() != TransferDirection::Book).filter(|it| {
            it.counterparty_ispb == ispb || it.end_to_end_id.starts_with(&format!("E{ispb}"))
        });
    let wanted: BTreeSet<String> = of_bank.map(|it| it.end_to_end_id.clone()).collect();
    eventually(async || {
        let told = completed.borrow().clone();
        let missing = wanted.difference(&told).cloned().collect::<Vec<_>>();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
    following.abort();
    at_rest(&hub, &scene).await;
    same_again(&hub.servers, &["--dry-run"]).await;
    drop(hub);
    own.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_program_is_told_exactly_once_while_kafka_and_the_hub_die_again_and_again() {
    const ROUNDS: usize = 4;
    const ORDERS: usize = 10;
    let _alone = ALONE.lock().await;
    let (own, published) = OwnServers::start().await;
    let Endpoints { database_url, kafka_brokers } = published.endpoints;
    let servers = TestServers { database_url, kafka: KafkaSettings::new(kafka_brokers) };
    let mut hub = TestHub::with_servers(servers, HubOptions::default()).await;
    let (one, two) = (Program::start(&hub, "001").await, Program::start(&hub, "002").await);
    let mut chance = Chance::of_this_run();
    let mut ids = Vec::new();
    for round in 0..ROUNDS {
        for _ in 0..ORDERS {
            ids.push(one.order("1.01", &two.key).await);
        }
        // Not a wait for anything: each death finds the courier elsewhere.
        let moment = Duration::from_millis(u64::try_from(chance.below(400)).unwrap());
        println!("Kafka dies {moment:?} after the orders of round {round}");
        drop(tokio::time::timeout(moment, std::future::pending::<()>()).await);
        if round % 2 == 1 {
            // With the courier in the middle of a transaction of the log.
            hub.kill();
        }
        own.kill(|published| published.kafka.pid).await;
        if round % 2 == 1 {
            hub.restart().await;
        }
    }
    for id in &ids {
        two.hears(id, "pending").await;
        two.confirm(id, "confirmed").await;
    }
    for id in &ids {
        one.hears(id, "confirmed").await;
        one.confirm(id, "completed").await;
    }
    let scene = hub.scene();
    eventually(async || {
        let completed = scene.transfers_in(TransferState::Completed).await.len();
        if completed == ROUNDS * ORDERS { Ok(()) } else { Err(completed) }
    })
    .await;
    let inbox = two.inbox().await;
    let told = inbox.iter().filter(|it| it["status"] == "pending");
    let told: Vec<&str> = told.map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(told.len(), ids.len(), "each exactly once");
    assert!(ids.iter().all(|id| told.contains(&id.as_str())), "{told:?}");
    doctor(&hub.servers).await;
    drop(hub);
    own.stop().await;
}
