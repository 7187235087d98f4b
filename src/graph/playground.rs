//! GraphiQL on GET: its files are part of the binary, so it works without a network.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

/// The page and its scripts come from this hub and talk to this hub alone. GraphiQL sets styles on
/// its elements, and has its fonts inside its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src data:; img-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! playground {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/graph/playground/", $file)).as_slice()
    };
}

/// Name, type and content of each file.
const FILES: [(&str, &str, &[u8]); 7] = [
    ("playground.js", SCRIPT, playground!("playground.js")),
    ("playground.css", STYLE, playground!("playground.css")),
    ("examples.js", SCRIPT, playground!("examples.js")),
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
    match FILES.iter().find(|(name, ..)| *name == wanted) {
        // Asked for again after an upgrade of the hub: the names stay the same.
        Some((_, kind, content)) => {
            ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache")], *content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
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
}
