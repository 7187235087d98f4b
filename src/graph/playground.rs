//! GraphiQL on GET: its files are part of the binary, so it works without a network.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

/// The page and its scripts come from this hub and talk to this hub alone. GraphiQL sets styles on
/// its elements, and has its fonts inside its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src data:; img-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const JSON: &str = "application/json";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! playground {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/graph/playground/", $file)).as_slice()
    };
}

/// An operation that the playground opens with.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Example {
    /// The document.
    pub query: &'static str,
    /// Its variables as JSON; a text `$new` in them is another one each time they are sent.
    pub variables: &'static str,
}

macro_rules! example {
    ($name:literal) => {
        Example {
            query: include_str!(concat!("../../graph/playground/examples/", $name, ".graphql")),
            variables: include_str!(concat!("../../graph/playground/examples/", $name, ".json")),
        }
    };
}

/// The first tabs, in the order in which a payment happens; they use the accounts of the demo data.
pub const EXAMPLES: [Example; 6] = [
    example!("1-register-a-key"),
    example!("2-look-a-key-up"),
    example!("3-follow-transfers"),
    example!("4-send-a-transfer"),
    example!("5-ask-for-a-balance"),
    example!("6-read-a-statement"),
];

static EXAMPLES_JSON: LazyLock<Vec<u8>> =
    LazyLock::new(|| serde_json::to_vec(&EXAMPLES).unwrap_or_default());

/// Name, type and content of each file.
const FILES: [(&str, &str, &[u8]); 6] = [
    ("playground.js", SCRIPT, playground!("playground.js")),
    ("playground.css", STYLE, playground!("playground.css")),
    ("graphiql.min.js", SCRIPT, playground!("assets/graphiql.min.js")),
    ("graphiql.min.css", STYLE, playground!("assets/graphiql.min.css")),
    ("react.production.min.js", SCRIPT, playground!("assets/react.production.min.js")),
    ("react-dom.production.min.js", SCRIPT, playground!("assets/react-dom.production.min.js")),
];

/// The page, and the files that it asks for.
pub fn routes() -> Router {
    Router::new().route("/graphql", get(page)).route("/graphql/assets/{file}", get(asset))
}

async fn page() -> Response {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/graph/playground/index.html"));
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(page)).into_response()
}

async fn asset(Path(wanted): Path<String>) -> Response {
    if wanted == "examples.json" {
        return file(JSON, EXAMPLES_JSON.as_slice());
    }
    match FILES.iter().find(|(name, ..)| *name == wanted) {
        Some((_, kind, content)) => file(kind, content),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(kind: &'static str, content: &'static [u8]) -> Response {
    // Asked for again after an upgrade of the hub: the names stay the same.
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_files_that_are_there_and_for_no_other_host() {
        let page = include_str!("../../graph/playground/index.html");
        let wanted: Vec<&str> =
            page.split('"').filter_map(|part| part.strip_prefix("/graphql/assets/")).collect();
        assert_eq!(wanted.len(), FILES.len());
        for file in wanted {
            assert!(FILES.iter().any(|(name, ..)| *name == file), "{file}");
        }
        assert!(!page.contains("://"));
    }

    #[test]
    fn every_example_that_is_written_is_shown_and_its_variables_are_json() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/graph/playground/examples");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), EXAMPLES.len() * 2);
        for Example { query, variables } in EXAMPLES {
            let given: serde_json::Value = serde_json::from_str(variables).unwrap();
            assert!(given.as_object().unwrap().keys().all(|it| query.contains(&format!("${it}:"))));
        }
        let served: serde_json::Value = serde_json::from_slice(&EXAMPLES_JSON).unwrap();
        assert_eq!(served[0]["query"], EXAMPLES[0].query);
    }
}
