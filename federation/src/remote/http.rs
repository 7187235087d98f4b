//! Queries and mutations over HTTP.

use std::error::Error;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError, Value};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::time::{sleep, timeout};

use super::{Answer, Operation, Remote};
use crate::Code;

/// What a subgraph may answer in; the first of them is the standard's.
const ACCEPTED: &str = "application/graphql-response+json, application/json;q=0.9";
/// Milliseconds between the first try and the second; then twice as many.
const RETRY_DELAY_MS: u64 = 25;

type Failure = Box<ServerError>;

/// Connections that are kept and used again.
pub(super) enum HttpClient {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl HttpClient {
    /// With a limit on the time that opening a connection takes, and with TLS if it is given.
    pub(super) fn new(connect: Duration, tls: Option<&ClientConfig>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect));
        let client = Client::builder(TokioExecutor::new());
        let Some(tls) = tls else { return Self::Plain(client.build(connector)) };
        connector.enforce_http(false);
        let secret = HttpsConnectorBuilder::new().with_tls_config(tls.clone());
        Self::Tls(client.build(secret.https_or_http().enable_http1().wrap_connector(connector)))
    }

    fn request(&self, request: http::Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            Self::Tls(client) => client.request(request),
        }
    }
}

/// One try that failed.
enum Tried {
    /// The connection failed; the subgraph may not have seen the request.
    Connection(String),
    Failed(Failure),
}

/// Asks a subgraph.
pub(super) async fn ask(remote: &Remote, mut request: Request) -> Result<Response, Failure> {
    let headers = headers(remote, &request);
    let operation = Operation { query: &request.query, variables: &request.variables };
    let body =
        serde_json::to_vec(&operation).map_err(|error| Box::new(remote.unavailable(&error)))?;
    let body = Bytes::from(body);
    let tries = if is_query(&mut request) { remote.bounds.tries_max.max(1) } else { 1 };
    let answer = async {
        let mut delay = RETRY_DELAY_MS;
        let mut last = String::new();
        for again in (0..tries).rev() {
            match once(remote, headers.clone(), body.clone()).await {
                Ok(response) => return Ok(response),
                Err(Tried::Failed(failure)) => return Err(failure),
                Err(Tried::Connection(reason)) => last = reason,
            }
            if again > 0 {
                sleep(Duration::from_millis(delay)).await;
                delay = delay.saturating_mul(2);
            }
        }
        Err(Box::new(remote.unavailable(&last)))
    };
    let within = Duration::from_millis(remote.bounds.answer_ms_max);
    timeout(within, answer).await.unwrap_or_else(|_elapsed| Err(Box::new(remote.too_slow())))
}

fn headers(remote: &Remote, request: &Request) -> HeaderMap {
    let mut headers = (remote.headers)(&request.data);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers
}

/// Whether asking twice is the same as asking once.
fn is_query(request: &mut Request) -> bool {
    request.parsed_query().is_ok_and(|document| {
        document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
    })
}

async fn once(remote: &Remote, headers: HeaderMap, body: Bytes) -> Result<Response, Tried> {
    let mut request = http::Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = remote.address.clone();
    *request.headers_mut() = headers;
    let response = remote.client.request(request).await.map_err(|error| {
        if error.is_connect() || is_cut_off(&error) {
            Tried::Connection(chain(&error))
        } else {
            Tried::Failed(Box::new(remote.unavailable(&chain(&error))))
        }
    })?;
    let status = response.status();
    let bytes = Limited::new(response.into_body(), remote.bounds.answer_bytes_max)
        .collect()
        .await
        .map_err(|error| unread(remote, &*error))?
        .to_bytes();
    match serde_json::from_slice::<Answer>(&bytes) {
        Ok(answer) if answer.errors.is_some() => Ok(answer.into()),
        Ok(answer) if status.is_success() && answer.data != Value::Null => Ok(answer.into()),
        Ok(_) => Err(refused(remote, &format!("HTTP {status}, neither data nor errors"))),
        Err(error) => Err(refused(remote, &format!("HTTP {status}, no GraphQL: {error}"))),
    }
}

fn refused(remote: &Remote, reason: &str) -> Tried {
    Tried::Failed(Box::new(remote.unavailable(&reason)))
}

fn unread(remote: &Remote, error: &(dyn Error + Send + Sync + 'static)) -> Tried {
    if error.is::<LengthLimitError>() {
        let what = "answered more than is read";
        let reason = format!("more than {} bytes", remote.bounds.answer_bytes_max);
        return Tried::Failed(Box::new(remote.failed(Code::SubgraphAnswerTooLarge, what, &reason)));
    }
    Tried::Connection(chain(error))
}

/// Whether a kept connection ended under the request.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        }
        source = error.source();
    }
    false
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
