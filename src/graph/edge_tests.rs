//! The edge over a small schema: who asks, in which form, and what is refused before it runs.

use std::sync::{Arc, LazyLock};

use async_graphql::{Context, EmptyMutation, Object, Schema, Subscription};
use axum::body::Body;
use axum::http::{Request as HttpRequest, StatusCode};
use futures::stream::{self, Stream};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{StopHandle, StopSignal};
use shared_kernel::infrastructure::graphql::caller;
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::testing::eventually;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tower::ServiceExt as _;

use super::edge::{Door, routes, with_sockets};
use shared_kernel::infrastructure::grpc::Callers;

const TOKENS: &str = "operator=the-operator-s-token,00000001=token-of-the-first-bank";

struct Query;

#[Object]
impl Query {
    #[expect(clippy::unused_async, reason = "the schema's macro asks for it")]
    async fn caller(&self, context: &Context<'_>) -> async_graphql::Result<String> {
        Ok(format!("{:?}", caller(context)?))
    }

    async fn trace(&self, context: &Context<'_>) -> String {
        let trace = context.data_opt::<shared_kernel::application::TraceParent>();
        trace.map_or_else(String::new, |trace| trace.as_str().to_owned())
    }
}

struct Events;

#[Subscription]
impl Events {
    async fn count(&self, context: &Context<'_>) -> impl Stream<Item = String> + use<> {
        let caller = format!("{:?}", caller(context).unwrap());
        stream::iter((1..=2).map(move |number| format!("{number} {caller}")))
    }

    async fn once_and_on(&self) -> impl Stream<Item = i32> + use<> {
        stream::iter([1]).chain(stream::pending())
    }
}

fn graph(tokens: &str) -> axum::Router {
    let callers =
        if tokens.is_empty() { Callers::default() } else { Callers::parse(tokens).unwrap() };
    let door = Door { callers: Arc::new(callers), ..open_door() };
    routes("/graphql", Schema::new(Query, EmptyMutation, Events), door)
}

/// A process that does not stop.
static RUNNING: LazyLock<(StopHandle, StopSignal)> = LazyLock::new(stop_pair);

/// For everybody, for ever.
fn open_door() -> Door {
    let (_running, stop) = &*RUNNING;
    let callers = Arc::new(Callers::default());
    Door { callers, ids: Arc::new(SystemIds), stop: stop.clone() }
}

async fn post(tokens: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, String) {
    let mut request = HttpRequest::post("/graphql");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = graph(tokens).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn code(answer: &str) -> Value {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer["errors"][0]["extensions"]["code"].clone()
}

#[tokio::test]
async fn who_asks_is_told_to_the_schema_and_who_may_not_is_refused_as_graphql() {
    let query = json!({ "query": "{ caller trace }" }).to_string();
    let (status, open) = post("", &[JSON], &query).await;
    assert!(status == StatusCode::OK && open.contains("Operator"), "{open}");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let bank = [JSON, ("authorization", "Bearer token-of-the-first-bank"), ("traceparent", trace)];
    let (_, bank) = post(TOKENS, &bank, &query).await;
    assert!(bank.contains("Bank") && bank.contains(trace), "{bank}");
    let cases = [(None, "token_missing"), (Some("Bearer nobody-s-own-token"), "token_unknown")];
    for (said, expected) in cases {
        let mut headers = vec![JSON];
        headers.extend(said.map(|said| ("authorization", said)));
        let (status, refused) = post(TOKENS, &headers, &query).await;
        assert_eq!((status, code(&refused)), (StatusCode::UNAUTHORIZED, json!(expected)));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_code_and_never_as_500() {
    let query = json!({ "query": "{ caller }" }).to_string();
    let long = json!({ "query": format!("{{ caller }} #{}", "x".repeat(1024 * 1024)) }).to_string();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let cases = [
        (JSON, "", "request_malformed"),
        (JSON, "{", "request_malformed"),
        (JSON, "[1]", "request_malformed"),
        (JSON, "{\"query\": 7}", "request_malformed"),
        (JSON, long.as_str(), "request_too_long"),
        (form, query.as_str(), "content_type_unsupported"),
        (("content-type", "text/plain"), query.as_str(), "content_type_unsupported"),
    ];
    for (form, body, expected) in cases {
        let (status, refused) = post("", &[form], body).await;
        assert_eq!(
            (status, code(&refused)),
            (StatusCode::BAD_REQUEST, json!(expected)),
            "{refused}"
        );
    }
    let charset = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(post("", &charset, &query).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order() {
    let batch = json!([{ "query": "{ a: __typename }" }, { "query": "{ b: __typename }" }]);
    let (_, answers) = post("", &[JSON], &batch.to_string()).await;
    let answers: Value = serde_json::from_str(&answers).unwrap();
    let expected = json!([{ "data": { "a": "Query" } }, { "data": { "b": "Query" } }]);
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_subscription_comes_in_parts_where_that_is_asked_for() {
    let accept = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";
    let query = json!({ "query": "subscription { count }" }).to_string();
    let bank = ("authorization", "Bearer token-of-the-first-bank");
    let (status, parts) = post(TOKENS, &[JSON, ("accept", accept), bank], &query).await;
    assert_eq!(status, StatusCode::OK);
    let events: Vec<Value> = parts
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|part| part.pointer("/payload/data/count").cloned())
        .collect();
    assert_eq!(events.len(), 2, "{parts}");
    assert!(events[0].as_str().unwrap().starts_with("1 Bank"), "{parts}");
    assert!(parts.trim_end().ends_with("--graphql--"), "{parts}");
    let (_, refused) = post(TOKENS, &[JSON, ("accept", accept)], &query).await;
    assert_eq!(code(&refused), json!("token_missing"));
}

#[tokio::test]
async fn parts_need_both_parameters_before_json() {
    let query = json!({ "query": "subscription { count }" }).to_string();
    let cases = [
        ("multipart/mixed; boundary=graphql; subscriptionSpec=1.0, application/json", true),
        ("multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"", true),
        ("application/json, multipart/mixed; boundary=graphql; subscriptionSpec=1.0", false),
        ("multipart/mixed; subscriptionSpec=1.0, application/json", false),
        ("multipart/mixed; boundary=graphql, application/json", false),
        ("multipart/mixed", false),
        ("*/*", false),
    ];
    for (accept, in_parts) in cases {
        let (_, answer) = post("", &[JSON, ("accept", accept)], &query).await;
        assert_eq!(answer.starts_with("--graphql"), in_parts, "{accept}: {answer}");
    }
}

#[tokio::test]
async fn subscriptions_end_with_the_process_in_parts_and_over_sockets() {
    let (running, stop) = stop_pair();
    let door = Door { stop, ..open_door() };
    let routes = routes("/graphql", Schema::new(Query, EmptyMutation, Events), door);
    let query = json!({ "query": "subscription { onceAndOn }" });
    let accept = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";
    let request = HttpRequest::post("/graphql").header(JSON.0, JSON.1).header("accept", accept);
    let request = request.body(Body::from(query.to_string())).unwrap();
    let answer = routes.clone().oneshot(request).await.unwrap();
    let mut parts = answer.into_body().into_data_stream();
    assert!(parts.next().await.is_some_and(|part| part.is_ok()));
    let mut socket = connected(routes, "graphql-transport-ws").await.unwrap();
    let init = json!({ "type": "connection_init" });
    socket.send(Message::text(init.to_string())).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    running.stop();
    let last = parts.next().await.unwrap().unwrap();
    let last = std::str::from_utf8(&last).unwrap().lines().last().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["payload"], Value::Null);
    assert_eq!(last["errors"][0]["extensions"]["code"], "hub_stopping");
    assert_eq!(parts.next().await.unwrap().unwrap(), "--graphql--\r\n");
    assert!(parts.next().await.is_none());
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("no close") };
    assert_eq!(u16::from(frame.code), 1001);
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A socket to a server with these routes.
async fn connected(routes: axum::Router, protocol: &str) -> Result<Client, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let mut handshake = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
    handshake.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    connect_async(handshake).await.map(|(socket, _)| socket).map_err(|error| error.to_string())
}

/// What a server says to these messages, one after the other.
async fn socket(protocol: &str, messages: &[Value]) -> Result<Vec<Value>, String> {
    let mut socket = connected(graph(TOKENS), protocol).await?;
    for message in messages {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    let mut heard = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return Err(frame.unwrap().reason.to_string());
        }
        if let Message::Text(text) = message {
            heard.push(serde_json::from_str(&text).unwrap());
        }
        if heard.last().is_some_and(|last: &Value| last["type"] == "complete") {
            break;
        }
    }
    Ok(heard)
}

#[tokio::test]
async fn sockets_beyond_their_places_are_refused_until_one_is_gone() {
    let schema = Schema::new(Query, EmptyMutation, Events);
    let routes = with_sockets(1, "/graphql", schema, open_door());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let open = async || {
        let mut handshake = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        handshake.headers_mut().insert("sec-websocket-protocol", protocol);
        connect_async(handshake).await.map_err(|error| error.to_string())
    };
    let (first, _) = open().await.unwrap();
    assert!(open().await.unwrap_err().contains("429"));
    drop(first);
    eventually(async || open().await.map(drop)).await;
}

#[tokio::test]
async fn a_socket_says_who_asks_in_its_first_message() {
    let protocol = "graphql-transport-ws";
    let said = json!({ "authorization": "Bearer token-of-the-first-bank" });
    let query = json!({ "query": "subscription { count }" });
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": query });
    let init = json!({ "type": "connection_init", "payload": said });
    let heard = socket(protocol, &[init, subscribe.clone()]).await.unwrap();
    let counts: Vec<&str> =
        heard.iter().filter_map(|it| it["payload"]["data"]["count"].as_str()).collect();
    assert!(counts.len() == 2 && counts[1].starts_with("2 Bank"), "{heard:?}");
    let nobody = socket(protocol, &[json!({ "type": "connection_init" }), subscribe]).await;
    assert!(nobody.unwrap_err().contains("authorization"));
    assert!(socket("soap", &[]).await.unwrap_err().contains("400"));
}
