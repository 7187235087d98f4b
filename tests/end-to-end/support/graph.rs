//! The joined graph, as any client would ask it.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::http::post;

/// How long an event may take.
const PATIENCE: Duration = Duration::from_mins(2);

const JSON: (&str, &str) = ("content-type", "application/json");

/// The whole answer to an operation.
pub(crate) async fn ask(address: &str, query: &str, variables: Value) -> Value {
    ask_as(None, address, query, variables).await
}

/// The whole answer to an operation of somebody.
pub(crate) async fn ask_as(
    token: Option<&str>,
    address: &str,
    query: &str,
    variables: Value,
) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![JSON];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let (status, answer) = post(address, "/graphql", &headers, &body).await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

/// The data of an answer without errors.
pub(crate) async fn data(address: &str, query: &str, variables: Value) -> Value {
    let mut answer = ask(address, query, variables).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].take()
}

/// The stable codes of an answer's errors.
pub(crate) fn codes(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().filter_map(|error| error["extensions"]["code"].as_str()).collect()
}

/// A subscription over graphql-transport-ws.
pub(crate) struct Events(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Events {
    /// Subscribes; what happens from the return on is seen.
    pub(crate) async fn of(address: &str, query: &str, variables: Value) -> Self {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.unwrap();
        let mut events = Self(socket);
        events.say(json!({ "type": "connection_init" })).await;
        assert_eq!(events.hear().await["type"], "connection_ack");
        let payload = json!({ "query": query, "variables": variables });
        events.say(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        // Subscriptions are taken up in order: an answer to what comes after says that it stands.
        events.say(json!({ "type": "ping" })).await;
        assert_eq!(events.hear().await["type"], "pong");
        events
    }

    /// The data of the next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let mut message = self.hear().await;
            match message["type"].as_str() {
                Some("next") => {
                    let errors = &message["payload"]["errors"];
                    assert!(errors.is_null(), "an event with errors: {errors}");
                    return message["payload"]["data"].take();
                }
                Some("ping") => self.say(json!({ "type": "pong" })).await,
                Some("pong") => {}
                _ => panic!("no event: {message}"),
            }
        }
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        loop {
            let heard = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("no event came");
            if let Message::Text(text) = heard.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}
