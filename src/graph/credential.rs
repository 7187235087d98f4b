//! What a caller showed at the edge, for sub-requests that leave this process.

use std::any::TypeId;

use async_graphql::Data;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use shared_kernel::application::TraceParent;

/// The authorization of a request. Never shown.
#[derive(Clone)]
pub struct Credential(HeaderValue);

impl std::fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Credential")
    }
}

impl Credential {
    /// What was said, if it can be said again.
    pub fn of(authorization: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(authorization).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

/// The headers of a sub-request: who asks, and in which trace.
pub fn headers(data: &Data) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(Credential(value)) = carried(data) {
        headers.insert(AUTHORIZATION, value.clone());
    }
    let trace = carried::<TraceParent>(data).map(|trace| HeaderValue::from_str(trace.as_str()));
    if let Some(Ok(trace)) = trace {
        headers.insert(HeaderName::from_static("traceparent"), trace);
    }
    headers
}

fn carried<T: 'static>(data: &Data) -> Option<&T> {
    data.get(&TypeId::of::<T>()).and_then(|value| value.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_request_says_who_asks_and_in_which_trace() {
        let mut data = Data::default();
        assert!(headers(&data).is_empty());
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        data.insert(Credential::of("Bearer 0123456789abcdef").unwrap());
        data.insert(TraceParent::parse(trace).unwrap());
        let headers = headers(&data);
        assert_eq!(headers["authorization"], "Bearer 0123456789abcdef");
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(headers["traceparent"], trace);
    }

    #[test]
    fn a_credential_is_not_shown() {
        let shown = format!("{:?}", Credential::of("Bearer secret").unwrap());
        assert!(!shown.contains("secret"));
    }
}
