//! Answers that a client may have already: `ETag` and `If-None-Match`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared_kernel::domain::Digest;

use crate::domain::Standing;

/// The event that an answer belongs to.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Kept by nobody but the client, and by it only to be asked for again.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Whether the client has what `tag` names.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let tags = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
    tags.map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// An answer with its tag; 304 without a body where the client has it.
fn answer(headers: &HeaderMap, tag: &str, body: Vec<u8>) -> Response {
    let mut response = if has(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, JSON)], body).into_response()
    };
    let own = response.headers_mut();
    own.insert(header::CACHE_CONTROL, PRIVATE);
    own.insert(header::VARY, HeaderValue::from_static("authorization"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        own.insert(header::ETAG, tag);
    }
    response
}

fn written(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// The newest event of what is shown.
fn event(standing: &Standing) -> String {
    match standing {
        Standing::Banked(state) => state.version.number().to_string(),
        Standing::External(said) => {
            let micros = said.said_at.micros();
            said.place.map_or_else(
                || micros.to_string(),
                |(partition, offset)| format!("{micros}-{partition}-{offset}"),
            )
        }
    }
}

/// An answer about one account after one event, which it names. Its tag is its content: an event
/// that comes late changes what is known of a time that has passed.
pub(super) fn at_event(
    headers: &HeaderMap,
    standing: &Standing,
    body: &impl Serialize,
) -> Response {
    let event = event(standing);
    let mut response = as_written(headers, body);
    if let Ok(event) = HeaderValue::from_str(&event) {
        response.headers_mut().insert(LAST_EVENT_ID, event);
    }
    response
}

/// An answer whose tag is its content.
pub(super) fn as_written(headers: &HeaderMap, body: &impl Serialize) -> Response {
    let body = written(body);
    let digest = Digest::of(&[&body]).to_string();
    let tag = format!("\"{}\"", digest.get(..16).unwrap_or_default());
    answer(headers, &tag, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_what_it_names() {
        let named = |list: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(list));
            has(&headers, "\"7\"")
        };
        assert!(named("\"7\"") && named("*") && named("\"6\", W/\"7\""));
        assert!(!named("\"6\"") && !named("7") && !has(&HeaderMap::new(), "\"7\""));
    }
}
