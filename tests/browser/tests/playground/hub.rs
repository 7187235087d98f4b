//! The real binary with demo data, on a database and topics of its own.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde::Deserialize;
use shared_kernel::testing::TestServers;
use tokio::time::Instant;

use super::process::{LOOK, PATIENCE, Process};

/// Accounts of the demo data.
const ACCOUNTS: usize = 4;
/// Keys of theirs at bank 002.
const KEYS: [&str; 2] = ["user1@cter.example", "user2@cter.example"];

/// A hub of one test.
#[derive(Debug)]
pub(crate) struct Hub {
    http: String,
    _process: Process,
}

/// Where a hub says that it listens.
#[derive(Deserialize)]
struct Addresses {
    http: String,
}

impl Hub {
    /// A hub that serves, with its demo data.
    pub(crate) async fn with_demo_data() -> Self {
        let servers = TestServers::fresh().await;
        let tests = std::env::current_exe().unwrap();
        let binary = tests.parent().unwrap().with_file_name("codepix");
        let mut command = Command::new(&binary);
        command
            .args(["serve", "--json", "--demo-data"])
            .env("DATABASE_URL", &servers.database_url)
            .env("KAFKA_BROKERS", &servers.kafka.brokers)
            .env("CODEPIX_KAFKA_REPLICATION", "1")
            .env("CODEPIX_TOPIC_PREFIX", &servers.kafka.topic_prefix);
        for listener in ["GRPC", "HTTP", "INTERNAL", "BALANCES"] {
            command.env(format!("CODEPIX_{listener}_ADDRESS"), "127.0.0.1:0");
        }
        let mut process = Process::start(command);
        let addresses: Addresses = process.says(|printed| serde_json::from_str(printed).ok()).await;
        let hub = Self { http: addresses.http, _process: process };
        hub.waits_for_demo_data().await;
        hub
    }

    async fn waits_for_demo_data(&self) {
        let started = Instant::now();
        let query = "{ one: balances(ispb: \\\"00000001\\\") { nodes { total } } \
                     two: balances(ispb: \\\"00000002\\\") { nodes { total \
                     account { keys { nodes { key } } } } } }";
        loop {
            let answer = self.ask(query).unwrap();
            let has_money = answer.matches("\"1000.00\"").count() == ACCOUNTS;
            if has_money && KEYS.iter().all(|key| answer.contains(key)) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "the demo data never came: {answer}");
            tokio::time::sleep(LOOK).await;
        }
    }

    fn ask(&self, query: &str) -> io::Result<String> {
        let body = format!("{{\"query\": \"{query}\"}}");
        let mut stream = TcpStream::connect(&self.http)?;
        write!(
            stream,
            "POST /graphql HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.http,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// A path of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }
}
