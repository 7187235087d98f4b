//! What is answered when something is wrong: one code per cause, stable for ever.
//!
//! An error of a subgraph that carries a code was meant for the caller and passes unchanged. One
//! without was not: it is logged with an id, and the caller gets that id and nothing else.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, PathSegment, Pos, ServerError, Value};
use tracing::error;

use crate::run::name_in;

/// Why an operation or a part of it was not answered: `extensions.code` of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// The document has no operation of that name, or several and no name was given.
    OperationNotFound,
    /// Too many tokens, fields, aliases or directives.
    OperationTooLarge,
    /// Fields are nested too deep.
    OperationTooDeep,
    /// The operation would touch too much, or planning it takes too long.
    OperationTooComplex,
    /// A batch has too many operations.
    BatchTooLarge,
    /// A variable is missing or does not fit its declared type.
    VariableInvalid,
    /// Introspection was asked for where it is switched off.
    IntrospectionDisabled,
    /// A subscription was sent where one answer is expected.
    SubscriptionNeedsStream,
    /// A subgraph did not answer in time.
    SubgraphTimeout,
    /// A subgraph could not be reached, or its stream broke.
    SubgraphUnavailable,
    /// A remote subgraph's answer is larger than is read.
    SubgraphAnswerTooLarge,
    /// The operation as a whole took too long; what was known by then is answered.
    OperationTimeout,
    /// Too many operations are under way.
    TooManyQueries,
    /// Too many subscriptions are open.
    TooManyWatchers,
    /// A field that is never null had no value, and no subgraph said why.
    ValueMissing,
    /// Something of ours failed; the log has the reason under the error's `id`.
    InternalError,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::OperationNotFound,
        Self::OperationTooLarge,
        Self::OperationTooDeep,
        Self::OperationTooComplex,
        Self::BatchTooLarge,
        Self::VariableInvalid,
        Self::IntrospectionDisabled,
        Self::SubscriptionNeedsStream,
        Self::SubgraphTimeout,
        Self::SubgraphUnavailable,
        Self::SubgraphAnswerTooLarge,
        Self::OperationTimeout,
        Self::TooManyQueries,
        Self::TooManyWatchers,
        Self::ValueMissing,
        Self::InternalError,
    ];

    /// The code as it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "graphql_parse_failed",
            Self::GraphqlValidationFailed => "graphql_validation_failed",
            Self::OperationNotFound => "operation_not_found",
            Self::OperationTooLarge => "operation_too_large",
            Self::OperationTooDeep => "operation_too_deep",
            Self::OperationTooComplex => "operation_too_complex",
            Self::BatchTooLarge => "batch_too_large",
            Self::VariableInvalid => "variable_invalid",
            Self::IntrospectionDisabled => "introspection_disabled",
            Self::SubscriptionNeedsStream => "subscription_needs_stream",
            Self::SubgraphTimeout => "subgraph_timeout",
            Self::SubgraphUnavailable => "subgraph_unavailable",
            Self::SubgraphAnswerTooLarge => "subgraph_answer_too_large",
            Self::OperationTimeout => "operation_timeout",
            Self::TooManyQueries => "too_many_queries",
            Self::TooManyWatchers => "too_many_watchers",
            Self::ValueMissing => "value_missing",
            Self::InternalError => "internal_error",
        }
    }

    /// An error of this code.
    pub(crate) fn error(self, message: impl Into<String>) -> ServerError {
        let mut error = ServerError::new(message, None);
        extend(&mut error, "code", self.as_str());
        error
    }

    /// An error of this code at places of the document.
    pub(crate) fn at(self, message: impl Into<String>, locations: Vec<Pos>) -> ServerError {
        ServerError { locations, ..self.error(message) }
    }

    /// Whether an error has this code.
    pub(crate) fn is_of(self, error: &ServerError) -> bool {
        code_of(error) == Some(self.as_str())
    }
}

/// The error of a subgraph that could not be reached, for ports that are written elsewhere.
pub fn unavailable(message: impl Into<String>) -> ServerError {
    Code::SubgraphUnavailable.error(message)
}

fn extend(error: &mut ServerError, key: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(key, value);
}

fn code_of(error: &ServerError) -> Option<&str> {
    name_in(error.extensions.as_ref()?.get("code")?)
}

/// Whether an error says that something behind its subgraph cannot answer now, in
/// `extensions.kind`: asking again in parts would be asking whatever is down many times.
pub(crate) fn is_of_an_outage(error: &ServerError) -> bool {
    let kind = error.extensions.as_ref().and_then(|extensions| extensions.get("kind"));
    kind.and_then(name_in) == Some("UNAVAILABLE")
}

/// Hides what was not meant for the caller.
#[derive(Clone)]
pub(crate) struct Mask {
    ids: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Debug for Mask {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mask").finish_non_exhaustive()
    }
}

impl Mask {
    /// Masks with ids from a source.
    pub(crate) fn new(ids: Arc<dyn Fn() -> String + Send + Sync>) -> Self {
        Self { ids }
    }

    /// The error as the caller may see it. Places in a subgraph's document mean nothing outside.
    pub(crate) fn of_subgraph(&self, subgraph: &str, mut error: ServerError) -> ServerError {
        error.locations.clear();
        if code_of(&error).is_some() {
            return error;
        }
        let mut masked = self.internal(&format!("subgraph {subgraph}"), &error.message);
        masked.path = error.path;
        masked
    }

    /// The error of a failure of our own.
    pub(crate) fn internal(&self, place: &str, reason: &str) -> ServerError {
        let id = (self.ids)();
        error!(id, place, reason, "an operation of the joined graph failed");
        let mut masked = Code::InternalError.error("internal error");
        extend(&mut masked, "id", id);
        masked
    }
}

/// Whether one path lies at or under the other, either way round.
pub(crate) fn touches(one: &[PathSegment], other: &[PathSegment]) -> bool {
    one.iter().zip(other).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn mask() -> Mask {
        Mask::new(Arc::new(|| "id-1".to_owned()))
    }

    #[test]
    fn an_error_without_a_code_is_answered_as_an_id_and_nothing_else() {
        let mut error = ServerError::new("relation \"secret\" is gone", None);
        error.path = vec![PathSegment::Field("me".to_owned())];
        let masked = mask().of_subgraph("people", error);
        assert_eq!(masked.message, "internal error");
        assert!(Code::InternalError.is_of(&masked));
        assert_eq!(masked.extensions.unwrap().get("id"), Some(&Value::from("id-1")));
        assert_eq!(masked.path, [PathSegment::Field("me".to_owned())]);
    }

    #[test]
    fn an_error_with_a_code_passes_but_for_its_places() {
        let mut error =
            ServerError::new("The account is closed.", Some(Pos { line: 1, column: 9 }));
        extend(&mut error, "code", "account_closed");
        extend(&mut error, "field", "account");
        let passed = mask().of_subgraph("people", error.clone());
        assert_eq!(passed, ServerError { locations: vec![], ..error });
    }

    #[test]
    fn codes_are_distinct_and_in_snake_case() {
        let codes: BTreeSet<&str> = Code::ALL.into_iter().map(Code::as_str).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        let is_snake = |code: &&str| code.bytes().all(|sign| matches!(sign, b'a'..=b'z' | b'_'));
        assert!(codes.iter().all(is_snake));
    }
}
