//! HTTP at the edge: the graph and health in public, metrics and subgraphs on the internal port.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use shared_kernel::infrastructure::postgres::Database;
use tokio::net::TcpListener;

use crate::browser::{Tokens, own_pages_only};
use crate::compose::Probe;

/// How long one part may take to answer a readiness question.
const ASK: Duration = Duration::from_secs(2);

/// The public routes.
pub fn public(probe: Arc<Probe>) -> Router {
    Router::new()
        .route("/health/live", get(async || Json(serde_json::json!({"status": "live"}))))
        .route("/health/ready", get(ready))
        .with_state(probe)
}

/// The internal routes.
pub fn internal(metrics: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(async move || metrics.render()))
}

/// These routes, for programs and for the hub's own pages.
pub fn own_pages(routes: Router, tokens: Tokens) -> Router {
    routes.layer(from_fn_with_state(tokens, own_pages_only))
}

/// Serves until `stop` resolves.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    axum::serve(listener, routes).with_graceful_shutdown(stop).await.map_err(Into::into)
}

async fn ready(State(probe): State<Arc<Probe>>) -> Response {
    let mut parts = serde_json::Map::new();
    let mut all = true;
    let mut note = |name: &str, outcome: Result<(), String>| {
        all &= outcome.is_ok();
        let said = outcome.map_or_else(|reason| reason, |()| "ready".to_owned());
        parts.insert(name.to_owned(), said.into());
    };
    for (context, database) in &probe.databases {
        note(&format!("{context}.store"), bounded(ping(database)).await);
    }
    note("log", bounded(probe.log_answers()).await);
    if let Some(graph) = &probe.graph {
        for part in graph.health().await {
            note(&format!("graph.{}", part.name), part.failure.map_or(Ok(()), Err));
        }
    }
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if all { "ready" } else { "not ready" };
    (status, Json(serde_json::json!({"status": word, "parts": parts}))).into_response()
}

async fn bounded(ask: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::time::timeout(ASK, ask).await.unwrap_or_else(|_late| Err("does not answer".into()))
}

async fn ping(database: &Database) -> Result<(), String> {
    database.ping().await.map_err(|error| error.to_string())
}
