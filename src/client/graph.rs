//! The joined graph, asked over HTTP on connections that are kept.

use std::error::Error as _;
use std::fmt;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::Value;

use super::error::ClientError;

/// Whoever asks the graph.
#[derive(Clone)]
pub struct GraphClient {
    uri: Uri,
    token: Option<HeaderValue>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GraphClient").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<Refused>,
}

/// An error of an answer.
#[derive(Deserialize)]
struct Refused {
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    code: Option<String>,
}

impl GraphClient {
    /// Where a hub serves its graph by default.
    pub const GRAPH_DEFAULT: &str = "http://127.0.0.1:8080/graphql";

    /// A client of the graph at an address like `http://127.0.0.1:8080/graphql`.
    ///
    /// # Errors
    /// `graph_address_shape` and `token_shape`.
    pub fn new(address: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let uri: Option<Uri> = address.trim().parse().ok();
        let fits = |uri: &Uri| uri.scheme_str() == Some("http") && uri.host().is_some();
        let uri = uri.filter(fits).ok_or_else(|| {
            let sentence =
                format!("the address of a graph is written http://host:port/path, not {address}");
            ClientError::usage("graph_address_shape", "graph", sentence)
        })?;
        let token = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}")));
        let token = token.transpose().map_err(|_invisible| {
            let sentence = "a token is made of visible ASCII characters";
            ClientError::usage("token_shape", "token", sentence)
        })?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { uri, token, client })
    }

    /// Where the graph is.
    pub fn address(&self) -> String {
        self.uri.to_string()
    }

    /// The data of an answer without errors; `body` is the operation as JSON.
    ///
    /// # Errors
    /// The first error of the answer, or none at all.
    pub async fn ask(&self, body: String) -> Result<Value, ClientError> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        let response = self.client.request(request).await.map_err(|error| {
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            if error.is_connect() {
                ClientError::no_graph(&self.address(), cause)
            } else {
                self.lost(&cause)
            }
        })?;
        let status = response.status();
        let collected = response.into_body().collect().await;
        let body = collected.map_err(|error| self.lost(&error.to_string()))?.to_bytes();
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_no_answer| self.lost(&format!("HTTP {status}, and no GraphQL")))?;
        match answer.errors.into_iter().next() {
            None => Ok(answer.data),
            Some(Refused { message, extensions }) => {
                let code = extensions.code.unwrap_or_else(|| "unknown".to_owned());
                Err(ClientError::refused(&code, None, message))
            }
        }
    }

    /// The hub was reached and no answer came.
    pub fn lost(&self, cause: &str) -> ClientError {
        ClientError::answer_lost(&self.address(), cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_refused() {
        for address in ["", "127.0.0.1:8080", "https://127.0.0.1:8080/graphql", "/graphql"] {
            let refused = GraphClient::new(address, None).unwrap_err();
            assert_eq!(refused.code(), "graph_address_shape", "{address}");
        }
        let token = GraphClient::new(GraphClient::GRAPH_DEFAULT, Some("\n")).unwrap_err();
        assert_eq!(token.code(), "token_shape");
    }

    #[tokio::test]
    async fn where_nobody_listens_the_graph_may_come_back() {
        let client = GraphClient::new("http://127.0.0.1:1/graphql", None).unwrap();
        let error = client.ask("{}".to_owned()).await.unwrap_err();
        assert_eq!((error.code(), error.may_pass()), ("graph_unreachable", true));
    }
}
