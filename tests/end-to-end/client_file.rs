//! `api/client.http` is sent to a hub as it stands, and holds every REST route that there is.

use serde_json::Value;

use crate::support::http::{get, request};
use crate::support::http_file::{FileRequest, parse};
use crate::support::{HubOptions, TestHub, eventually};

const FILE: &str = include_str!("../../api/client.http");

/// Accounts whose money says that the demo data are there.
const FIXTURES: [&str; 4] = [
    "912ca3ff-59d4-4640-acd8-76eb1faf0dbe",
    "31fb673a-012a-4cfc-8dc9-7a9ad0219437",
    "6e4635ce-88d1-4e58-9597-d13fc446ee47",
    "103cc632-78e7-4476-ab63-d5ad3a562d26",
];

/// Method and path of every route of a document.
async fn described(address: &str) -> Vec<(String, String)> {
    let (_, document) = get(address, "/openapi.json").await;
    let document: Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    routes.collect()
}

/// Whether a path is one of a template such as `/balances/{account_id}`.
fn matches(template: &str, path: &str) -> bool {
    let (wanted, parts): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, part): (&&str, &&str)| wanted == part || wanted.starts_with('{');
    wanted.len() == parts.len() && wanted.iter().zip(&parts).all(fits)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_file_is_answered_as_it_says_and_lacks_no_route() {
    let hub = TestHub::with(HubOptions {
        wallet_core: true,
        variables: vec![("CODEPIX_DEMO_DATA", "true".into())],
        ..HubOptions::default()
    })
    .await;
    let addresses = hub.addresses().clone();
    let balances = addresses.balances.clone().expect("the hub serves balances");
    for account in FIXTURES {
        eventually(async || {
            let (status, body) = get(&balances, &format!("/balances/{account}")).await;
            if status == 200 && body.contains("\"balance\":1000.00") { Ok(()) } else { Err(body) }
        })
        .await;
    }
    let url = |address: &String| format!("http://{address}");
    let given = [
        ("hub", url(&addresses.http)),
        ("internal", url(&addresses.internal)),
        ("balances", url(&balances)),
    ];
    let given = [0, 1, 2].map(|index| (given[index].0, given[index].1.as_str()));
    let requests = parse(FILE, &given);
    for route in [&addresses.http, &balances] {
        for (method, path) in described(route).await {
            let sent = |it: &&FileRequest| {
                it.method == method && it.target().0 == route && matches(&path, it.path())
            };
            assert!(requests.iter().any(|it| sent(&it)), "the file lacks {method} {path}");
        }
    }
    // Twice: each of them may be sent again.
    for asked in requests.iter().chain(&requests) {
        let (address, path) = asked.target();
        let headers: Vec<(&str, &str)> =
            asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (status, body) = request(address, &asked.method, path, &headers, &asked.body).await;
        assert_eq!(status, asked.expect, "{}: {body}", asked.title);
        assert!(!body.contains("\"errors\""), "{}: {body}", asked.title);
    }
    eventually(async || {
        let (_, body) = get(&balances, &format!("/balances/{}", FIXTURES[0])).await;
        if body.contains("\"balance\":990.50") { Ok(()) } else { Err(body) }
    })
    .await;
}
