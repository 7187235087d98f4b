//! Subscriptions over WebSocket, by the protocol `graphql-transport-ws`.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Response, ServerError, Variables};
use futures::stream::{self, Stream};
use futures::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error as SocketError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::{Answer, Operation, Remote};

/// The protocol's name.
const PROTOCOL: &str = "graphql-transport-ws";
/// The id of the one subscription that a connection carries.
const SUBSCRIPTION: &str = "1";

type Failure = Box<ServerError>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What is sent.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Sent<'a> {
    ConnectionInit,
    Subscribe { id: &'a str, payload: Operation<'a> },
    Ping,
    Pong,
}

/// What is heard.
#[derive(Deserialize)]
struct Heard {
    #[serde(rename = "type")]
    kind: String,
    payload: Option<Box<RawValue>>,
}

/// A subscription that is open.
struct Open {
    remote: Arc<Remote>,
    socket: Socket,
    /// The peer was asked whether it is there, and has not said a word since.
    is_asked: bool,
}

/// What comes of listening.
enum Next {
    Event(Box<Response>),
    /// The last event there is.
    Last(Box<Response>),
    End,
}

/// The events of a subscription; a broken connection is the last of them.
pub(super) fn events(remote: Arc<Remote>, request: Request) -> impl Stream<Item = Response> {
    let opened = async move {
        let within = Duration::from_millis(remote.bounds.answer_ms_max);
        match timeout(within, open(&remote, &request)).await {
            Ok(opened) => opened.map(|socket| Open { remote, socket, is_asked: false }),
            Err(_elapsed) => Err(Box::new(remote.too_slow())),
        }
    };
    stream::once(opened).flat_map(|opened| match opened {
        Ok(open) => stream::unfold(Some(open), listen).left_stream(),
        Err(failure) => {
            stream::once(async { Response::from_errors(vec![*failure]) }).right_stream()
        }
    })
}

async fn listen(open: Option<Open>) -> Option<(Response, Option<Open>)> {
    let mut open = open?;
    match open.next().await {
        Ok(Next::Event(event)) => Some((*event, Some(open))),
        Ok(Next::Last(event)) => Some((*event, None)),
        Ok(Next::End) => None,
        Err(failure) => Some((Response::from_errors(vec![*failure]), None)),
    }
}

async fn open(remote: &Remote, request: &Request) -> Result<Socket, Failure> {
    let unavailable = |error: SocketError| Box::new(remote.unavailable(&error));
    let mut handshake = remote.websocket.clone().into_client_request().map_err(unavailable)?;
    handshake.headers_mut().extend((remote.headers)(&request.data));
    let protocol = HeaderValue::from_static(PROTOCOL);
    handshake.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    let bytes_max = Some(remote.bounds.answer_bytes_max);
    let config = WebSocketConfig::default().max_message_size(bytes_max).max_frame_size(bytes_max);
    let connector = remote.tls.clone().map_or(Connector::Plain, Connector::Rustls);
    let connected =
        connect_async_tls_with_config(handshake, Some(config), true, Some(connector)).await;
    let (mut socket, _response) = connected.map_err(unavailable)?;
    say(remote, &mut socket, &Sent::ConnectionInit).await?;
    loop {
        match hear(remote, &mut socket).await? {
            Some(heard) if heard.kind == "connection_ack" => break,
            Some(heard) if heard.kind == "ping" => say(remote, &mut socket, &Sent::Pong).await?,
            Some(_) | None => {}
        }
    }
    let variables: &Variables = &request.variables;
    let payload = Operation { query: &request.query, variables };
    say(remote, &mut socket, &Sent::Subscribe { id: SUBSCRIPTION, payload }).await?;
    Ok(socket)
}

impl Open {
    async fn next(&mut self) -> Result<Next, Failure> {
        let silence = Duration::from_millis(self.remote.bounds.silence_ms_max);
        loop {
            let heard = match timeout(silence, hear(&self.remote, &mut self.socket)).await {
                Ok(heard) => heard?,
                Err(_elapsed) if self.is_asked => {
                    return Err(Box::new(self.remote.unavailable(&"it fell silent")));
                }
                Err(_elapsed) => {
                    self.is_asked = true;
                    say(&self.remote, &mut self.socket, &Sent::Ping).await?;
                    continue;
                }
            };
            self.is_asked = false;
            let Some(heard) = heard else { continue };
            let payload = heard.payload.as_deref().map_or("null", RawValue::get);
            match heard.kind.as_str() {
                "next" => {
                    let event: Answer = self.read(payload)?;
                    return Ok(Next::Event(Box::new(event.into())));
                }
                "error" => {
                    let errors: Vec<ServerError> = self.read(payload)?;
                    return Ok(Next::Last(Box::new(Response::from_errors(errors))));
                }
                "complete" => return Ok(Next::End),
                "ping" => say(&self.remote, &mut self.socket, &Sent::Pong).await?,
                _ => {}
            }
        }
    }

    fn read<'p, T: Deserialize<'p>>(&self, payload: &'p str) -> Result<T, Failure> {
        serde_json::from_str(payload).map_err(|error| Box::new(self.remote.unavailable(&error)))
    }
}

async fn say(remote: &Remote, socket: &mut Socket, message: &Sent<'_>) -> Result<(), Failure> {
    let text =
        serde_json::to_string(message).map_err(|error| Box::new(remote.unavailable(&error)))?;
    let sent = socket.send(Message::text(text)).await;
    sent.map_err(|error| Box::new(remote.unavailable(&error)))
}

/// The next message of the protocol; none for a sign of life of the connection itself.
async fn hear(remote: &Remote, socket: &mut Socket) -> Result<Option<Heard>, Failure> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Box::new(remote.unavailable(&error))),
        Some(Ok(Message::Close(frame))) => {
            let reason = frame.map_or_else(String::new, |frame| frame.to_string());
            Err(Box::new(remote.unavailable(&format!("closed: {reason}"))))
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {
            Ok(None)
        }
        Some(Err(error)) => Err(Box::new(remote.unavailable(&error))),
        None => Err(Box::new(remote.unavailable(&"the connection ended"))),
    }
}
