//! The first commands of a new user, as the README shows them, with servers that they start
//! themselves: the demo, a hub that stays up, an account, a key, a transfer, a look at everything,
//! a supervisor that dies, and the end of it all.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::binary::{Process, Ran, command};
use crate::support::eventually_within;
use crate::support::own_servers::{ALONE, START, find, folder, kill, published};

/// A fixture account of bank 001.
const PAYER: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";

/// A person at a terminal, with a folder of data.
struct Terminal {
    folder: TempDir,
    ports: [u16; 3],
}

impl Terminal {
    fn new() -> Self {
        // Kept until all are known, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.map(|listener| listener.local_addr().unwrap().port());
        Self { folder: folder(), ports }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = command(words);
        command.env("CODEPIX_DATA_DIR", self.folder.path().join("data"));
        let [postgres, kafka, controller] = self.ports;
        command.env("CODEPIX_POSTGRES_PORT", postgres.to_string());
        command.env("CODEPIX_KAFKA_PORT", kafka.to_string());
        command.env("CODEPIX_KAFKA_CONTROLLER_PORT", controller.to_string());
        for listener in ["GRPC", "HTTP", "INTERNAL", "BALANCES"] {
            command.env(format!("CODEPIX_{listener}_ADDRESS"), "127.0.0.1:0");
        }
        command
    }

    /// Runs a command to its end.
    async fn ran(&self, mut command: Command, words: &[&str]) -> Ran {
        command.args(words);
        let mut process = Process::start(command, self.folder.path(), "command");
        let status =
            eventually_within(START, async || process.ended().ok_or_else(|| process.log())).await;
        Ran { code: status.code(), printed: process.printed(), said: process.log() }
    }

    /// The values that a command prints, which must succeed.
    async fn shown(&self, hub: &str, words: &[&str]) -> Vec<Value> {
        let mut command = self.command(&["--json"]);
        command.env("CODEPIX_HUB", hub);
        let ran = self.ran(command, words).await;
        assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
        let values = serde_json::Deserializer::from_str(&ran.printed).into_iter();
        values.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// `codepix up`, until it says where it listens; with its gRPC address.
    async fn up(&self) -> (Process, String) {
        let up = self.command(&["up", "--json"]);
        let mut process = Process::start(up, self.folder.path(), "up");
        let address = eventually_within(START, async || {
            if let Some(status) = process.ended() {
                panic!("it ended ({status}):\n{}", process.log());
            }
            let printed = process.printed();
            let mut values = serde_json::Deserializer::from_str(&printed).into_iter::<Value>();
            let said = values.next().and_then(Result::ok).ok_or_else(|| process.log())?;
            let address = said["grpc"].as_str().unwrap();
            Ok::<_, String>(format!("http://{address}"))
        })
        .await;
        (process, address)
    }
}

fn servers_are_gone(folder: &Path) {
    assert_eq!(find(folder, "postmaster.pid"), None);
    assert!(published(folder).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_readme_shows_works_on_servers_of_its_own() {
    let _alone = ALONE.lock().await;
    let terminal = Terminal::new();
    let folder = terminal.folder.path();

    let demo = terminal.ran(terminal.command(&["demo"]), &["--once", "--json"]).await;
    assert_eq!(demo.code, Some(0), "{demo:?}");
    let reason = "AC06";
    assert!(demo.printed.contains(reason), "{reason} is told: {demo:?}");
    servers_are_gone(folder);

    let (mut up, hub) = terminal.up().await;
    let shown = async |words: &[&str]| terminal.shown(&hub, words).await;
    shown(&["health"]).await;
    let maria = ["--name", "Maria Silva", "--tax-id", "52998224725"];
    let opened = shown(&[&["account", "open", "--bank", "00000001"][..], &maria].concat()).await;
    let maria = opened[0]["account_id"].as_str().unwrap();
    shown(&["account", "deposit", maria, "20.00"]).await;
    let key = "maria@example.com";
    shown(&["key", "register", key, "--account", maria]).await;
    assert_eq!(shown(&["key", "find", key]).await[0]["account_id"], maria);
    assert_eq!(shown(&["key", "list", maria]).await.len(), 1);
    let to = ["--key", "user1@cter.example", "--amount", "12.34", "--watch"];
    let sent = shown(&[&["transfer", "send", "--from", PAYER][..], &to].concat()).await;
    let last = sent.last().unwrap();
    assert_eq!(last["state"], "completed", "{sent:?}");
    let id = last["end_to_end_id"].as_str().unwrap();
    assert_eq!(shown(&["transfer", "show", id]).await[0]["state"], "completed");
    let watched = shown(&["transfer", "watch", id]).await;
    assert_eq!(watched.last().unwrap()["state"], "completed");
    for words in [
        &["account", "list", "--bank", "00000001"][..],
        &["account", "show", PAYER],
        &["account", "statement", PAYER],
        &["account", "limits", PAYER],
        &["transfer", "list"],
        &["bank", "list"],
        &["position", "list"],
    ] {
        assert!(!shown(words).await.is_empty(), "{words:?} shows nothing");
    }
    // Both with the doctor's word at their end.
    shown(&["bench", "transfers", "--rate", "5", "--seconds", "1", "--accounts", "8"]).await;
    shown(&["bench", "lookup", "--rate", "5", "--seconds", "1", "--keys", "8"]).await;

    // The servers stay behind when the supervisor dies, and the next one takes their place.
    kill(published(folder).unwrap().supervisor);
    up.kill();
    let (up, hub) = terminal.up().await;
    let listed = terminal.shown(&hub, &["transfer", "show", id]).await;
    assert_eq!(listed[0]["state"], "completed", "nothing was lost");
    terminal.shown(&hub, &["doctor", "--wait"]).await;
    terminal.shown(&hub, &["replay", "balances"]).await;
    drop(up);
    terminal.shown(&hub, &["reset", "--yes"]).await;
    servers_are_gone(folder);
}
