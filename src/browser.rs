//! Web pages of others do not speak to a hub through the browser of whoever runs it.
//!
//! On loopback no token is asked for, so a page that a developer happens to open could read and
//! command the hub. Browsers name the page's origin: it must be the hub's own. A page that makes
//! its own name point at loopback is found by the name under which it asks for the hub.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared_kernel::domain::Violation;
use std::net::IpAddr;

use crate::graph::edge::refusal;

/// The code of what is refused here.
const CODE: &str = "origin_foreign";

/// Whether callers show tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// A page cannot know them.
    Asked,
    /// Whoever reaches the hub is the operator.
    NotAsked,
}

/// Refuses requests that a browser sends for a page of another origin.
pub async fn own_pages_only(
    State(tokens): State<Tokens>,
    request: Request,
    next: Next,
) -> Response {
    if is_own(tokens, request.headers(), request.uri()) {
        return next.run(request).await;
    }
    let message = "a web page of another origin may not use this hub";
    if speaks_graphql(request.uri().path()) {
        let broken = Violation::permission_denied(CODE, "origin", message);
        return refusal(&broken);
    }
    let error = serde_json::json!({ "code": CODE, "message": message });
    (StatusCode::FORBIDDEN, Json(error)).into_response()
}

/// Whether a refusal is read as a GraphQL answer there.
fn speaks_graphql(path: &str) -> bool {
    path == "/graphql" || path.starts_with("/graphql/") || path.starts_with("/subgraphs/")
}

fn is_own(tokens: Tokens, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked = host.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    let Some((origin, asked)) = origin.as_ref().and_then(Uri::authority).zip(asked) else {
        return false;
    };
    origin.as_str().eq_ignore_ascii_case(asked)
        && (tokens == Tokens::Asked || is_of_this_machine(origin.host()))
}

/// A name that no name server was asked for.
fn is_of_this_machine(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || literal.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    fn own(tokens: Tokens, origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        is_own(tokens, &headers, &Uri::from_static("/graphql"))
    }

    async fn refused(path: &str) -> (StatusCode, serde_json::Value) {
        let layer = axum::middleware::from_fn_with_state(Tokens::NotAsked, own_pages_only);
        let routes = axum::Router::new().fallback(async || "done").layer(layer);
        let request = Request::post(path).header(HOST, "localhost:8080");
        let request = request.header(ORIGIN, "https://evil.example");
        let answer = routes.oneshot(request.body(axum::body::Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_refusal_is_a_graphql_answer_where_that_is_spoken() {
        for path in ["/graphql", "/subgraphs/banking"] {
            let (status, answer) = refused(path).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
            assert_eq!(answer["errors"][0]["extensions"]["code"], CODE, "{path}: {answer}");
        }
        assert_eq!(refused("/accounts").await.1["code"], CODE);
    }

    #[test]
    fn programs_and_own_pages_pass() {
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.0.7:8080"] {
            assert!(own(Tokens::NotAsked, None, host));
            assert!(own(Tokens::NotAsked, Some(&format!("http://{host}")), host), "{host}");
        }
        assert!(own(Tokens::Asked, Some("https://hub.example"), "hub.example"));
    }

    #[test]
    fn pages_of_others_do_not() {
        for tokens in [Tokens::Asked, Tokens::NotAsked] {
            assert!(!own(tokens, Some("https://evil.example"), "localhost:8080"));
            assert!(!own(tokens, Some("http://localhost:3000"), "localhost:8080"));
            assert!(!own(tokens, Some("null"), "localhost:8080"));
        }
    }

    #[test]
    fn a_strangers_name_for_this_machine_does_not_either() {
        let rebound = "evil.example:8080";
        assert!(!own(Tokens::NotAsked, Some("http://evil.example:8080"), rebound));
    }
}
