//! `bench graph`: joined queries over HTTP, each with a hop from one context to another.

use std::sync::Arc;

use anyhow::Context as _;

use super::command::BenchGraph;
use super::conditions::Conditions;
use super::graph_report::GraphReport;
use super::open_loop::{Arrival, Schedule, drive};
use super::report::Asked;
use super::setup::{BenchAccount, Hubs, patiently, paying, prepare};
use super::tally::{Counter, turn};
use crate::cli::output::Output;
use crate::client::{ClientError, ClientOptions, GraphClient};

/// Banking tells of the account, Balances of its money.
const QUERY: &str =
    "query($id: ID!) { account(id: $id) { number owner { name } balance { available held } } }";
/// What each account holds, so that it has a balance to tell of.
const FUNDS_CENTAVOS: i64 = 1_000;

/// Prepares and runs the bench.
pub(super) async fn run(
    bench: BenchGraph,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<GraphReport> {
    let load = &bench.load;
    let schedule = Schedule::of(load);
    let graph = GraphClient::new(&bench.graph, client.token.as_deref())?;
    let hubs = Hubs::connect(client, load.connections).await?;
    let accounts = paying(&load.banks, bench.accounts);
    prepare(&hubs, &accounts, FUNDS_CENTAVOS, output)
        .await
        .context("the accounts of the bench could not be prepared")?;
    let bodies: Arc<[String]> = accounts.iter().map(body).collect();
    for body in bodies.iter() {
        patiently(|| known(&graph, body))
            .await
            .context("an account of the bench has no balance")?;
    }
    let conditions = Conditions::now(&graph.address());
    let bar = output.progress(schedule.total(), "queries");
    let counter = Counter::start(schedule)?;
    let drawing = tokio::spawn(counter.clone().draw(bar.clone()));
    let run = Run { graph, bodies, counter: counter.clone() };
    let launch = |arrival| run.clone().query(arrival);
    drive(schedule, counter.stopwatch(), bench.in_flight, launch).await;
    drawing.abort();
    bar.finish_and_clear();
    let seen = counter.seen();
    Ok(GraphReport {
        asked: Asked::of(load, bench.in_flight),
        query: QUERY,
        accounts: accounts.len(),
        conditions,
        answered_per_second: seen.per_second(load.seconds),
        to_answer: seen.to_answer.summary(),
        to_launch: seen.to_launch.summary(),
        valid: seen.is_complete(),
        measured: seen.measured.clone(),
    })
}

fn body(account: &BenchAccount) -> String {
    serde_json::json!({ "query": QUERY, "variables": { "id": account.id.to_string() } }).to_string()
}

/// What every query of a run shares.
#[derive(Clone)]
struct Run {
    graph: GraphClient,
    bodies: Arc<[String]>,
    counter: Counter,
}

impl Run {
    /// Asks for one account.
    async fn query(self, arrival: Arrival) {
        let Some(body) = turn(&self.bodies, arrival.index) else { return };
        self.counter.ask(arrival, joined(&self.graph, body)).await;
    }
}

/// A whole answer: with the account, and with its balance.
async fn joined(graph: &GraphClient, body: &str) -> Result<(), ClientError> {
    let data = graph.ask(body.to_owned()).await?;
    if data.pointer("/account/balance/available").is_some_and(serde_json::Value::is_string) {
        return Ok(());
    }
    Err(ClientError::refused("balance_missing", None, "the answer has no balance"))
}

/// The same while the read side may not have heard of the account yet.
async fn known(graph: &GraphClient, body: &str) -> Result<(), ClientError> {
    match joined(graph, body).await {
        Err(error) if error.code() == "balance_missing" => Err(graph.lost("no balance yet")),
        answered => answered,
    }
}
