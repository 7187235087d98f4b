//! Operations over one WebSocket, in graphql-transport-ws.
//!
//! Clients of that protocol say nothing while they listen, so the server asks whether they are
//! still there; each of them answers by itself. Operations of one socket are counted: its client
//! decides how many there are, and each event of the log is work for every subscription.
//!
//! The library closes with the codes of WebSocket itself; clients decide by those of the protocol
//! whether to come back, so they are put in their places.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_graphql::http::{WebSocket as Protocol, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Request, Response, ServerError};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures::future::{BoxFuture, ready};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, SinkExt, StreamExt};
use shared_kernel::domain::{Kind, Violation};
use shared_kernel::infrastructure::graphql::violation_error;

/// The one protocol that is spoken.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// How silent a client may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// It is asked this often whether it is there.
    asked_each: Duration,
    /// When it says nothing for so long, though it was asked, it is gone. One that does not begin
    /// is not waited for any longer either.
    silence_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { asked_each: Duration::from_secs(15), silence_max: Duration::from_secs(40) }
    }
}

/// What the library closes with: a refused entrance or a malformed message, a subscription before
/// the entrance, silence.
const PROTOCOL_ERROR: u16 = 1002;
const SERVER_ERROR: u16 = 1011;
const SILENCE: u16 = 3008;
/// Bytes of the reason that a closing frame holds (RFC 6455, section 5.5).
const REASON_BYTES_MAX: usize = 123;
/// What graphql-transport-ws says there.
const INVALID_MESSAGE: u16 = 4400;
const UNAUTHORIZED: u16 = 4401;
const FORBIDDEN: u16 = 4403;
const NOT_BEGUN: u16 = 4408;

/// Operations that one socket has open.
const OPERATIONS_MAX: usize = 100;

const PING: Utf8Bytes = Utf8Bytes::from_static("{\"type\":\"ping\"}");

/// Serves a socket to its end. `enter` says who the client is, from its first message.
pub(super) async fn serve<E, F, R>(socket: WebSocket, pace: Pace, executor: E, enter: F)
where
    E: Executor,
    F: FnOnce(serde_json::Value) -> R + Send + 'static,
    R: Future<Output = Result<Data, Violation>> + Send + 'static,
{
    let entrance = Entrance::default();
    let enter = entrance.watch(enter);
    let (mut out, heard) = socket.split();
    let heard = heard.take_while(|message| ready(message.is_ok()));
    let heard = heard.filter_map(|message| ready(message.ok().and_then(said)));
    let protocol = Protocol::new(Counted::new(executor), heard, WebSocketProtocols::GraphQLWS);
    let protocol = protocol.on_connection_init(enter).keepalive_timeout(pace.silence_max);
    let mut answers = pin!(protocol);
    let mut asked = tokio::time::interval(pace.asked_each);
    asked.tick().await; // The first comes at once.
    loop {
        let message = tokio::select! {
            answer = answers.next() => match answer {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, reason)) => {
                    let (code, reason) = (entrance.code(code), shortened(&reason).into());
                    Message::Close(Some(CloseFrame { code, reason }))
                }
                None => break,
            },
            _ = asked.tick() => Message::Text(PING),
        };
        let is_last = matches!(message, Message::Close(_));
        if out.send(message).await.is_err() || is_last {
            break;
        }
    }
}

/// A reason as it fits into a closing frame; one that is longer breaks the client's connection.
fn shortened(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(REASON_BYTES_MAX)).unwrap_or_default()
}

/// How far a client has come in, and why it did not.
#[derive(Clone, Debug, Default)]
struct Entrance(Arc<OnceLock<Result<(), Kind>>>);

/// What the library asks for an entrance.
type Entering = BoxFuture<'static, async_graphql::Result<Data>>;

impl Entrance {
    /// `enter`, whose outcome is kept.
    fn watch<F, R>(&self, enter: F) -> impl FnOnce(serde_json::Value) -> Entering + use<F, R>
    where
        F: FnOnce(serde_json::Value) -> R + Send + 'static,
        R: Future<Output = Result<Data, Violation>> + Send + 'static,
    {
        let Self(outcome) = self.clone();
        move |payload| {
            async move {
                let entered = enter(payload).await;
                let told = entered.as_ref().map(drop).map_err(Violation::kind);
                outcome.get_or_init(|| told);
                entered.map_err(|broken| violation_error(&broken))
            }
            .boxed()
        }
    }

    /// The code of the protocol for one of the library.
    fn code(&self, code: u16) -> u16 {
        match (code, self.0.get()) {
            (PROTOCOL_ERROR, Some(Err(Kind::Unauthenticated))) | (SERVER_ERROR, _) => UNAUTHORIZED,
            (PROTOCOL_ERROR, Some(Err(_))) => FORBIDDEN,
            (PROTOCOL_ERROR, _) => INVALID_MESSAGE,
            (SILENCE, None) => NOT_BEGUN,
            (code, _) => code,
        }
    }
}

/// What a message says; the socket's own signs of life say nothing.
fn said(message: Message) -> Option<Vec<u8>> {
    match message {
        Message::Text(text) => Some(text.as_bytes().to_vec()),
        Message::Binary(bytes) => Some(bytes.to_vec()),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
    }
}

/// An executor of one socket, with the number of its open operations.
#[derive(Clone, Debug)]
struct Counted<E> {
    executor: E,
    open: Arc<AtomicUsize>,
}

/// One open operation.
#[derive(Debug)]
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<E> Counted<E> {
    fn new(executor: E) -> Self {
        Self { executor, open: Arc::default() }
    }

    fn open(&self) -> Option<Open> {
        let open = Open(Arc::clone(&self.open));
        (self.open.fetch_add(1, Ordering::Relaxed) < OPERATIONS_MAX).then_some(open)
    }
}

fn too_many() -> Response {
    let message = format!("a connection has at most {OPERATIONS_MAX} operations under way");
    let broken = Violation::resource_exhausted("too_many_operations", "", message);
    let error = violation_error(&broken);
    let mut told = ServerError::new(error.message, None);
    told.extensions = error.extensions;
    Response::from_errors(vec![told])
}

impl<E: Executor> Executor for Counted<E> {
    async fn execute(&self, request: Request) -> Response {
        self.executor.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let Some(open) = self.open() else {
            return stream::once(ready(too_many())).boxed();
        };
        let answers = self.executor.execute_stream(request, session_data);
        // The count goes down when the stream goes.
        answers
            .inspect(move |_answer| {
                let _held = &open;
            })
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, Object, Schema, Subscription};
    use axum::extract::WebSocketUpgrade;
    use axum::routing::get;
    use futures::Stream;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::Message as Said;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn one(&self) -> i32 {
            1
        }
    }

    struct Events;

    #[Subscription]
    impl Events {
        async fn never(&self) -> impl Stream<Item = i32> + use<> {
            stream::pending()
        }
    }

    type Client = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

    async fn begun(pace: Pace) -> Client {
        let mut client = opened(pace, |_payload| Ok(Data::default())).await;
        say(&mut client, &json!({ "type": "connection_init" })).await;
        client
    }

    async fn opened(pace: Pace, enter: fn(Value) -> Result<Data, Violation>) -> Client {
        let schema = Schema::new(Query, EmptyMutation, Events);
        let serve = move |upgrade: WebSocketUpgrade| async move {
            let enter = move |payload| ready(enter(payload));
            let upgrade = upgrade.protocols([PROTOCOL]);
            upgrade.on_upgrade(move |socket| serve(socket, pace, schema, enter))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().route("/", get(serve));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut request = format!("ws://{address}/").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
        connect_async(request).await.unwrap().0
    }

    async fn say(client: &mut Client, message: &Value) {
        client.send(Said::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(client: &mut Client, id: usize) {
        let payload = json!({ "query": "subscription { never }" });
        let id = id.to_string();
        say(client, &json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// The next message, or the code that the server closes with.
    async fn heard(client: &mut Client) -> Result<Value, u16> {
        loop {
            match client.next().await.unwrap().unwrap() {
                Said::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Said::Close(frame) => return Err(frame.unwrap().code.into()),
                Said::Binary(_) | Said::Ping(_) | Said::Pong(_) | Said::Frame(_) => {}
            }
        }
    }

    fn pace(asked_each: u64, silence_max: u64) -> Pace {
        let [asked_each, silence_max] = [asked_each, silence_max].map(Duration::from_millis);
        Pace { asked_each, silence_max }
    }

    #[tokio::test]
    async fn a_client_that_listens_is_asked_and_kept() {
        let mut client = begun(pace(10, 2_000)).await;
        subscribe(&mut client, 1).await;
        let mut asked = 0;
        // Together far longer than it may be silent.
        while asked < 300 {
            let message = heard(&mut client).await.unwrap();
            if message["type"] == "ping" {
                say(&mut client, &json!({ "type": "pong" })).await;
                asked += 1;
            }
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_answer_is_gone() {
        let mut client = begun(pace(20, 100)).await;
        subscribe(&mut client, 1).await;
        loop {
            match heard(&mut client).await {
                Ok(_message) => {}
                Err(code) => break assert_eq!(code, 3008),
            }
        }
    }

    /// The code that a client's words are closed with.
    async fn closed(enter: fn(Value) -> Result<Data, Violation>, words: &[Value]) -> u16 {
        let mut client = opened(pace(10_000, 10_000), enter).await;
        for word in words {
            say(&mut client, word).await;
        }
        loop {
            if let Err(code) = heard(&mut client).await {
                return code;
            }
        }
    }

    #[tokio::test]
    async fn a_socket_is_closed_with_the_codes_of_the_protocol() {
        let begin = json!({ "type": "connection_init" });
        let malformed = json!({ "type": "something" });
        let early = json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ one }" } });
        let stranger = |_payload| Err(Violation::unauthenticated("token_unknown", "", "no"));
        let barred = |_payload| Err(Violation::permission_denied("caller_barred", "", "no"));
        let welcome = |_payload| Ok(Data::default());
        assert_eq!(closed(stranger, std::slice::from_ref(&begin)).await, 4401);
        assert_eq!(closed(barred, std::slice::from_ref(&begin)).await, 4403);
        assert_eq!(closed(welcome, std::slice::from_ref(&malformed)).await, 4400);
        assert_eq!(closed(welcome, &[begin.clone(), malformed]).await, 4400);
        assert_eq!(closed(welcome, &[early]).await, 4401);
        assert_eq!(closed(welcome, &[begin.clone(), begin]).await, 4429);
        let mut silent = opened(pace(1_000, 50), welcome).await;
        assert_eq!(heard(&mut silent).await, Err(4408));
    }

    #[tokio::test]
    async fn a_socket_has_so_many_operations_under_way_and_an_ended_one_makes_room() {
        let mut client = begun(Pace::default()).await;
        for id in 0..=OPERATIONS_MAX {
            subscribe(&mut client, id).await;
        }
        let refused = loop {
            let message = heard(&mut client).await.unwrap();
            if message["type"] == "next" {
                break message;
            }
        };
        assert_eq!(refused["id"], OPERATIONS_MAX.to_string());
        let error = &refused["payload"]["errors"][0];
        assert_eq!(error["extensions"]["code"], "too_many_operations", "{refused}");
        say(&mut client, &json!({ "type": "complete", "id": "0" })).await;
        let query = json!({ "query": "{ one }" });
        say(&mut client, &json!({ "type": "subscribe", "id": "q", "payload": query })).await;
        let answer = loop {
            let message = heard(&mut client).await.unwrap();
            if message["type"] == "next" {
                break message;
            }
        };
        assert_eq!(answer["payload"]["data"]["one"], 1, "{answer}");
    }
}
