//! A span for every call at an edge, in the caller's trace; what the call causes continues it.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use shared_kernel::application::TraceParent;
use shared_kernel::infrastructure::traces::{TARGET, continue_trace, trace_within};
use tracing::Instrument as _;
use tracing::field::Empty;

const HEADER: &str = "traceparent";

/// Those who look after the process ask these all the time.
const UNTRACED: [&str; 2] = ["/health", "/metrics"];

/// gRPC codes that mean a failure of the hub: unknown, internal, unavailable, data loss.
const FAILURES: [&[u8]; 4] = [b"2", b"13", b"14", b"15"];

/// Runs a call in a span; whoever serves it reads the span from `traceparent`.
pub(crate) async fn traced(mut request: Request, next: Next) -> Response {
    // The route, so that ids in a path make no names; that of a gRPC method is its path.
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = matched.filter(|route| !route.contains("{*"));
    let path = route.unwrap_or_else(|| request.uri().path());
    if UNTRACED.iter().any(|untraced| path.starts_with(untraced)) {
        return next.run(request).await;
    }
    let span = tracing::info_span!(
        target: TARGET,
        "call",
        otel.name = format!("{} {path}", request.method()),
        otel.kind = "server",
        otel.status_code = Empty,
        http.response.status_code = Empty,
    );
    if let Some(trace) = given(request.headers()) {
        continue_trace(&span, &trace);
    }
    let within = trace_within(&span);
    if let Some(value) = within.and_then(|it| HeaderValue::from_str(it.as_str()).ok()) {
        request.headers_mut().insert(HEADER, value);
    }
    let answer = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", answer.status().as_u16());
    let status = answer.headers().get("grpc-status").map(HeaderValue::as_bytes);
    if answer.status().is_server_error() || status.is_some_and(|it| FAILURES.contains(&it)) {
        span.record("otel.status_code", "ERROR");
    }
    answer
}

fn given(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get(HEADER)?.to_str().ok().and_then(TraceParent::parse)
}
