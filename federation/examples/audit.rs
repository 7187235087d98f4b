//! Runs The Guild's federation-gateway-audit against this crate.
//!
//! ```sh
//! cargo run -p federation --example audit -- http://127.0.0.1:4200 [suite ...]
//! ```
//!
//! The audit is a server of suites; each has a supergraph, subgraphs that answer over HTTP, and
//! cases: a query and the answer that is expected. Prints each case that fails and the figure, and
//! exits with 1 if any does.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use async_graphql::{Executor, Request, Response};
use bytes::Bytes;
use federation::{Federated, RemoteSubgraph};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::Value;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize)]
struct Case {
    query: String,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    data: Value,
    /// Whether errors are expected; either will do if it is not said.
    errors: Option<bool>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    url: String,
}

/// The audit's server.
struct Audit {
    base: String,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Audit {
    async fn get(&self, path: &str) -> Result<Bytes, Failure> {
        let response = self.client.get(format!("{}/{path}", self.base).parse()?).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    async fn graph(&self, suite: &str) -> Result<Federated, Failure> {
        let supergraph = self.get(&format!("{suite}/supergraph")).await?;
        let subgraphs = self.get(&format!("{suite}/subgraphs")).await?;
        let mut builder = Federated::builder(std::str::from_utf8(&supergraph)?);
        for Listed { name, url } in serde_json::from_slice::<Vec<Listed>>(&subgraphs)? {
            let remote = RemoteSubgraph::builder(name.clone(), url).build()?;
            builder = builder.subgraph(name, Arc::new(remote));
        }
        Ok(builder.build()?)
    }

    /// How many cases of a suite there are, and how many pass.
    async fn run(&self, suite: &str) -> Result<(usize, usize), Failure> {
        let graph = self.graph(suite).await?;
        let cases: Vec<Case> = serde_json::from_slice(&self.get(&format!("{suite}/tests")).await?)?;
        let mut passed: usize = 0;
        for (number, case) in cases.iter().enumerate() {
            let answer = graph.execute(Request::new(&case.query)).await;
            if is_as_expected(&answer, &case.expected)? {
                passed = passed.saturating_add(1);
            } else {
                report(suite, number, case, &answer)?;
            }
        }
        Ok((cases.len(), passed))
    }
}

fn is_as_expected(answer: &Response, expected: &Expected) -> Result<bool, Failure> {
    let data = answer.data.clone().into_json()?;
    let errors = expected.errors.unwrap_or(!answer.errors.is_empty());
    Ok(data == expected.data && errors != answer.errors.is_empty())
}

#[expect(clippy::print_stdout, reason = "a tool that reports to its terminal")]
fn report(suite: &str, number: usize, case: &Case, answer: &Response) -> Result<(), Failure> {
    println!("failed {suite} {number}\n{}", case.query.trim());
    println!("  expected {} errors {:?}", case.expected.data, case.expected.errors);
    println!("  answered {}", serde_json::to_string(answer)?);
    Ok(())
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a tool that reports to its terminal")]
async fn main() -> Result<ExitCode, Failure> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().ok_or("give the address of the audit's server")?;
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let audit = Audit { base: base.trim_end_matches('/').to_owned(), client };
    let mut suites: Vec<String> = arguments.collect();
    if suites.is_empty() {
        suites = serde_json::from_slice(&audit.get("ids").await?)?;
    }
    let (mut cases, mut passed) = (0_usize, 0_usize);
    for suite in &suites {
        let (of_suite, passed_of_suite) = audit.run(suite).await?;
        println!("{suite}: {passed_of_suite} of {of_suite}");
        cases = cases.saturating_add(of_suite);
        passed = passed.saturating_add(passed_of_suite);
    }
    println!("{passed} of {cases} cases of {} suites passed", suites.len());
    Ok(if passed == cases { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
