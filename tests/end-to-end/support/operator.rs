//! The operator's commands, as a shell would run them.

use std::process::Command;

use serde_json::Value;
use shared_kernel::testing::TestServers;

use super::binary::{Ran, command, run};

/// A command on these servers.
pub(crate) fn on(servers: &TestServers, words: &[&str]) -> Command {
    let mut command = command(words);
    command
        .env("DATABASE_URL", &servers.database_url)
        .env("KAFKA_BROKERS", &servers.kafka.brokers)
        .env("CODEPIX_TOPIC_PREFIX", &servers.kafka.topic_prefix);
    command
}

/// Runs a command against these servers.
pub(crate) async fn operate(servers: &TestServers, words: &[&str]) -> Ran {
    run(on(servers, words)).await
}

/// Runs a command that must succeed and print JSON, one value per line.
pub(crate) async fn operate_json(servers: &TestServers, words: &[&str]) -> Vec<Value> {
    let ran = operate(servers, words).await;
    assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
    let values = serde_json::Deserializer::from_str(&ran.printed).into_iter();
    values.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{words:?}: {error}: {ran:?}"))
}

/// Rebuilds the read side from the log; the live one must have the same content.
pub(crate) async fn same_again(servers: &TestServers, words: &[&str]) -> Value {
    let words = [&["replay", "balances", "--json"], words].concat();
    let mut answers = operate_json(servers, &words).await;
    let answer = answers.remove(0);
    assert_eq!(answer["live"], answer["rebuilt"], "{answer}");
    answer
}

/// Waits until the system is quiet and checks the invariants of its money. The doctor gives up
/// before the test does, so that it says what it found.
pub(crate) async fn doctor(servers: &TestServers) {
    let ran = operate(servers, &["doctor", "--wait", "--patience", "90s", "--json"]).await;
    assert_eq!(ran.code, Some(0), "the doctor is not content: {ran:#?}");
}
