//! Refusals as gRPC statuses with google.rpc error details.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::application::ApplicationError;
use crate::domain::{Kind, Violation};

/// `ErrorInfo.domain` of every refusal.
const DOMAIN: &str = "codepix";

/// Name of the metadata entry that repeats the stable code, for clients that read no details.
pub const CODE_METADATA: &str = "codepix-error-code";

fn code(kind: Kind) -> Code {
    match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::FailedPrecondition => Code::FailedPrecondition,
        Kind::PermissionDenied => Code::PermissionDenied,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::ResourceExhausted => Code::ResourceExhausted,
        Kind::Aborted => Code::Aborted,
        Kind::Unavailable => Code::Unavailable,
        Kind::Internal => Code::Internal,
    }
}

/// The status of a broken rule: its sentence, its stable code (`ErrorInfo.reason`) and its field.
pub fn violation_status(violation: &Violation) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(violation.code(), DOMAIN, std::collections::HashMap::new());
    if !violation.field().is_empty() {
        details.add_bad_request_violation(violation.field(), violation.message());
    }
    let mut status =
        Status::with_error_details(code(violation.kind()), violation.message(), details);
    if let Ok(value) = violation.code().parse() {
        status.metadata_mut().insert(CODE_METADATA, value);
    }
    status
}

/// The status of a failed use case. Causes inside the hub go to its log, not to the client.
pub fn status(error: &ApplicationError) -> Status {
    match error {
        ApplicationError::Refused(violation) => violation_status(violation),
        ApplicationError::Unavailable(cause) => {
            tracing::warn!(cause, "a request could not be served");
            violation_status(&Violation::unavailable(
                "temporarily_unavailable",
                "",
                "the hub cannot answer right now; repeat the command with the same key".to_owned(),
            ))
        }
    }
}
