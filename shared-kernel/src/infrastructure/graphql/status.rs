//! Refusals as GraphQL errors: the codes are those of gRPC.

use async_graphql::{Context, Error, ErrorExtensions};

use crate::application::ApplicationError;
use crate::domain::{Kind, Violation};

/// The word of a kind of refusal, in `extensions.kind`: that of the gRPC status.
pub(super) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "INVALID_ARGUMENT",
        Kind::NotFound => "NOT_FOUND",
        Kind::AlreadyExists => "ALREADY_EXISTS",
        Kind::FailedPrecondition => "FAILED_PRECONDITION",
        Kind::PermissionDenied => "PERMISSION_DENIED",
        Kind::Unauthenticated => "UNAUTHENTICATED",
        Kind::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Kind::Aborted => "ABORTED",
        Kind::Unavailable => "UNAVAILABLE",
        Kind::Internal => "INTERNAL",
    }
}

/// `payee_key` is written `payeeKey` in the graph, and `amount_centavos` is `amount`: money is a
/// scalar of its own there.
fn camel_case(field: &str) -> String {
    let mut words = field.trim_end_matches("_centavos").split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// The error of a broken rule: its sentence, and `extensions` with its stable `code`, its `kind`
/// and, where one caused it, the `field` as the graph writes it.
pub fn violation_error(broken: &Violation) -> Error {
    Error::new(broken.message()).extend_with(|_, extensions| {
        extensions.set("code", broken.code());
        extensions.set("kind", word(broken.kind()));
        if !broken.field().is_empty() {
            extensions.set("field", camel_case(broken.field()));
        }
    })
}

/// The error of a failed use case. Causes inside the hub go to its log, not to the client.
pub fn refused(error: impl Into<ApplicationError>) -> Error {
    match error.into() {
        ApplicationError::Refused(broken) => violation_error(&broken),
        ApplicationError::Unavailable(cause) => {
            tracing::warn!(cause, "a request could not be served");
            violation_error(&Violation::unavailable(
                "temporarily_unavailable",
                "",
                "the hub cannot answer right now; repeat the command with the same key".to_owned(),
            ))
        }
    }
}

/// What an entity is. One that cannot be read is null by itself, with the reason beside it: an
/// error would take every other entity of the question along.
pub fn entity<T>(context: &Context<'_>, found: async_graphql::Result<Option<T>>) -> Option<T> {
    found.unwrap_or_else(|error| {
        let error = error.into_server_error(context.item.pos);
        context.add_error(context.set_error_path(error));
        None
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;

    use super::*;

    fn extension(error: &Error, name: &str) -> Option<Value> {
        error.extensions.as_ref().and_then(|extensions| extensions.get(name).cloned())
    }

    #[test]
    fn a_refusal_keeps_its_code_and_names_the_field_as_the_graph_does() {
        let error = refused(Violation::invalid("name_empty", "owner_tax_id", "write a name"));
        assert_eq!(error.message, "write a name");
        assert_eq!(extension(&error, "code"), Some("name_empty".into()));
        assert_eq!(extension(&error, "kind"), Some("INVALID_ARGUMENT".into()));
        assert_eq!(extension(&error, "field"), Some("ownerTaxId".into()));
        let error = refused(Violation::invalid("limit_negative", "limit_per_day_centavos", "no"));
        assert_eq!(extension(&error, "field"), Some("limitPerDay".into()));
    }

    #[test]
    fn a_cause_inside_the_hub_is_not_told() {
        let error = refused(ApplicationError::Unavailable("password of the database".into()));
        assert!(!error.message.contains("password"));
        assert_eq!(extension(&error, "code"), Some("temporarily_unavailable".into()));
        assert_eq!(extension(&error, "field"), None);
    }
}
