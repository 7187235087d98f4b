//! What serves a schema serves the joined graph: POST, batches, multipart and WebSocket, with the
//! ready-made services for axum.

use async_graphql_axum::{GraphQL, GraphQLSubscription};
use axum::Router;
use axum::routing::post_service;
use futures::{SinkExt, StreamExt};
use http::header::{ACCEPT, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::cases::errors_of;
use crate::shop::{Shop, serve_here};

const ADDED: &str =
    "subscription { reviewAdded(authors: [\"u-ana\", \"u-bia\"]) { author { name } } }";

/// A server of the joined graph.
async fn server() -> String {
    let graph = Shop::here().graph;
    let router = Router::new()
        .route("/graphql", post_service(GraphQL::new(graph.clone())))
        .route_service("/graphql/ws", GraphQLSubscription::new(graph));
    serve_here(router).await.to_string()
}

async fn post(server: &str, accept: &'static str, body: &Value) -> (StatusCode, String) {
    let client: Client<HttpConnector, Full<bytes::Bytes>> =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let mut request = http::Request::new(Full::from(body.to_string()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("http://{server}/graphql").parse().unwrap();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
    let response = client.request(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn post_and_batch() {
    let server = server().await;
    let ask = async |body: Value| -> Value {
        let (status, text) = post(&server, "application/json", &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    };
    let joined = json!({
        "query": "query A { warehouses } query B($id: ID!) { product(id: $id) { quantity } }",
        "operationName": "B",
        "variables": { "id": "p-1" }
    });
    let answer = json!({ "data": { "product": { "quantity": 7 } } });
    assert_eq!(ask(joined.clone()).await, answer);
    let batch = ask(json!([joined, { "query": "{ none }" }])).await;
    assert_eq!(batch[0], answer);
    assert_eq!(errors_of(&batch[1])[0].0, "graphql_validation_failed");
    for wrong in ["{", "{ none }", "{ product(id: 1.5) { id } }", "{ featured { id } }"] {
        assert_ne!(errors_of(&ask(json!({ "query": wrong })).await).len(), 0, "{wrong}");
    }
}

#[tokio::test]
async fn multipart_subscription() {
    let server = server().await;
    let accept = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";
    let (status, text) = post(&server, accept, &json!({ "query": ADDED })).await;
    assert_eq!(status, StatusCode::OK);
    let names: Vec<usize> =
        ["\"ana\"", "\"bia\""].iter().map(|name| text.find(name).unwrap()).collect();
    assert!(names[0] < names[1], "{text}");
}

#[tokio::test]
async fn websocket_subscription_and_query() {
    let server = server().await;
    let mut handshake = format!("ws://{server}/graphql/ws").into_client_request().unwrap();
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    handshake.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    let (mut socket, _) = connect_async(handshake).await.unwrap();
    let messages = [
        json!({ "type": "connection_init" }),
        json!({ "type": "subscribe", "id": "s", "payload": { "query": ADDED } }),
    ];
    for message in messages {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    let mut heard: Vec<Value> = Vec::new();
    while heard.last().is_none_or(|last| last["type"] != json!("complete")) {
        let message = socket.next().await.unwrap().unwrap();
        heard.push(serde_json::from_str(message.to_text().unwrap()).unwrap());
    }
    let kinds: Vec<&str> = heard.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["connection_ack", "next", "next", "complete"]);
    let author = json!({ "author": { "name": "bia" } });
    assert_eq!(heard[2]["payload"]["data"]["reviewAdded"], author);
    let query = json!({ "type": "subscribe", "id": "q", "payload": { "query": "{ warehouses }" } });
    socket.send(Message::text(query.to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    assert_eq!(answer["payload"]["data"], json!({ "warehouses": ["Recife"] }));
}
