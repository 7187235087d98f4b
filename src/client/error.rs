//! What a failed call means for the one who made it.
//!
//! The hub refuses with `google.rpc` details: the stable code in `ErrorInfo`, the field in
//! `BadRequest`. Programs decide by the exit code and, with `--json`, by the stable code.

use std::error::Error as _;
use std::fmt;

use shared_kernel::domain::{Kind, Violation};
use shared_kernel::infrastructure::grpc::status::CODE_METADATA;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::connection::Hub;

/// What the hub, or this command before it asked, said no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code, e.g. `account_not_found`.
    pub code: String,
    /// What would be right, as a sentence.
    pub sentence: String,
    /// The input's field that caused it, if one did.
    pub field: Option<String>,
    /// Whether what the input names does not exist there, or not yet.
    pub is_not_found: bool,
}

/// The three ways in which a command fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was refused and had no effect.
    Refused(Refusal),
    /// Nothing listens at that address.
    Unreachable {
        /// Stable code.
        code: &'static str,
        /// Where nothing listens, as a sentence.
        sentence: String,
        /// What the transport said.
        cause: String,
    },
    /// The hub was reached and no answer came: the command may have had its effect.
    Unanswered {
        /// Stable code.
        code: String,
        /// What happened, as a sentence.
        sentence: String,
    },
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError {
    failure: Failure,
    hint: Option<String>,
}

impl ClientError {
    /// An input that is refused before the hub is asked.
    pub fn usage(code: &str, field: &str, sentence: impl Into<String>) -> Self {
        Self::refused(code, Some(field), sentence)
    }

    /// A refusal.
    pub fn refused(code: &str, field: Option<&str>, sentence: impl Into<String>) -> Self {
        let refusal = Refusal {
            code: code.to_owned(),
            sentence: sentence.into(),
            field: field.filter(|name| !name.is_empty()).map(str::to_owned),
            is_not_found: false,
        };
        Self { failure: Failure::Refused(refusal), hint: None }
    }

    /// Nothing listens at `hub`.
    pub(super) fn unreachable(hub: &str, error: &tonic::transport::Error) -> Self {
        Self { failure: Failure::no_hub(hub, root_cause(error)), hint: None }
    }

    /// No Kafka answers at `brokers`.
    pub fn no_kafka(brokers: &str, cause: impl Into<String>) -> Self {
        let sentence = format!("no Kafka answers at {brokers}; name it with --kafka-brokers");
        let failure =
            Failure::Unreachable { code: "kafka_unreachable", sentence, cause: cause.into() };
        Self { failure, hint: None }
    }

    /// No graph is served at `address`.
    pub(super) fn no_graph(address: &str, cause: impl Into<String>) -> Self {
        let sentence = format!("no graph is served at {address}; name it with --graph");
        let failure =
            Failure::Unreachable { code: "graph_unreachable", sentence, cause: cause.into() };
        Self { failure, hint: None }
    }

    /// What listens at `address` gave no answer that can be read.
    pub(super) fn answer_lost(address: &str, cause: &str) -> Self {
        let sentence = format!("{address} gave no answer ({cause})");
        let failure = Failure::Unanswered { code: "answer_lost".to_owned(), sentence };
        Self { failure, hint: None }
    }

    /// What a status of the hub at `hub` means.
    pub fn of_status(hub: &str, status: &Status) -> Self {
        let said = Refusal::of_status(status);
        let failure = match (status.code(), said) {
            (Code::Unavailable, Some(refusal)) => {
                Failure::Unanswered { code: refusal.code, sentence: refusal.sentence }
            }
            (_, Some(refusal)) => Failure::Refused(refusal),
            (Code::Unavailable, None) => {
                let cause = status.source().map_or_else(|| status.message().to_owned(), root_cause);
                Failure::no_hub(hub, cause)
            }
            (Code::Unimplemented, None) => Failure::Refused(Refusal {
                code: "not_served_here".to_owned(),
                sentence: format!("the hub at {hub} does not serve this call"),
                field: None,
                is_not_found: false,
            }),
            (Code::DeadlineExceeded, None) => Failure::Unanswered {
                code: "no_answer_in_time".to_owned(),
                sentence: format!("the hub at {hub} did not answer in time"),
            },
            // The transport gave up in the middle of the call (tonic and h2 use all three).
            (Code::Unknown | Code::Cancelled | Code::Internal, None) => Failure::Unanswered {
                code: "answer_lost".to_owned(),
                sentence: format!(
                    "the connection to the hub at {hub} broke before its answer came ({})",
                    brief(status)
                ),
            },
            (code, None) => Failure::Refused(Refusal {
                code: code_name(code).to_owned(),
                sentence: brief(status),
                field: None,
                is_not_found: code == Code::NotFound,
            }),
        };
        Self { failure, hint: None }
    }

    /// A stream of `hub` ended before it had said everything.
    pub fn ended_early(hub: &Hub) -> Self {
        let sentence = format!("the hub at {} ended its answer early", hub.address());
        Self {
            failure: Failure::Unanswered { code: "answer_lost".to_owned(), sentence },
            hint: None,
        }
    }

    /// The same with a sentence on what to do now.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What failed.
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// What to do now, if there is more to say than the sentence.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        match &self.failure {
            Failure::Refused(refusal) => &refusal.code,
            Failure::Unreachable { code, .. } => code,
            Failure::Unanswered { code, .. } => code,
        }
    }

    /// The field that caused a refusal.
    pub fn field(&self) -> Option<&str> {
        match &self.failure {
            Failure::Refused(refusal) => refusal.field.as_deref(),
            Failure::Unreachable { .. } | Failure::Unanswered { .. } => None,
        }
    }

    /// Whether what the request names does not exist there, or has not arrived there yet.
    pub fn is_not_found(&self) -> bool {
        matches!(&self.failure, Failure::Refused(refusal) if refusal.is_not_found)
    }

    /// Whether the same request, with the same idempotency key, may succeed later.
    pub const fn may_pass(&self) -> bool {
        !matches!(self.failure, Failure::Refused(_))
    }

    /// Exit code of the process: 1 for a refusal, 2 when the hub could not be asked.
    pub const fn exit_code(&self) -> u8 {
        if self.may_pass() { 2 } else { 1 }
    }
}

impl Failure {
    fn no_hub(hub: &str, cause: String) -> Self {
        let sentence = format!("no hub answers at {hub}; start one with `./codepix up`");
        Self::Unreachable { code: "hub_unreachable", sentence, cause }
    }
}

impl Refusal {
    /// The refusal that a status carries in its details, or in its metadata alone.
    fn of_status(status: &Status) -> Option<Self> {
        let details = status.get_error_details();
        let in_metadata = || status.metadata().get(CODE_METADATA)?.to_str().ok().map(str::to_owned);
        let code = details.error_info().map(|info| info.reason.clone()).or_else(in_metadata)?;
        let field = details
            .bad_request()
            .and_then(|request| request.field_violations.first())
            .map(|violation| violation.field.clone())
            .filter(|field| !field.is_empty());
        let is_not_found = status.code() == Code::NotFound;
        Some(Self { code, sentence: status.message().to_owned(), field, is_not_found })
    }
}

impl From<Violation> for ClientError {
    fn from(violation: Violation) -> Self {
        let mut error =
            Self::refused(violation.code(), Some(violation.field()), violation.message());
        if let Failure::Refused(refusal) = &mut error.failure {
            refusal.is_not_found = violation.kind() == Kind::NotFound;
        }
        error
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            Failure::Refused(refusal) => formatter.write_str(&refusal.sentence),
            Failure::Unreachable { sentence, .. } | Failure::Unanswered { sentence, .. } => {
                formatter.write_str(sentence)
            }
        }
    }
}

impl std::error::Error for ClientError {}

/// The innermost cause: what the operating system said.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The message of a status, or its code in words.
fn brief(status: &Status) -> String {
    match status.message() {
        "" => status.code().description().to_owned(),
        message => message.to_owned(),
    }
}

/// The code of a status as a stable code, for hubs that send no details.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::infrastructure::grpc::status::violation_status;

    use super::*;

    const HUB: &str = "http://127.0.0.1:50051";

    #[test]
    fn a_refusal_keeps_sentence_field_and_code() {
        let broken = Violation::not_found("account_not_found", "account_id", "no such account");
        let error = ClientError::of_status(HUB, &violation_status(&broken));
        assert_eq!(error.to_string(), "no such account");
        assert_eq!((error.code(), error.field()), ("account_not_found", Some("account_id")));
        assert_eq!((error.exit_code(), error.may_pass()), (1, false));
        assert!(error.is_not_found());
        assert_eq!(error, ClientError::from(broken));
    }

    #[test]
    fn a_hub_that_cannot_answer_now_is_no_refusal() {
        let busy = Violation::unavailable("temporarily_unavailable", "", "not right now");
        let error = ClientError::of_status(HUB, &violation_status(&busy));
        assert_eq!((error.code(), error.field()), ("temporarily_unavailable", None));
        assert_eq!((error.exit_code(), error.may_pass()), (2, true));
    }

    #[test]
    fn a_code_in_the_metadata_alone_is_read() {
        let mut status = Status::not_found("nobody has this key");
        status.metadata_mut().insert(CODE_METADATA, "key_not_found".parse().unwrap());
        assert_eq!(ClientError::of_status(HUB, &status).code(), "key_not_found");
    }

    #[test]
    fn what_the_transport_says_is_told_from_what_the_hub_says() {
        let code = |status: &Status| ClientError::of_status(HUB, status).code().to_owned();
        assert_eq!(code(&Status::unavailable("tcp connect error")), "hub_unreachable");
        assert_eq!(code(&Status::unknown("h2 protocol error")), "answer_lost");
        assert_eq!(code(&Status::cancelled("Timeout expired")), "answer_lost");
        assert_eq!(code(&Status::unimplemented("")), "not_served_here");
        assert_eq!(code(&Status::deadline_exceeded("")), "no_answer_in_time");
        assert_eq!(code(&Status::permission_denied("a proxy's own")), "permission_denied");
    }
}
