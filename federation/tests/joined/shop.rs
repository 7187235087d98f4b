//! The shop's graph, in this process or over the network, with a record of what was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use async_graphql::{Data, Executor, Request, Response, Value};
use async_graphql_axum::{GraphQLProtocol, GraphQLRequest, GraphQLResponse, GraphQLWebSocket};
use axum::extract::WebSocketUpgrade;
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::{get, post};
use axum::{Router, serve};
use federation::{Builder, Federated, Limits, RemoteSubgraph, RemoteSubgraphBuilder, Subgraph};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::net::TcpListener;

use crate::subgraphs::{Caller, catalog, people, reviews, stock};

pub(crate) const SUPERGRAPH: &str = include_str!("../fixtures/supergraph.graphql");
/// The header that tells a remote subgraph who asks.
const CALLER: &str = "x-caller";

/// One sub-request: which subgraph, and how many representations it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked(pub(crate) &'static str, pub(crate) usize);

type Record = Arc<Mutex<Vec<Asked>>>;

/// A subgraph, and a record of what it is asked.
pub(crate) struct Recorded {
    name: &'static str,
    inner: Arc<dyn Subgraph>,
    record: Record,
}

impl Subgraph for Recorded {
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let is_one =
            |value: &&Value| matches!(value, Value::Object(it) if it.contains_key("__typename"));
        let lists = request
            .variables
            .values()
            .filter_map(|value| if let Value::List(list) = value { Some(list) } else { None });
        let representations = lists.map(|list| list.iter().filter(is_one).count());
        self.record.lock().unwrap().push(Asked(self.name, representations.sum()));
        self.inner.execute(request)
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.inner.subscribe(request)
    }
}

/// The joined graph of the shop.
pub(crate) struct Shop {
    pub(crate) graph: Federated,
    record: Record,
}

impl Shop {
    /// With every subgraph in this process.
    pub(crate) fn here() -> Self {
        Self::with(Limits::default())
    }

    /// The same, with other limits.
    pub(crate) fn with(limits: Limits) -> Self {
        let subgraphs: [(&'static str, Arc<dyn Subgraph>); 4] = [
            ("catalog", Arc::new(catalog::schema())),
            ("people", Arc::new(people::schema())),
            ("reviews", Arc::new(reviews::schema())),
            ("stock", Arc::new(stock::schema())),
        ];
        Self::of(subgraphs, limits)
    }

    /// With every subgraph behind a server on loopback.
    pub(crate) async fn remote() -> Self {
        let address = serve_here(subgraphs()).await;
        Self::reached(|name| RemoteSubgraph::builder(name, format!("http://{address}/{name}")))
    }

    /// With every subgraph behind a server, which is reached in this way.
    pub(crate) fn reached(way: impl Fn(&'static str) -> RemoteSubgraphBuilder) -> Self {
        let remote = |name: &'static str| -> (&'static str, Arc<dyn Subgraph>) {
            (name, Arc::new(way(name).headers(caller_header).build().unwrap()))
        };
        Self::of(["catalog", "people", "reviews", "stock"].map(remote), Limits::default())
    }

    fn of(subgraphs: [(&'static str, Arc<dyn Subgraph>); 4], limits: Limits) -> Self {
        let record = Record::default();
        let mut builder = builder().limits(limits);
        for (name, inner) in subgraphs {
            let recorded = Recorded { name, inner, record: Arc::clone(&record) };
            builder = builder.subgraph(name, Arc::new(recorded));
        }
        Self { graph: builder.build().unwrap(), record }
    }

    /// The answer to a query of `tester`, as JSON.
    pub(crate) async fn ask(&self, query: &str, variables: serde_json::Value) -> serde_json::Value {
        serde_json::to_value(self.execute(query, variables).await).unwrap()
    }

    /// The answer to a query of `tester`.
    pub(crate) async fn execute(&self, query: &str, variables: serde_json::Value) -> Response {
        let variables = async_graphql::Variables::from_json(variables);
        let request = Request::new(query).variables(variables).data(Caller("tester".to_owned()));
        self.graph.execute(request).await
    }

    /// What was asked since the last look.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.record.lock().unwrap())
    }
}

/// A graph of the shop without its subgraphs.
pub(crate) fn builder() -> Builder {
    Federated::builder(SUPERGRAPH).carry::<Caller>().error_ids(|| "id-1".to_owned())
}

fn caller_header(data: &Data) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let caller = data.get(&std::any::TypeId::of::<Caller>());
    if let Some(Caller(name)) = caller.and_then(|caller| caller.downcast_ref()) {
        headers.insert(CALLER, HeaderValue::from_str(name).unwrap());
    }
    headers
}

fn caller_of(headers: &HeaderMap) -> Option<Caller> {
    Some(Caller(headers.get(CALLER)?.to_str().unwrap().to_owned()))
}

/// A router of one schema: POST at its root, WebSocket under `/ws`.
fn routes<E: Executor>(executor: E) -> Router {
    let posted = executor.clone();
    let post = post(move |headers: HeaderMap, request: GraphQLRequest| async move {
        let mut request = request.into_inner();
        if let Some(caller) = caller_of(&headers) {
            request = request.data(caller);
        }
        GraphQLResponse::from(posted.execute(request).await)
    });
    let socket = get(
        move |headers: HeaderMap, protocol: GraphQLProtocol, upgrade: WebSocketUpgrade| async move {
            let mut data = Data::default();
            if let Some(caller) = caller_of(&headers) {
                data.insert(caller);
            }
            upgrade.protocols(ALL_WEBSOCKET_PROTOCOLS).on_upgrade(move |stream| {
                GraphQLWebSocket::new(stream, executor, protocol).with_data(data).serve()
            })
        },
    );
    Router::new().route("/", post).route("/ws", socket)
}

/// Serves on loopback, for as long as the test runs.
pub(crate) async fn serve_here(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, router).await.unwrap() });
    address
}

/// Every subgraph under its name.
pub(crate) fn subgraphs() -> Router {
    Router::new()
        .nest("/catalog", routes(catalog::schema()))
        .nest("/people", routes(people::schema()))
        .nest("/reviews", routes(reviews::schema()))
        .nest("/stock", routes(stock::schema()))
}
