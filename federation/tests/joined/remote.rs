//! Remote subgraphs that misbehave: each trouble has its code, and none is hidden by trying again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Executor, Request, Response};
use axum::Router;
use axum::extract::{State, WebSocketUpgrade, ws};
use axum::http::StatusCode;
use axum::routing::{any, get, post};
use federation::{RemoteSubgraph, RemoteSubgraphBuilder, Subgraph, SubgraphHealth};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::cases::errors_of;
use crate::shop::{Shop, builder, serve_here};
use crate::subgraphs::{catalog, people, reviews};

fn codes(response: Response) -> Vec<String> {
    let answer = serde_json::to_value(response).unwrap();
    errors_of(&answer).into_iter().map(|(code, _)| code).collect()
}

async fn at(router: Router) -> RemoteSubgraphBuilder {
    let address = serve_here(router).await;
    RemoteSubgraph::builder("stock", format!("http://{address}/"))
}

async fn execute(remote: RemoteSubgraphBuilder, query: &str) -> Vec<String> {
    codes(remote.build().unwrap().execute(Request::new(query)).await)
}

/// An address where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[tokio::test]
async fn an_answer_that_is_none_makes_the_subgraph_unavailable() {
    let answers = [
        (StatusCode::OK, "not json"),
        (StatusCode::OK, "[]"),
        (StatusCode::OK, "{}"),
        (StatusCode::BAD_GATEWAY, r#"{"data":{"a":1}}"#),
        (StatusCode::SERVICE_UNAVAILABLE, "{}"),
        (StatusCode::NOT_FOUND, "<html></html>"),
    ];
    for (status, body) in answers {
        let remote = at(Router::new().route("/", any(move || async move { (status, body) }))).await;
        assert_eq!(execute(remote, "{ a }").await, ["subgraph_unavailable"], "{status} {body}");
    }
    let refused = r#"{ "errors": [{ "message": "No.", "extensions": { "code": "no" } }] }"#;
    let router =
        Router::new().route("/", post(move || async move { (StatusCode::BAD_REQUEST, refused) }));
    assert_eq!(execute(at(router).await, "{ a }").await, ["no"]);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let body = json!({ "data": { "text": "x".repeat(500) } }).to_string();
    let router = Router::new().route("/", post(move || async move { body }));
    let remote = at(router).await;
    assert_eq!(execute(remote.answer_bytes_max(100), "{ a }").await, ["subgraph_answer_too_large"]);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let router = Router::new().route("/", post(std::future::pending::<String>));
    let remote = at(router).await;
    assert_eq!(execute(remote.answer_ms_max(50), "{ a }").await, ["subgraph_timeout"]);
}

#[tokio::test]
async fn where_nobody_listens_the_subgraph_is_unavailable() {
    let address = nowhere().await;
    let remote = RemoteSubgraph::builder("stock", address.clone());
    assert_eq!(execute(remote, "{ a }").await, ["subgraph_unavailable"]);
    let remote = RemoteSubgraph::builder("stock", address).build().unwrap();
    let events: Vec<Response> =
        remote.subscribe(Request::new("subscription { a }")).collect().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events.into_iter().flat_map(codes).collect::<Vec<_>>(), ["subgraph_unavailable"]);
}

/// A server that hangs up on so many requests before it answers; with the number of requests.
async fn hangs_up(times: usize) -> (RemoteSubgraphBuilder, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).await.unwrap();
            if counted.fetch_add(1, Ordering::SeqCst) >= times {
                let body = r#"{"data":{"a":1}}"#;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        }
    });
    (RemoteSubgraph::builder("stock", format!("http://{address}/")), count)
}

#[tokio::test]
async fn a_query_is_tried_again_when_its_connection_fails_and_a_mutation_is_not() {
    let (remote, count) = hangs_up(2).await;
    assert_eq!(execute(remote, "{ a }").await, [""; 0]);
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let (remote, count) = hangs_up(9).await;
    assert_eq!(execute(remote.tries_max(2), "{ a }").await, ["subgraph_unavailable"]);
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (remote, count) = hangs_up(9).await;
    assert_eq!(execute(remote, "mutation { a }").await, ["subgraph_unavailable"]);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// What a server of subscriptions does after one event.
#[derive(Clone, Copy)]
enum Then {
    HangUp,
    Close,
    FallSilent,
    Fail,
    Babble,
}

async fn one_event(mut socket: ws::WebSocket, then: Then) {
    let say = |message: Value| ws::Message::text(message.to_string());
    let _init = socket.recv().await;
    socket.send(say(json!({ "type": "connection_ack" }))).await.unwrap();
    let _subscribe = socket.recv().await;
    let event = json!({ "type": "next", "id": "1", "payload": { "data": { "a": 1 } } });
    socket.send(say(json!({ "type": "ping" }))).await.unwrap();
    socket.send(say(event)).await.unwrap();
    let pong = socket.recv().await.unwrap().unwrap();
    assert_eq!(pong.to_text().unwrap(), r#"{"type":"pong"}"#);
    match then {
        Then::HangUp => {}
        Then::Close => socket.send(ws::Message::Close(None)).await.unwrap(),
        Then::FallSilent => while socket.recv().await.is_some_and(|message| message.is_ok()) {},
        Then::Fail => {
            let payload = json!([{ "message": "gone", "extensions": { "code": "gone" } }]);
            let failed = json!({ "type": "error", "id": "1", "payload": payload });
            socket.send(say(failed)).await.unwrap();
        }
        Then::Babble => socket.send(ws::Message::text("babble")).await.unwrap(),
    }
}

async fn subscribed(then: Then) -> Vec<Vec<String>> {
    let upgrade = move |State(then): State<Then>, upgrade: WebSocketUpgrade| async move {
        upgrade
            .protocols(["graphql-transport-ws"])
            .on_upgrade(move |socket| one_event(socket, then))
    };
    let router = Router::new().route("/ws", get(upgrade)).with_state(then);
    let mut remote = at(router).await;
    if matches!(then, Then::FallSilent) {
        remote = remote.silence_ms_max(50);
    }
    let remote = remote.build().unwrap();
    let events: Vec<Response> =
        remote.subscribe(Request::new("subscription { a }")).collect().await;
    events.into_iter().map(codes).collect()
}

#[tokio::test]
async fn a_subscription_that_breaks_ends_with_its_code() {
    for then in [Then::HangUp, Then::Close, Then::FallSilent, Then::Babble] {
        let wanted = [vec![], vec!["subgraph_unavailable".to_owned()]];
        assert_eq!(subscribed(then).await, wanted);
    }
    assert_eq!(subscribed(Then::Fail).await, [vec![], vec!["gone".to_owned()]]);
}

#[tokio::test]
async fn a_server_without_the_protocol_is_unavailable() {
    let remote = at(Router::new().route("/ws", get(|| async { "hello" }))).await.build().unwrap();
    let events: Vec<Response> =
        remote.subscribe(Request::new("subscription { a }")).collect().await;
    assert_eq!(events.into_iter().flat_map(codes).collect::<Vec<_>>(), ["subgraph_unavailable"]);
}

/// How long a probe waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// Never answers.
struct Hung;

impl Subgraph for Hung {
    fn execute(&self, _request: Request) -> BoxFuture<'static, Response> {
        std::future::pending().boxed()
    }

    fn subscribe(&self, _request: Request) -> BoxStream<'static, Response> {
        futures::stream::pending().boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_no_longer_for_a_subgraph_that_hangs_than_it_is_told() {
    let graph = builder()
        .subgraph("catalog", Arc::new(catalog::schema()))
        .subgraph("people", Arc::new(people::schema()))
        .subgraph("reviews", Arc::new(reviews::schema()))
        .subgraph("stock", Arc::new(Hung))
        .build()
        .unwrap();
    let began = Instant::now();
    let health = graph.health(PATIENCE).await;
    let failing: Vec<&str> =
        health.iter().filter(|it| it.failure.is_some()).map(|it| it.name.as_str()).collect();
    assert_eq!(failing, ["stock"]);
    assert_eq!(began.elapsed(), PATIENCE, "by the paused clock");
}

#[tokio::test]
async fn a_subgraph_that_is_down_loses_its_fields_and_is_named_by_the_probe() {
    let stock = RemoteSubgraph::builder("stock", nowhere().await).build().unwrap();
    let graph = builder()
        .subgraph("catalog", Arc::new(catalog::schema()))
        .subgraph("people", Arc::new(people::schema()))
        .subgraph("reviews", Arc::new(reviews::schema()))
        .subgraph("stock", Arc::new(stock))
        .build()
        .unwrap();
    let query = "{ products(first: 2) { name quantity } }";
    let answer = serde_json::to_value(graph.execute(Request::new(query)).await).unwrap();
    let products = json!([
        { "name": "Product 1", "quantity": null }, { "name": "Product 2", "quantity": null }
    ]);
    assert_eq!(answer["data"]["products"], products);
    assert_eq!(errors_of(&answer), [("subgraph_unavailable".to_owned(), String::new())]);
    let failing = |health: Vec<SubgraphHealth>| -> Vec<String> {
        let failing = health.into_iter().filter(|one| one.failure.is_some());
        failing.map(|one| one.name).collect()
    };
    assert_eq!(failing(graph.health(PATIENCE).await), ["stock"]);
    assert_eq!(failing(Shop::remote().await.graph.health(PATIENCE).await), [""; 0]);
}
