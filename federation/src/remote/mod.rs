//! A subgraph on another machine: the same port, over HTTP and WebSocket.
//!
//! Queries and mutations are POSTs on connections that are kept and used again. Only a query is
//! tried again, and only when its connection failed: a mutation may have been done. A subscription
//! has a WebSocket of its own with the protocol `graphql-transport-ws`; it is not opened again when
//! it breaks, because events would be missing without anyone knowing, but ends with the code
//! `subgraph_unavailable`, upon which the client subscribes again and reads the present state.

mod http;
mod tls;
mod websocket;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::Duration;

use ::http::uri::{Parts, PathAndQuery, Scheme};
use ::http::{HeaderMap, Uri};
use async_graphql::{Data, Request, Response, ServerError, Value};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;

use self::http::HttpClient;
use crate::{Code, Subgraph};

/// What a subgraph's headers are made from, and how.
type Headers = dyn Fn(&Data) -> HeaderMap + Send + Sync;

/// Why a remote subgraph cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The address is not one of HTTP, or of WebSocket for subscriptions.
    #[error(
        "the address {0:?} must be like http://host:port/path or https://…, and ws:// or wss:// \
         for subscriptions"
    )]
    Address(String),
    /// The certificate authorities that were given cannot be read.
    #[error("the certificate authorities must be certificates in PEM: {0}")]
    Authorities(String),
    /// No server could prove who it is.
    #[error("this system trusts no certificate authority: name one, or install its list of them")]
    NothingTrusted,
}

/// A subgraph that is reached over the network.
#[derive(Clone)]
pub struct RemoteSubgraph {
    remote: Arc<Remote>,
}

/// A remote subgraph to be built.
#[must_use]
pub struct RemoteSubgraphBuilder {
    name: String,
    address: String,
    websocket: Option<String>,
    authorities: Option<Vec<u8>>,
    headers: Arc<Headers>,
    bounds: Bounds,
}

/// How much, and how long.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "limits are named with their unit and `max` last")]
struct Bounds {
    answer_bytes_max: usize,
    answer_ms_max: u64,
    connect_ms_max: u64,
    silence_ms_max: u64,
    tries_max: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            answer_bytes_max: 16 * 1024 * 1024,
            answer_ms_max: 5_000,
            connect_ms_max: 1_000,
            silence_ms_max: 15_000,
            tries_max: 3,
        }
    }
}

struct Remote {
    name: String,
    address: Uri,
    websocket: Uri,
    headers: Arc<Headers>,
    bounds: Bounds,
    client: HttpClient,
    /// How servers with TLS prove who they are; none where no address has it.
    tls: Option<Arc<ClientConfig>>,
}

/// What is sent.
#[derive(Serialize)]
struct Operation<'a> {
    query: &'a str,
    variables: &'a async_graphql::Variables,
}

/// What is answered.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Option<Vec<ServerError>>,
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.data);
        response.errors = answer.errors.unwrap_or_default();
        response
    }
}

impl RemoteSubgraph {
    /// A subgraph of a name, at an address like `http://10.0.0.7:8081/subgraphs/banking`.
    pub fn builder(name: impl Into<String>, address: impl Into<String>) -> RemoteSubgraphBuilder {
        RemoteSubgraphBuilder {
            name: name.into(),
            address: address.into(),
            websocket: None,
            authorities: None,
            headers: Arc::new(|_data| HeaderMap::new()),
            bounds: Bounds::default(),
        }
    }
}

impl RemoteSubgraphBuilder {
    /// Where subscriptions are answered, if it is not `/ws` under the address.
    pub fn websocket(mut self, address: impl Into<String>) -> Self {
        self.websocket = Some(address.into());
        self
    }

    /// Certificate authorities that are trusted besides those of the system, in PEM.
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// Makes headers of what a request carries: who calls, and the trace it belongs to.
    pub fn headers(mut self, headers: impl Fn(&Data) -> HeaderMap + Send + Sync + 'static) -> Self {
        self.headers = Arc::new(headers);
        self
    }

    /// Bytes of an answer or event that are read; 16 MiB if not said.
    pub fn answer_bytes_max(mut self, bytes: usize) -> Self {
        self.bounds.answer_bytes_max = bytes;
        self
    }

    /// Milliseconds until an answer must be there; 5,000 if not said.
    pub fn answer_ms_max(mut self, milliseconds: u64) -> Self {
        self.bounds.answer_ms_max = milliseconds;
        self
    }

    /// Milliseconds until a connection must be open; 1,000 if not said.
    pub fn connect_ms_max(mut self, milliseconds: u64) -> Self {
        self.bounds.connect_ms_max = milliseconds;
        self
    }

    /// Milliseconds without a word after which a subscription's peer is asked whether it is there;
    /// after as many more it counts as broken. 15,000 if not said.
    pub fn silence_ms_max(mut self, milliseconds: u64) -> Self {
        self.bounds.silence_ms_max = milliseconds;
        self
    }

    /// How often a query is tried whose connection fails; 3 if not said.
    pub fn tries_max(mut self, tries: u32) -> Self {
        self.bounds.tries_max = tries;
        self
    }

    /// The subgraph, if its addresses can be used.
    pub fn build(self) -> Result<RemoteSubgraph, RemoteError> {
        let unusable = |address: &str| RemoteError::Address(address.to_owned());
        let parsed = |address: &str, schemes: [&str; 2]| {
            let uri: Option<Uri> = address.parse().ok();
            let has = |uri: &Uri| uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme));
            uri.filter(|uri| has(uri) && uri.host().is_some()).ok_or_else(|| unusable(address))
        };
        let address = parsed(&self.address, ["http", "https"])?;
        let websocket = match &self.websocket {
            Some(websocket) => parsed(websocket, ["ws", "wss"])?,
            None => under(&address).ok_or_else(|| unusable(&self.address))?,
        };
        let has_tls =
            address.scheme_str() == Some("https") || websocket.scheme_str() == Some("wss");
        let trusted = || tls::trusting(self.authorities.as_deref());
        let tls = has_tls.then(trusted).transpose()?;
        let connect = Duration::from_millis(self.bounds.connect_ms_max);
        let client = HttpClient::new(connect, tls.as_deref());
        let Self { name, headers, bounds, .. } = self;
        let remote = Remote { name, address, websocket, headers, bounds, client, tls };
        Ok(RemoteSubgraph { remote: Arc::new(remote) })
    }
}

/// `/ws` under an address, over WebSocket, with TLS where the address has it.
fn under(address: &Uri) -> Option<Uri> {
    let path = format!("{}/ws", address.path().trim_end_matches('/'));
    let scheme = if address.scheme_str() == Some("https") { "wss" } else { "ws" };
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::try_from(scheme).ok()?);
    parts.authority = address.authority().cloned();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

impl Remote {
    /// An error for the client, and its reason for the log.
    fn failed(&self, code: Code, what: &str, reason: &dyn fmt::Display) -> ServerError {
        let subgraph = &self.name;
        warn!(subgraph, code = code.as_str(), %reason, "a remote subgraph failed");
        code.error(format!("The subgraph {subgraph} {what}."))
    }

    fn unavailable(&self, reason: &dyn fmt::Display) -> ServerError {
        self.failed(Code::SubgraphUnavailable, "is not available", reason)
    }

    fn too_slow(&self) -> ServerError {
        self.failed(Code::SubgraphTimeout, "did not answer in time", &"the time is over")
    }
}

impl Subgraph for RemoteSubgraph {
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let remote = Arc::clone(&self.remote);
        async move {
            match http::ask(&remote, request).await {
                Ok(response) => response,
                Err(error) => Response::from_errors(vec![*error]),
            }
        }
        .boxed()
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        websocket::events(Arc::clone(&self.remote), request).boxed()
    }
}

impl Debug for RemoteSubgraph {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Remote { name, address, websocket, .. } = &*self.remote;
        let mut debug = formatter.debug_struct("RemoteSubgraph");
        debug.field("name", name).field("address", address).field("websocket", websocket);
        debug.finish_non_exhaustive()
    }
}

impl Debug for RemoteSubgraphBuilder {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("RemoteSubgraphBuilder");
        debug.field("name", &self.name).field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(subgraph: &RemoteSubgraph) -> [String; 2] {
        [subgraph.remote.address.to_string(), subgraph.remote.websocket.to_string()]
    }

    #[test]
    fn subscriptions_are_under_the_address_unless_said_otherwise() {
        let plain = RemoteSubgraph::builder("banking", "http://host:81/subgraphs/banking").build();
        let wanted = ["http://host:81/subgraphs/banking", "ws://host:81/subgraphs/banking/ws"];
        assert_eq!(addresses(&plain.unwrap()), wanted);
        let other = RemoteSubgraph::builder("banking", "http://host/").websocket("ws://other/s");
        assert_eq!(addresses(&other.build().unwrap()), ["http://host/", "ws://other/s"]);
        let secret = RemoteSubgraph::builder("banking", "https://host/s").authorities(authority());
        assert_eq!(addresses(&secret.build().unwrap()), ["https://host/s", "wss://host/s/ws"]);
    }

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
    }

    #[test]
    fn authorities_that_cannot_be_read_are_refused_where_they_are_needed() {
        let with = |address: &str, pem: &str| {
            RemoteSubgraph::builder("banking", address).authorities(pem).build().map(drop)
        };
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "no PEM", no_certificate] {
            let refused = with("https://host/", pem).unwrap_err();
            assert!(matches!(refused, RemoteError::Authorities(_)), "{pem}: {refused}");
            assert!(with("http://host/", pem).is_ok());
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for address in ["wss://host/graphql", "host", "/graphql", "ftp://host/", ""] {
            let refused = RemoteSubgraph::builder("banking", address).build().unwrap_err();
            assert_eq!(refused, RemoteError::Address(address.to_owned()));
        }
        let websocket = RemoteSubgraph::builder("banking", "http://host/").websocket("http://host");
        assert!(websocket.build().is_err());
    }
}
