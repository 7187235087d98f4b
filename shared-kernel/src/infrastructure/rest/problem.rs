//! Refusals as RFC 9457 problem details, with the same stable codes as gRPC and the graph.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::application::ApplicationError;
use crate::domain::{AccountId, Kind, Violation};

/// Media type of a problem.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why a request was not served (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:codepix:problem:<code>`.
    #[schema(example = "urn:codepix:problem:balance_unknown")]
    r#type: String,
    /// The words of the status.
    #[schema(example = "Not Found")]
    title: &'static str,
    /// The status.
    #[schema(example = 404)]
    status: u16,
    /// One sentence that says what would be right.
    detail: String,
    /// The stable code of the refusal.
    #[schema(example = "balance_unknown")]
    code: &'static str,
    /// The part of the request that was wrong, if one was.
    #[schema(example = "account_id")]
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'static str,
    /// The account that was asked for, if the request named one.
    #[schema(value_type = Option<String>, format = "uuid")]
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
}

fn status(broken: &Violation) -> StatusCode {
    match broken.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::AlreadyExists | Kind::FailedPrecondition | Kind::Aborted => StatusCode::CONFLICT,
        Kind::PermissionDenied => StatusCode::FORBIDDEN,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// Names the account that was asked for.
    #[must_use]
    pub fn about(self, account: AccountId) -> Self {
        Self { account_id: Some(account), ..self }
    }

    /// There is nothing at this path, or not for this method.
    pub fn of_routing(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self::new(status, code, "", detail.to_owned())
    }

    /// The same under another status, where a protocol has one of its own.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        Self { status: status.as_u16(), title, ..self }
    }

    /// Its status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    fn new(status: StatusCode, code: &'static str, field: &'static str, detail: String) -> Self {
        Self {
            r#type: format!("urn:codepix:problem:{code}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            code,
            field,
            account_id: None,
        }
    }
}

impl From<Violation> for Problem {
    fn from(broken: Violation) -> Self {
        let detail = broken.message().to_owned();
        Self::new(status(&broken), broken.code(), broken.field(), detail)
    }
}

impl From<ApplicationError> for Problem {
    /// Causes inside the hub go to its log, not to the client.
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::Refused(broken) => broken.into(),
            ApplicationError::Unavailable(cause) => {
                tracing::warn!(cause, "a request could not be served");
                let message = "the hub cannot answer right now; ask again";
                Violation::unavailable("temporarily_unavailable", "", message).into()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let more = match status {
            StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                (header::RETRY_AFTER, "1")
            }
            _ => return response,
        };
        response.headers_mut().insert(more.0, HeaderValue::from_static(more.1));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: ApplicationError) -> (StatusCode, serde_json::Value) {
        let problem = Problem::from(error);
        let body = serde_json::to_value(&problem).unwrap();
        (problem.into_response().status(), body)
    }

    #[test]
    fn a_refusal_keeps_its_code_its_field_and_its_sentence() {
        let broken = Violation::invalid("date_shape", "at", "write a date");
        let (status, body) = shown(broken.into());
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let expected = serde_json::json!({
            "type": "urn:codepix:problem:date_shape", "title": "Bad Request", "status": 400,
            "detail": "write a date", "code": "date_shape", "field": "at",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_cause_inside_the_hub_stays_there() {
        let (status, body) = shown(ApplicationError::Unavailable("secret host".into()));
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!body.to_string().contains("secret"), "{body}");
        assert_eq!(body.get("field"), None);
    }

    #[test]
    fn a_protocol_may_have_a_status_of_its_own() {
        let broken = Violation::not_found("account_not_found", "account_id", "there is none");
        let problem = Problem::from(broken).with_status(StatusCode::BAD_REQUEST);
        assert_eq!((problem.status(), problem.title), (400, "Bad Request"));
    }
}
