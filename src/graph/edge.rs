//! GraphQL over HTTP and WebSocket: the joined graph for everyone, each subgraph for routers.
//!
//! An answer is always a GraphQL answer: what cannot be read or may not be asked is an error with
//! a stable `extensions.code`, never an empty 500. Only JSON is taken, so that no web page can
//! send a command with a plain form.

use std::sync::Arc;

use async_graphql::http::is_accept_multipart_mixed;
use async_graphql::{BatchRequest, BatchResponse, Data, Executor, Request, Response, ServerError};
use async_graphql_axum::GraphQLResponse;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State, WebSocketUpgrade};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::StreamExt;
use shared_kernel::application::{Caller, Ids, StopSignal, TraceParent};
use shared_kernel::domain::{Kind, Violation};
use shared_kernel::infrastructure::graphql::violation_error;
use shared_kernel::infrastructure::grpc::Callers;
use tokio::sync::Semaphore;

use super::credential::Credential;
use super::gathered::Gathered;
use super::multipart;
use super::socket::{self, Pace};
use crate::limits::SOCKETS_MAX;

/// Longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// Who may ask, how long, and what traces are made of.
#[derive(Clone)]
pub struct Door {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// New traces.
    pub ids: Arc<dyn Ids>,
    /// Ends subscriptions and sockets, so that the process need not wait for their clients.
    pub stop: StopSignal,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Door").field("callers", &self.callers).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Endpoint<E> {
    executor: E,
    door: Door,
    /// Places for sockets.
    sockets: Arc<Semaphore>,
}

/// `POST path` for operations, also as multipart subscriptions; `path/ws` for graphql-transport-ws.
pub fn routes<E: Executor>(path: &str, executor: E, door: Door) -> Router {
    with_sockets(SOCKETS_MAX, path, executor, door)
}

/// The same, with so many sockets at a time.
pub(super) fn with_sockets<E: Executor>(
    sockets_max: usize,
    path: &str,
    executor: E,
    door: Door,
) -> Router {
    let sockets = Arc::new(Semaphore::new(sockets_max));
    Router::new()
        .route(path, post(operations::<E>))
        .route(&format!("{path}/ws"), get(socket::<E>))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(Endpoint { executor: Gathered(executor), door, sockets })
}

async fn operations<E: Executor>(
    State(Endpoint { executor, door, sockets: _ }): State<Endpoint<Gathered<E>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> HttpResponse {
    let request = door.asking(&headers).and_then(|asking| Ok((read(&headers, body)?, asking)));
    let (request, asking) = match request {
        Ok(asked) => asked,
        Err(broken) => return refusal(&broken),
    };
    let wants_stream = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_accept_multipart_mixed);
    match request {
        BatchRequest::Single(request) if wants_stream => {
            let answers = executor.execute_stream(asking.on(request), None);
            let parts = multipart::parts(answers, door.stop).await;
            let parts = parts.map(Ok::<_, std::convert::Infallible>);
            ([(CONTENT_TYPE, multipart::CONTENT_TYPE)], Body::from_stream(parts)).into_response()
        }
        BatchRequest::Single(request) => {
            let answer = executor.execute(asking.on(request)).await;
            GraphQLResponse(answer.into()).into_response()
        }
        BatchRequest::Batch(requests) => {
            let requests = requests.into_iter().map(|request| asking.on(request));
            let answers = executor.execute_batch(BatchRequest::Batch(requests.collect())).await;
            GraphQLResponse(answers).into_response()
        }
    }
}

async fn socket<E: Executor>(
    State(Endpoint { executor, door, sockets }): State<Endpoint<Gathered<E>>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> HttpResponse {
    let offered = text(&headers, SEC_WEBSOCKET_PROTOCOL.as_str()).unwrap_or_default();
    if !offered.split(',').any(|offered| offered.trim() == socket::PROTOCOL) {
        return refusal(&Violation::invalid(
            "subprotocol_unsupported",
            "sec-websocket-protocol",
            "connect with the subprotocol graphql-transport-ws",
        ));
    }
    let Ok(place) = sockets.try_acquire_owned() else {
        return refusal(&Violation::resource_exhausted(
            "too_many_watchers",
            "",
            "too many connections are open; use one for all subscriptions, or come back later",
        ));
    };
    let authorization = text(&headers, AUTHORIZATION.as_str()).map(str::to_owned);
    let trace = door.trace(&headers);
    let bounds = (Pace::default(), door.stop.clone());
    let enter = move |payload: serde_json::Value| async move {
        let said = said_authorization(&payload).or(authorization.as_deref());
        let mut data = Data::default();
        data.insert(door.callers.identify(said)?);
        data.insert(trace);
        if let Some(credential) = said.and_then(Credential::of) {
            data.insert(credential);
        }
        Ok(data)
    };
    upgrade.max_message_size(REQUEST_BYTES_MAX).protocols([socket::PROTOCOL]).on_upgrade(
        async move |stream| {
            socket::serve(stream, bounds, executor, enter).await;
            drop(place);
        },
    )
}

/// The authorization in the first message of a connection, where browsers can send no header.
fn said_authorization(payload: &serde_json::Value) -> Option<&str> {
    let said = |name: &str| payload.get(name)?.as_str();
    said("authorization").or_else(|| said("Authorization"))
}

/// Who asks, in which trace.
#[derive(Clone)]
struct Asking {
    caller: Caller,
    trace: TraceParent,
    credential: Option<Credential>,
}

impl Asking {
    fn on(&self, request: Request) -> Request {
        let request = request.data(self.caller).data(self.trace.clone());
        match &self.credential {
            Some(credential) => request.data(credential.clone()),
            None => request,
        }
    }
}

impl Door {
    fn asking(&self, headers: &HeaderMap) -> Result<Asking, Violation> {
        let said = text(headers, AUTHORIZATION.as_str());
        let caller = self.callers.identify(said)?;
        let credential = said.and_then(Credential::of);
        Ok(Asking { caller, trace: self.trace(headers), credential })
    }

    fn trace(&self, headers: &HeaderMap) -> TraceParent {
        let trace = text(headers, "traceparent").and_then(TraceParent::parse);
        trace.unwrap_or_else(|| TraceParent::begin(self.ids.as_ref()))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The operations of a request.
fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<BatchRequest, Violation> {
    let said = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let form = said.split(';').next().unwrap_or_default().trim();
    if !matches!(form, "application/json" | "application/graphql-response+json") {
        let message = "send the operation as application/json: {\"query\": …, \"variables\": …}";
        return Err(Violation::invalid("content_type_unsupported", "content-type", message));
    }
    let body = body.map_err(|_too_long| {
        let message = format!("a request has at most {REQUEST_BYTES_MAX} bytes");
        Violation::invalid("request_too_long", "", message)
    })?;
    serde_json::from_slice(&body).map_err(|malformed| {
        let message = format!("the request is no GraphQL request in JSON: {malformed}");
        Violation::invalid("request_malformed", "", message)
    })
}

/// A refusal before any operation ran.
pub(crate) fn refusal(broken: &Violation) -> HttpResponse {
    let status = match broken.kind() {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::PermissionDenied => StatusCode::FORBIDDEN,
        Kind::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Kind::Invalid
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::FailedPrecondition
        | Kind::Aborted
        | Kind::Unavailable
        | Kind::Internal => StatusCode::BAD_REQUEST,
    };
    let error = violation_error(broken);
    let mut told = ServerError::new(error.message, None);
    told.extensions = error.extensions;
    (status, Json(BatchResponse::Single(Response::from_errors(vec![told])))).into_response()
}
