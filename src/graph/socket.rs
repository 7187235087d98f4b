//! Operations over one WebSocket, in graphql-transport-ws.
//!
//! Clients of that protocol say nothing while they listen, so the server asks whether they are
//! still there; each of them answers by itself. Whoever does not say who they are in time is sent
//! away, however lively they are, and so is who takes nothing of what they are told: each holds a
//! place that somebody else may want.
//!
//! The library closes with the codes of WebSocket itself; clients decide by those of the protocol
//! whether to come back, so they are put in their places.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_graphql::http::{ClientMessage, WebSocket as Protocol, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures::future::{BoxFuture, ready};
use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use shared_kernel::application::StopSignal;
use shared_kernel::domain::{Kind, Violation};
use shared_kernel::infrastructure::graphql::violation_error;
use tokio::time::{interval, sleep, timeout};

use super::operations::{Counted, IDS_MAX, Operations, Unbegun};

/// The one protocol that is spoken.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// It says who it is within this time, counted from its entrance.
    begin_max: Duration,
    /// It is asked this often whether it is there.
    asked_each: Duration,
    /// When it says nothing for so long, though it was asked, it is gone; and so it is when it
    /// takes nothing of what it is told.
    silence_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            begin_max: Duration::from_secs(10),
            asked_each: Duration::from_secs(15),
            silence_max: Duration::from_secs(40),
        }
    }
}

/// What the library closes with: a refused entrance or a malformed message, a subscription before
/// the entrance.
const PROTOCOL_ERROR: u16 = 1002;
const SERVER_ERROR: u16 = 1011;
/// Bytes of the reason that a closing frame holds (RFC 6455, section 5.5).
const REASON_BYTES_MAX: usize = 123;
/// What graphql-transport-ws says there, and where the library says nothing.
const INVALID_MESSAGE: u16 = 4400;
const UNAUTHORIZED: u16 = 4401;
const FORBIDDEN: u16 = 4403;
const NOT_BEGUN: u16 = 4408;
const ID_IN_USE: u16 = 4409;
/// What no client comes back after (RFC 6455, section 7.4.1).
const POLICY_VIOLATION: u16 = 1008;
/// What every client comes back after, a little later.
const GOING_AWAY: u16 = 1001;

const PING: Utf8Bytes = Utf8Bytes::from_static("{\"type\":\"ping\"}");

/// Serves a socket to its end, or until the process stops. `enter` says who the client is, from its
/// first message.
pub(super) async fn serve<E, F, R>(
    socket: WebSocket,
    (pace, stop): (Pace, StopSignal),
    executor: E,
    enter: F,
) where
    E: Executor,
    F: FnOnce(serde_json::Value) -> R + Send + 'static,
    R: Future<Output = Result<Data, Violation>> + Send + 'static,
{
    let (out, heard) = socket.split();
    let heard = heard.take_while(|message| ready(message.is_ok()));
    let heard = heard.filter_map(|message| ready(message.ok().and_then(said)));
    converse((out, heard), (pace, stop), executor, enter).await;
}

/// The same with what is said and what is heard.
async fn converse<E, F, R>(
    (mut out, heard): (impl Sink<Message> + Unpin, impl Stream<Item = Vec<u8>>),
    (pace, mut stop): (Pace, StopSignal),
    executor: E,
    enter: F,
) where
    E: Executor,
    F: FnOnce(serde_json::Value) -> R + Send + 'static,
    R: Future<Output = Result<Data, Violation>> + Send + 'static,
{
    let (entrance, refused) = (Entrance::default(), Refused::default());
    let heard = begun(heard, refused.clone());
    let protocol = WebSocketProtocols::GraphQLWS;
    let protocol = Protocol::from_message_stream(Counted(executor), heard, protocol)
        .on_connection_init(entrance.watch(enter))
        .keepalive_timeout(pace.silence_max);
    let mut answers = pin!(protocol);
    let mut asked = interval(pace.asked_each);
    asked.tick().await; // The first comes at once.
    let mut late = pin!(sleep(pace.begin_max));
    loop {
        let message = tokio::select! {
            answer = answers.next() => match answer {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, reason)) => closing(entrance.code(code), &reason),
                None => match refused.message() {
                    Some(message) => message,
                    None => break,
                },
            },
            _ = asked.tick() => Message::Text(PING),
            () = &mut late, if !entrance.is_decided() => {
                closing(NOT_BEGUN, "Connection initialisation timeout")
            }
            () = stop.stopped() => closing(GOING_AWAY, "the hub is stopping"),
        };
        let is_last = matches!(message, Message::Close(_));
        let taken = timeout(pace.silence_max, out.send(message)).await;
        if is_last || !matches!(taken, Ok(Ok(()))) {
            break;
        }
    }
}

/// What a client says, with the operations that it begins; the end after one that cannot be begun.
fn begun(
    heard: impl Stream<Item = Vec<u8>>,
    refused: Refused,
) -> impl Stream<Item = serde_json::Result<ClientMessage>> {
    let operations = Operations::default();
    heard.scan((), move |(), message| {
        ready(match ClientMessage::from_bytes(message) {
            Ok(ClientMessage::Start { id, payload }) => {
                let begun = operations.begin(&id, payload);
                let begun = begun.map_err(|unbegun| refused.keep(unbegun, &id));
                begun.ok().map(|payload| Ok(ClientMessage::Start { id, payload }))
            }
            other => Some(other),
        })
    })
}

/// Why nothing more is heard from a client, where that is its own doing.
#[derive(Clone, Debug, Default)]
struct Refused(Arc<OnceLock<(u16, String)>>);

impl Refused {
    fn keep(&self, unbegun: Unbegun, id: &str) {
        self.0.get_or_init(|| match unbegun {
            Unbegun::IdInUse => (ID_IN_USE, format!("Subscriber for {id} already exists")),
            Unbegun::TooMany => {
                (POLICY_VIOLATION, format!("more than {IDS_MAX} operations under way"))
            }
        });
    }

    fn message(&self) -> Option<Message> {
        self.0.get().map(|(code, reason)| closing(*code, reason))
    }
}

fn closing(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: shortened(reason).into() }))
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

    /// Whether it is known who the client is, or that it may not come in.
    fn is_decided(&self) -> bool {
        self.0.get().is_some()
    }

    /// The code of the protocol for one of the library.
    fn code(&self, code: u16) -> u16 {
        match (code, self.0.get()) {
            (PROTOCOL_ERROR, Some(Err(Kind::Unauthenticated))) | (SERVER_ERROR, _) => UNAUTHORIZED,
            (PROTOCOL_ERROR, Some(Err(_))) => FORBIDDEN,
            (PROTOCOL_ERROR, _) => INVALID_MESSAGE,
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

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, Object, Schema, Subscription};
    use axum::extract::WebSocketUpgrade;
    use axum::routing::get;
    use futures::stream;
    use serde_json::{Value, json};
    use shared_kernel::application::stop::stop_pair;
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::Message as Said;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

    use super::super::operations::OPERATIONS_MAX;
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
            upgrade.on_upgrade(async move |socket| {
                let (_running, stop) = stop_pair();
                serve(socket, (pace, stop), schema, enter).await;
            })
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
        Pace { asked_each, silence_max, ..Pace::default() }
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
    }

    #[tokio::test]
    async fn an_id_has_one_operation_at_a_time() {
        let subscribe = |id: &str, query: &str| {
            let payload = json!({ "query": query });
            json!({ "type": "subscribe", "id": id, "payload": payload })
        };
        let begin = json!({ "type": "connection_init" });
        let welcome = |_payload| Ok(Data::default());
        let listen = subscribe("a", "subscription { never }");
        let words = [begin.clone(), listen.clone(), subscribe("b", "{ one }"), listen.clone()];
        assert_eq!(closed(welcome, &words).await, 4409);
        // One that the server has ended is free again, and so is one that the client has.
        let mut client = begun(Pace::default()).await;
        for _ in 0..2 {
            say(&mut client, &subscribe("a", "{ one }")).await;
            while heard(&mut client).await.unwrap()["type"] != "complete" {}
        }
        for _ in 0..2 {
            say(&mut client, &listen).await;
            say(&mut client, &json!({ "type": "complete", "id": "a" })).await;
        }
        say(&mut client, &subscribe("a", "{ one }")).await;
        while heard(&mut client).await.unwrap()["type"] != "next" {}
    }

    /// How a conversation with a client ends that says this each second, or takes nothing.
    async fn ended(says: &'static str, takes: bool) -> Option<u16> {
        let heard = stream::unfold((), async |()| {
            sleep(Duration::from_secs(1)).await;
            Some((says.as_bytes().to_vec(), ()))
        });
        conversed(heard, takes).await
    }

    /// How a conversation ends in which this is heard.
    async fn conversed(heard: impl Stream<Item = Vec<u8>>, takes: bool) -> Option<u16> {
        let schema = Schema::new(Query, EmptyMutation, Events);
        let (_running, stop) = stop_pair();
        let (told, mut tells) = futures::channel::mpsc::unbounded();
        let out = Box::pin(told.with(move |message| async move {
            if !takes {
                std::future::pending::<()>().await;
            }
            Ok::<Message, futures::channel::mpsc::SendError>(message)
        }));
        let heard = Box::pin(heard);
        let enter = |_payload| ready(Ok(Data::default()));
        let bounds = (Pace::default(), stop);
        let talk = converse((out, heard), bounds, schema, enter);
        timeout(Duration::from_mins(10), talk).await.unwrap();
        let mut code = None;
        while let Ok(message) = tells.try_recv() {
            if let Message::Close(frame) = message {
                code = frame.map(|frame| frame.code);
            }
        }
        code
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_say_who_they_are_is_sent_away_however_lively_they_are() {
        let began = tokio::time::Instant::now();
        for lively in ["{\"type\":\"pong\"}", "{\"type\":\"ping\"}"] {
            assert_eq!(ended(lively, true).await, Some(4408));
        }
        assert_eq!(began.elapsed(), 2 * Pace::default().begin_max, "by the paused clock");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_gone_and_waited_for_no_longer_than_who_says_nothing() {
        let began = tokio::time::Instant::now();
        assert_eq!(ended("{\"type\":\"ping\"}", false).await, None);
        let waited = began.elapsed();
        assert!(waited <= Pace::default().silence_max + Duration::from_secs(2), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_begins_operations_without_end_is_sent_away() {
        let begin = json!({ "type": "connection_init" }).to_string();
        let subscribe = |id: usize| {
            let payload = json!({ "query": "subscription { never }" });
            json!({ "type": "subscribe", "id": id.to_string(), "payload": payload }).to_string()
        };
        // All of it is there to be read before anything is answered.
        let flood = |most: usize| {
            let words = std::iter::once(begin.clone()).chain((0..most).map(subscribe));
            stream::iter(words.map(String::into_bytes).collect::<Vec<_>>())
        };
        assert_eq!(conversed(flood(IDS_MAX + 1).chain(stream::pending()), true).await, Some(1008));
        assert_eq!(conversed(flood(IDS_MAX), true).await, None, "the client has gone by itself");
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
