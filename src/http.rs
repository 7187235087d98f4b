//! HTTP at the edge: the graph and health in public, metrics and subgraphs on the internal port.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use shared_kernel::domain::{Kind, Violation};
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::postgres::Database;
use tokio::net::TcpListener;

use crate::browser::{Tokens, own_pages_only};
use crate::compose::Probe;
use crate::traces::traced;

/// How long one part may take to answer a readiness question.
const ASK: Duration = Duration::from_secs(2);

/// The public routes.
pub fn public(probe: Arc<Probe>) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(probe)
}

/// The internal routes; with `callers`, for the operator alone.
pub fn internal(metrics: PrometheusHandle, callers: Option<Arc<Callers>>) -> Router {
    Router::new().route(
        "/metrics",
        get(async move |headers: HeaderMap| match callers.as_deref() {
            None => metrics.render().into_response(),
            Some(callers) => match operator(callers, &headers) {
                Ok(()) => metrics.render().into_response(),
                Err(refusal) => refused(&refusal),
            },
        }),
    )
}

/// The rule that the operator asks.
fn operator(callers: &Callers, headers: &HeaderMap) -> Result<(), Violation> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    callers.identify(shown)?.must_be_operator()
}

fn refused(refusal: &Violation) -> Response {
    let known = refusal.kind() != Kind::Unauthenticated;
    let status = if known { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
    let said = serde_json::json!({"code": refusal.code(), "message": refusal.message()});
    (status, [(header::WWW_AUTHENTICATE, "Bearer")], Json(said)).into_response()
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
    let routes = routes.layer(from_fn(traced));
    axum::serve(listener, routes).with_graceful_shutdown(stop).await.map_err(Into::into)
}

/// The process runs.
#[utoipa::path(get, path = "/health/live", tag = "health", responses(
    (status = 200, description = "It runs."),
))]
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "live"}))
}

/// Says which part does not answer, and nothing of why: that is in the log.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "Every part answers."),
    (status = 503, description = "Some part does not; the body names it."),
))]
pub(crate) async fn ready(State(probe): State<Arc<Probe>>) -> Response {
    let mut parts = serde_json::Map::new();
    let mut all = true;
    let mut note = |name: String, outcome: Result<(), String>| {
        all &= outcome.is_ok();
        let said = match outcome {
            Ok(()) => "ready",
            Err(cause) => {
                tracing::warn!(part = name, cause, "not ready");
                "does not answer"
            }
        };
        parts.insert(name, said.into());
    };
    for (context, database) in &probe.databases {
        note(format!("{context}.store"), bounded(ping(database)).await);
    }
    note("log".to_owned(), bounded(probe.log_answers()).await);
    if let Some(graph) = &probe.graph {
        for part in graph.health(ASK).await {
            note(format!("graph.{}", part.name), part.failure.map_or(Ok(()), Err));
        }
    }
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if all { "ready" } else { "not ready" };
    (status, Json(serde_json::json!({"status": word, "parts": parts}))).into_response()
}

async fn bounded(ask: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::time::timeout(ASK, ask).await.unwrap_or_else(|late| Err(late.to_string()))
}

async fn ping(database: &Database) -> Result<(), String> {
    database.ping().await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use shared_kernel::infrastructure::kafka::KafkaSettings;
    use shared_kernel::infrastructure::postgres::DatabaseSettings;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(routes: Router, path: &str, token: Option<&str>) -> (StatusCode, String) {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = routes.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn metrics() -> PrometheusHandle {
        PrometheusBuilder::new().build_recorder().handle()
    }

    #[tokio::test]
    async fn metrics_are_for_the_operator_where_tokens_are_asked_for() {
        let (operator, bank) = ("0123456789abcdef", "fedcba9876543210");
        let tokens = format!("operator={operator},00000001={bank}");
        let callers = Arc::new(Callers::parse(&tokens).unwrap());
        let expected = [
            (None, StatusCode::UNAUTHORIZED),
            (Some("nobody's own token"), StatusCode::UNAUTHORIZED),
            (Some(bank), StatusCode::FORBIDDEN),
            (Some(operator), StatusCode::OK),
        ];
        for (token, status) in expected {
            let routes = internal(metrics(), Some(Arc::clone(&callers)));
            assert_eq!(ask(routes, "/metrics", token).await.0, status, "{token:?}");
        }
        assert_eq!(ask(internal(metrics(), None), "/metrics", None).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn readiness_names_the_part_and_not_what_its_driver_said() {
        // Nothing listens there.
        let url = "postgres://somebody:secret@127.0.0.1:1/somewhere".to_owned();
        let database = Database::new(&DatabaseSettings { url, connections_max: 2 }).unwrap();
        let kafka = KafkaSettings::new("127.0.0.1:1");
        let probe = Probe::new(vec![("banking", database)], None, &kafka).unwrap();
        let (status, body) = ask(public(Arc::new(probe)), "/health/ready", None).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let said: serde_json::Value = serde_json::from_str(&body).unwrap();
        let parts = serde_json::json!({
            "banking.store": "does not answer",
            "log": "does not answer",
        });
        assert_eq!(said["parts"], parts);
    }
}
