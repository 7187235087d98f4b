//! `kill -9` of Kafka and of `PostgreSQL` while transfers are under way: both come back, and so
//! does the hub by itself. And of Kafka while the programs of other banks are told what to credit.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use codepix::client::banking::TransferDirection;
use codepix::client::transfers::TransferState;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::json;
use shared_kernel::infrastructure::kafka::KafkaSettings;
use shared_kernel::testing::TestServers;
use tempfile::TempDir;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::support::binary::{BINARY, Process};
use crate::support::crowd::Crowd;
use crate::support::graph::Events;
use crate::support::operator::{doctor, same_again};
use crate::support::program::Program;
use crate::support::{Chance, HubOptions, TestHub, at_rest, eventually, eventually_within};

/// Transfers of a run.
const TRANSFERS: usize = 200;
/// Servers of their own are heavy: one set at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Servers may have to be fetched first.
const START: Duration = Duration::from_mins(10);

/// A server as its supervisor describes it.
#[derive(Debug, Deserialize)]
struct Server {
    pid: u32,
}

/// Where the servers are.
#[derive(Debug, Deserialize)]
struct Endpoints {
    database_url: String,
    kafka_brokers: String,
}

/// What the supervisor says of its servers.
#[derive(Debug, Deserialize)]
struct Published {
    endpoints: Endpoints,
    postgres: Server,
    kafka: Server,
}

/// Servers of one test, which it may kill.
struct OwnServers {
    process: Process,
    folder: TempDir,
}

impl OwnServers {
    /// Starts them beside a command that only waits.
    async fn start() -> (Self, Published) {
        let folder = tempfile::tempdir().unwrap();
        // The servers may run as another user than the test.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let mut command = Command::new(BINARY);
        command.arg("servers").arg("--fresh").arg("--data-dir").arg(folder.path().join("data"));
        command.args(["--", "tail", "-f", "/dev/null"]);
        let process = Process::start(command, folder.path(), "servers");
        let mut own = Self { process, folder };
        let published = eventually_within(START, async || {
            if let Some(status) = own.process.ended() {
                panic!("the servers did not start ({status}):\n{}", own.process.log());
            }
            own.published()
        })
        .await;
        (own, published)
    }

    fn published(&self) -> Result<Published, String> {
        let found = find(self.folder.path(), "endpoints.json").ok_or("not published yet")?;
        let text = std::fs::read_to_string(found).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// `kill -9` of a server; returns once its successor is published.
    async fn kill(&self, which: fn(&Published) -> u32) {
        let victim = which(&self.published().unwrap());
        let pid = Pid::from_raw(i32::try_from(victim).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        eventually(async || match self.published().map(|published| which(&published)) {
            Ok(pid) if pid != victim => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// Stops them, as Ctrl-C does. The supervisor's log tells why that fails, where it does.
    async fn stop(mut self) {
        self.process.terminate();
        eventually(async || match self.process.ended() {
            Some(_) => Ok(()),
            None => Err(Running {
                client: self.process.log(),
                supervisor: find(self.folder.path(), "supervisor.log")
                    .and_then(|log| std::fs::read_to_string(log).ok()),
            }),
        })
        .await;
    }
}

/// What is known of servers that do not end.
#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Running {
    client: String,
    supervisor: Option<String>,
}

/// The first file of that name below a folder.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let here = entries.iter().find(|path| path.ends_with(name)).cloned();
    here.or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|path| find(path, name)))
}

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
                told.send_modify(|ids| drop(ids.insert(id)));
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
