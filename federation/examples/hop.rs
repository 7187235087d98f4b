//! What joining costs: microseconds of one operation without a hop, with one, and with fifty
//! entities, in one process and one thread.
//!
//! ```sh
//! cargo run --release -p federation --example hop
//! ```

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::{Executor, Request, Variables};
use federation::Federated;
use serde_json::json;

#[path = "../tests/joined/subgraphs/mod.rs"]
#[expect(clippy::unused_async, reason = "the library wants every resolver to be async")]
#[expect(clippy::panic, clippy::indexing_slicing, reason = "some subgraphs of the tests do panic")]
mod subgraphs;

use subgraphs::{Caller, catalog, people, reviews, stock};

const SUPERGRAPH: &str = include_str!("../tests/fixtures/supergraph.graphql");
/// Runs of each operation; the middle one is printed beside the best.
const RUNS: usize = 7;
/// Operations in a run.
const OPERATIONS: u32 = 2_000;

const ROWS: [(&str, &str); 6] = [
    ("no hop", "query($id: ID!) { product(id: $id) { name price } }"),
    ("one hop", "query($id: ID!) { product(id: $id) { name quantity } }"),
    ("one hop that requires", "query($id: ID!) { product(id: $id) { name shippingCentavos } }"),
    ("two hops side by side", "query($id: ID!) { product(id: $id) { quantity reviews { id } } }"),
    ("fifty entities, no hop", "{ products(first: 50) { id name } }"),
    ("fifty entities, one hop", "{ products(first: 50) { id name shippingCentavos } }"),
];

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a tool that reports to its terminal")]
async fn main() -> Result<(), Failure> {
    let catalog = catalog::schema();
    let graph = Federated::builder(SUPERGRAPH)
        .subgraph("catalog", Arc::new(catalog.clone()))
        .subgraph("people", Arc::new(people::schema()))
        .subgraph("reviews", Arc::new(reviews::schema()))
        .subgraph("stock", Arc::new(stock::schema()))
        .carry::<Caller>()
        .build()?;
    println!("{:<34}{:>10}{:>10}  microseconds per operation", "", "best", "median");
    for (name, query) in ROWS {
        row(name, &graph, query).await?;
    }
    for (name, query) in ROWS.into_iter().filter(|(name, _)| name.contains("no hop")) {
        row(&format!("{name}, without the join"), &catalog, query).await?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a tool that reports to its terminal")]
async fn row(name: &str, executor: &impl Executor, query: &str) -> Result<(), Failure> {
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        runs.push(run(executor, query).await?);
    }
    runs.sort();
    let best = runs.first().copied().unwrap_or_default();
    let median = runs.get(RUNS / 2).copied().unwrap_or_default();
    println!("{name:<34}{:>10}{:>10}", microseconds(best), microseconds(median));
    Ok(())
}

/// How long one operation takes in one run, once it is warm.
#[expect(clippy::disallowed_methods, reason = "measures, and decides nothing")]
async fn run(executor: &impl Executor, query: &str) -> Result<Duration, Failure> {
    let mut start = Instant::now();
    for number in 0..OPERATIONS.saturating_add(OPERATIONS / 10) {
        if number == OPERATIONS / 10 {
            start = Instant::now();
        }
        let variables = Variables::from_json(json!({ "id": "p-1" }));
        let request = Request::new(query).variables(variables).data(Caller("hop".to_owned()));
        let response = black_box(executor.execute(request).await);
        if !response.errors.is_empty() {
            return Err(format!("{:?}", response.errors).into());
        }
    }
    Ok(start.elapsed().checked_div(OPERATIONS).unwrap_or_default())
}

fn microseconds(of: Duration) -> String {
    let tenths = of.as_nanos().div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}
