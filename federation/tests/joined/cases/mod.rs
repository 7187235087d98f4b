//! The table: queries, what they answer, and what they ask of the subgraphs. Each runs in this
//! process and over the network, and must answer the same.

mod entities;
mod failures;
mod selections;

use serde_json::{Value, json};

use crate::shop::{Asked, Shop};

/// One row.
pub(crate) struct Case {
    name: &'static str,
    query: &'static str,
    variables: Value,
    data: Value,
    /// Code and path of each error, in any order.
    errors: Vec<(&'static str, &'static str)>,
    /// Sub-requests in any order, if they matter.
    asked: Option<Vec<Asked>>,
}

fn case(name: &'static str, query: &'static str, data: Value) -> Case {
    Case { name, query, variables: json!({}), data, errors: Vec::new(), asked: None }
}

impl Case {
    fn variables(mut self, variables: Value) -> Self {
        self.variables = variables;
        self
    }

    fn error(mut self, code: &'static str, path: &'static str) -> Self {
        self.errors.push((code, path));
        self
    }

    fn asks<const N: usize>(mut self, asked: [(&'static str, usize); N]) -> Self {
        let mut asked: Vec<Asked> = asked.map(|(name, count)| Asked(name, count)).into();
        asked.sort();
        self.asked = Some(asked);
        self
    }

    /// What is not as it should be.
    async fn faults(&self, shop: &Shop) -> Vec<String> {
        let answer = shop.ask(self.query, self.variables.clone()).await;
        let mut asked = shop.asked();
        asked.sort();
        let mut errors = errors_of(&answer);
        errors.sort();
        let owned = |(code, path): &(&str, &str)| ((*code).to_owned(), (*path).to_owned());
        let mut wanted: Vec<(String, String)> = self.errors.iter().map(owned).collect();
        wanted.sort();
        let mut faults = Vec::new();
        if answer["data"] != self.data || errors != wanted {
            let Self { name, data, .. } = self;
            faults.push(format!("{name}: wanted {data} and {wanted:?}, not {answer}"));
        }
        if self.asked.as_ref().is_some_and(|wanted| *wanted != asked) {
            faults.push(format!("{}: asked {asked:?}, not {:?}", self.name, self.asked));
        }
        faults
    }
}

async fn check<'c>(shop: &Shop, cases: impl IntoIterator<Item = &'c Case>) {
    let mut faults = Vec::new();
    for case in cases {
        faults.extend(case.faults(shop).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Code and dotted path of each error of an answer.
pub(crate) fn errors_of(answer: &Value) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    let errors = errors.map(|error| {
        let code = error["extensions"]["code"].as_str().unwrap_or("none").to_owned();
        let path = error["path"].as_array().into_iter().flatten();
        let path = path.map(|part| part.as_str().map_or(part.to_string(), ToOwned::to_owned));
        (code, path.collect::<Vec<_>>().join("."))
    });
    errors.collect()
}

fn table() -> Vec<Case> {
    [selections::cases(), entities::cases(), failures::cases()].into_iter().flatten().collect()
}

#[tokio::test]
async fn every_case_is_answered_in_this_process() {
    let shop = Shop::here();
    check(&shop, &table()).await;
}

#[tokio::test]
async fn every_case_is_answered_again_by_the_plan_that_was_kept() {
    let shop = Shop::here();
    let cases = table();
    check(&shop, cases.iter().chain(&cases)).await;
    let mut queries: Vec<&str> = cases.iter().map(|case| case.query).collect();
    queries.sort_unstable();
    queries.dedup();
    assert_eq!(shop.graph.plan_count(), queries.len());
}

#[tokio::test]
async fn every_case_is_answered_over_the_network() {
    let shop = Shop::remote().await;
    check(&shop, &table()).await;
}
