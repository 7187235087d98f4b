//! The real binary with demo data, on a database and topics of its own.

use std::process::Command;

use serde::Deserialize;
use shared_kernel::testing::TestServers;

use super::process::Process;

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
    /// A hub that serves; its demo data are on their way.
    pub(crate) async fn with_demo_data() -> Self {
        let servers = TestServers::fresh().await;
        let tests = std::env::current_exe().unwrap();
        let binary = tests.parent().unwrap().with_file_name("codepix");
        let mut command = Command::new(&binary);
        command
            .args(["serve", "--json", "--demo-data"])
            .env("DATABASE_URL", &servers.database_url)
            .env("KAFKA_BROKERS", &servers.kafka.brokers)
            .env("CODEPIX_TOPIC_PREFIX", &servers.kafka.topic_prefix);
        for listener in ["GRPC", "HTTP", "INTERNAL", "BALANCES"] {
            command.env(format!("CODEPIX_{listener}_ADDRESS"), "127.0.0.1:0");
        }
        let mut process = Process::start(command);
        let addresses: Addresses = process.says(|printed| serde_json::from_str(printed).ok()).await;
        Self { http: addresses.http, _process: process }
    }

    /// A path of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }
}
