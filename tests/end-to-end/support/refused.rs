//! What a refusal looks like from outside.

use std::fmt::Debug;

use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

/// A refusal: gRPC code, stable code, field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// For transports.
    pub(crate) code: Code,
    /// For programs: `ErrorInfo.reason`.
    pub(crate) reason: String,
    /// For screens: the first field of `BadRequest`; empty when no field is to blame.
    pub(crate) field: String,
}

impl Refused {
    /// This refusal.
    pub(crate) fn new(code: Code, reason: &str, field: &str) -> Self {
        Self { code, reason: reason.to_owned(), field: field.to_owned() }
    }

    /// Reads the details of a status.
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let field = details
            .bad_request()
            .and_then(|request| request.field_violations.first())
            .map(|violation| violation.field.clone())
            .unwrap_or_default();
        Self { code: status.code(), reason, field }
    }
}

/// The refusal of a call, which must be one: a sentence for people, the domain of our codes, the
/// stable code in the metadata too.
pub(crate) fn refused<T: Debug>(answer: Result<Response<T>, Status>) -> Refused {
    let status = match answer {
        Ok(answer) => panic!("not refused: {:?}", answer.into_inner()),
        Err(status) => status,
    };
    let refused = Refused::of(&status);
    assert!(!refused.reason.is_empty(), "no stable code: {status:?}");
    let domain = status.get_error_details().error_info().map(|info| info.domain.clone());
    assert_eq!(domain.as_deref(), Some("codepix"), "{status:?}");
    assert!(status.message().len() > 10, "no sentence: {status:?}");
    let repeated = status.metadata().get("codepix-error-code");
    assert_eq!(repeated.and_then(|code| code.to_str().ok()), Some(refused.reason.as_str()));
    refused
}
