//! What callers may have under way at the edges, so that those who look do not starve those who
//! pay.
//!
//! A query takes a connection of its context's pool for itself; commands and lookups share theirs
//! in batches. So each service answers at most half as many queries at a time as its pool has
//! connections, the next wait for [`QUERY_WAIT`], and then they are refused. Watchers hold no
//! connection, but memory, and read again with every change: they are counted too.
//!
//! The graph and the routes over HTTP have such limits too, each by itself. A joined operation is
//! mostly in one context at a time, so of those there may be as many as in all contexts together.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use shared_kernel::domain::Violation;
use shared_kernel::infrastructure::grpc::status::violation_status;
use shared_kernel::infrastructure::rest::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{CONNECTIONS_MAX, ContextName};

/// Queries of one service at a time.
const QUERIES_MAX: usize = CONNECTIONS_MAX / 2;
/// Fields of a document for a subgraph, fragments written out: those of a planned sub-request fit.
const SUBGRAPH_FIELDS_MAX: u64 = 5_000;
/// How long a query waits for its turn.
const QUERY_WAIT: Duration = Duration::from_secs(2);
/// Streams that a process serves at a time.
const WATCHERS_MAX: usize = 10_000;
/// Subscriptions of one graph at a time: each event of them is completed by other contexts.
const SUBSCRIPTIONS_MAX: usize = 2_000;
/// Sockets of one graph at a time.
pub(crate) const SOCKETS_MAX: usize = 2_000;
/// Requests to the routes of a context at a time: more than it answers queries, because some wait
/// for a version of an account and hold no connection.
const READS_MAX: usize = 2 * CONNECTIONS_MAX;
/// Requests to the routes of a context at a time, where some of them give commands.
const REQUESTS_MAX: usize = 512;

/// The limits of an edge where one context's subgraph is asked.
pub(crate) fn of_subgraph() -> federation::Limits {
    federation::Limits {
        fields_max: SUBGRAPH_FIELDS_MAX,
        queries_under_way_max: QUERIES_MAX,
        ..of_graph()
    }
}

/// The limits of the joined graph.
pub(crate) fn of_graph() -> federation::Limits {
    federation::Limits {
        queries_under_way_max: QUERIES_MAX.saturating_mul(ContextName::ALL.len()),
        streams_under_way_max: SUBSCRIPTIONS_MAX,
        turn_ms_max: u64::try_from(QUERY_WAIT.as_millis()).unwrap_or(u64::MAX),
        ..federation::Limits::default()
    }
}

/// What is free.
#[derive(Debug)]
pub(crate) struct Limits {
    queries: HashMap<&'static str, Arc<Semaphore>>,
    query_wait: Duration,
    watchers: Arc<Semaphore>,
}

/// What a method is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method<'a> {
    /// A read of its own, of this service.
    Query(&'a str),
    /// A stream that lasts.
    Watch,
    /// Everything else: commands and lookups that are answered together.
    Shared,
}

impl<'a> Method<'a> {
    fn of(path: &'a str) -> Self {
        let Some((service, method)) = path.trim_start_matches('/').split_once('/') else {
            return Self::Shared;
        };
        if method.starts_with("Get") || method.starts_with("List") {
            Self::Query(service)
        } else if method.starts_with("Watch") {
            Self::Watch
        } else {
            Self::Shared
        }
    }
}

impl Limits {
    /// Everything is free, for these services.
    pub(crate) fn new(services: &[&'static str]) -> Self {
        let queries = services.iter().map(|name| (*name, Arc::new(Semaphore::new(QUERIES_MAX))));
        Self {
            queries: queries.collect(),
            query_wait: QUERY_WAIT,
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
        }
    }

    async fn query(&self, service: &str) -> Result<Option<OwnedSemaphorePermit>, Violation> {
        let Some(room) = self.queries.get(service) else { return Ok(None) };
        turn(room, self.query_wait).await
    }

    fn watcher(&self) -> Result<OwnedSemaphorePermit, Violation> {
        Arc::clone(&self.watchers).try_acquire_owned().map_err(|_full| {
            Violation::resource_exhausted(
                "too_many_watchers",
                "",
                "too many transfers are watched; end a stream, or ask for the state instead",
            )
        })
    }
}

async fn turn(
    room: &Arc<Semaphore>,
    wait: Duration,
) -> Result<Option<OwnedSemaphorePermit>, Violation> {
    match tokio::time::timeout(wait, Arc::clone(room).acquire_owned()).await {
        Ok(turn) => Ok(turn.ok()),
        Err(_late) => Err(Violation::resource_exhausted(
            "too_many_queries",
            "",
            "too many queries are under way; ask again shortly, and fewer at a time",
        )),
    }
}

/// These routes of a context, which are read.
pub(crate) fn reads(routes: Router) -> Router {
    requests(routes, READS_MAX)
}

/// These routes of a context, which give commands.
pub(crate) fn commands(routes: Router) -> Router {
    requests(routes, REQUESTS_MAX)
}

fn requests(routes: Router, most: usize) -> Router {
    let room = Arc::new(Semaphore::new(most));
    routes.layer(from_fn(move |request: Request, next: Next| {
        let room = Arc::clone(&room);
        async move {
            match turn(&room, QUERY_WAIT).await {
                Ok(_turn) => next.run(request).await,
                Err(refusal) => Problem::from(refusal).into_response(),
            }
        }
    }))
}

/// Lets a call pass when there is room for it.
pub(crate) async fn limited(
    State(limits): State<Arc<Limits>>,
    request: Request,
    next: Next,
) -> Response {
    match Method::of(request.uri().path()) {
        Method::Shared => next.run(request).await,
        Method::Query(service) => match limits.query(service).await {
            Ok(_turn) => next.run(request).await,
            Err(refusal) => violation_status(&refusal).into_http(),
        },
        Method::Watch => match limits.watcher() {
            Ok(turn) => next.run(request).await.map(|body| held(body, turn)),
            Err(refusal) => violation_status(&refusal).into_http(),
        },
    }
}

/// A body that keeps its turn until it ends or its reader goes away.
fn held(body: axum::body::Body, turn: OwnedSemaphorePermit) -> axum::body::Body {
    axum::body::Body::new(body.map_frame(move |frame| {
        let _held: &OwnedSemaphorePermit = &turn;
        frame
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::any;
    use shared_kernel::infrastructure::grpc::status::CODE_METADATA;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;

    const GET: &str = "/codepix.a.v1.A/GetThing";
    const OTHER_LIST: &str = "/codepix.b.v1.B/ListThings";
    const COMMAND: &str = "/codepix.a.v1.A/RequestThing";
    const LOOKUP: &str = "/codepix.a.v1.A/FindKey";
    const WATCH: &str = "/codepix.a.v1.A/WatchThing";

    /// Calls of the service A wait for the bell.
    fn routes(limits: Limits, bell: &Arc<Notify>) -> Router {
        let bell = Arc::clone(bell);
        let slow = any(async move || {
            bell.notified().await;
            "done"
        });
        Router::new()
            .route(GET, slow)
            .route(OTHER_LIST, any(async || "done"))
            .route(COMMAND, any(async || "done"))
            .route(LOOKUP, any(async || "done"))
            .route(WATCH, any(async || "done"))
            .layer(axum::middleware::from_fn_with_state(Arc::new(limits), limited))
    }

    async fn call(routes: &Router, path: &str) -> Response {
        let request = Request::post(path).body(Body::empty()).unwrap();
        routes.clone().oneshot(request).await.unwrap()
    }

    fn code(answer: &Response) -> &str {
        answer.headers().get(CODE_METADATA).map_or("ok", |code| code.to_str().unwrap())
    }

    fn limits() -> Limits {
        Limits {
            watchers: Arc::new(Semaphore::new(1)),
            ..Limits::new(&["codepix.a.v1.A", "codepix.b.v1.B"])
        }
    }

    #[tokio::test(start_paused = true)]
    async fn queries_of_one_service_leave_room_for_everything_else() {
        let bell = Arc::new(Notify::new());
        let routes = routes(limits(), &bell);
        let under_way: Vec<_> = (0..QUERIES_MAX)
            .map(|_| {
                let routes = routes.clone();
                tokio::spawn(async move { call(&routes, GET).await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(code(&call(&routes, GET).await), "too_many_queries");
        for path in [OTHER_LIST, COMMAND, LOOKUP] {
            assert_eq!(code(&call(&routes, path).await), "ok", "{path}");
        }
        bell.notify_waiters();
        for answer in under_way {
            assert_eq!(code(&answer.await.unwrap()), "ok");
        }
        bell.notify_one();
        assert_eq!(code(&call(&routes, GET).await), "ok", "there is room again");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_over_http_wait_for_their_turn_and_are_refused_then() {
        let bell = Arc::new(Notify::new());
        let rung = Arc::clone(&bell);
        let slow = any(async move || {
            rung.notified().await;
            "done"
        });
        let routes = requests(Router::new().route("/slow", slow), 1);
        let first = {
            let routes = routes.clone();
            tokio::spawn(async move { call(&routes, "/slow").await.status() })
        };
        tokio::task::yield_now().await;
        let refused = call(&routes, "/slow").await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let body = axum::body::to_bytes(refused.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("too_many_queries"), "{body:?}");
        bell.notify_one();
        assert_eq!(first.await.unwrap(), StatusCode::OK);
        bell.notify_one();
        assert_eq!(call(&routes, "/slow").await.status(), StatusCode::OK, "there is room again");
    }

    #[tokio::test]
    async fn a_watcher_keeps_its_place_until_its_stream_is_gone() {
        let routes = routes(limits(), &Arc::new(Notify::new()));
        let first = call(&routes, WATCH).await;
        assert_eq!(code(&first), "ok");
        assert_eq!(code(&call(&routes, WATCH).await), "too_many_watchers");
        drop(first);
        assert_eq!(code(&call(&routes, WATCH).await), "ok");
    }
}
