//! The one form of a broken rule, in every layer and every context.
//!
//! A caller's program decides by the code, a caller's screen marks the field, a person reads the
//! sentence. Sentences never repeat personal data: they end up in logs.

/// What sort of refusal it is. A transport maps it to its own codes (gRPC has one for each).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is wrong, whatever the state of the system.
    #[default]
    Invalid,
    /// What the input names does not exist.
    NotFound,
    /// What the input would create exists.
    AlreadyExists,
    /// The input is right, the state of the system forbids it.
    FailedPrecondition,
    /// The caller is known and may not do it.
    PermissionDenied,
    /// The caller is not known.
    Unauthenticated,
    /// A limit or a quota is used up.
    ResourceExhausted,
    /// A conflict with a concurrent change: read again, then try again.
    Aborted,
    /// Something that this needs is down: try the same again later.
    Unavailable,
    /// The hub itself is at fault, and trying the same again does not help.
    Internal,
}

/// A rule that was broken: stable code, guilty field, one helpful sentence.
///
/// ```
/// use shared_kernel::domain::{Kind, Violation};
///
/// let broken = Violation::invalid("name_empty", "name", "write the name of the owner");
/// assert_eq!((broken.code(), broken.field()), ("name_empty", "name"));
/// assert_eq!((broken.kind(), broken.to_string().as_str()), (Kind::Invalid, broken.message()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    kind: Kind,
    code: &'static str,
    field: &'static str,
    message: String,
}

impl Violation {
    /// A broken rule: `code` in `snake_case` and for ever the same, the `field` that caused it
    /// in `snake_case`, and a sentence that says what would be right.
    pub fn new(
        kind: Kind,
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, code, field, message: message.into() }
    }

    /// The input is wrong: [`Kind::Invalid`].
    pub fn invalid(code: &'static str, field: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, code, field, message)
    }

    /// Nothing there: [`Kind::NotFound`].
    pub fn not_found(code: &'static str, field: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, code, field, message)
    }

    /// It is there already: [`Kind::AlreadyExists`].
    pub fn already_exists(
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Kind::AlreadyExists, code, field, message)
    }

    /// Not in this state: [`Kind::FailedPrecondition`].
    pub fn failed_precondition(
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Kind::FailedPrecondition, code, field, message)
    }

    /// Not by this caller: [`Kind::PermissionDenied`].
    pub fn permission_denied(
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Kind::PermissionDenied, code, field, message)
    }

    /// By whom?: [`Kind::Unauthenticated`].
    pub fn unauthenticated(
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Kind::Unauthenticated, code, field, message)
    }

    /// Too much: [`Kind::ResourceExhausted`].
    pub fn resource_exhausted(
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Kind::ResourceExhausted, code, field, message)
    }

    /// Someone else was first: [`Kind::Aborted`].
    pub fn aborted(code: &'static str, field: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Aborted, code, field, message)
    }

    /// Not now: [`Kind::Unavailable`].
    pub fn unavailable(
        code: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Kind::Unavailable, code, field, message)
    }

    /// Our fault: [`Kind::Internal`].
    pub fn internal(code: &'static str, field: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, code, field, message)
    }

    /// The same rule, broken by the input's field `field`, e.g. `payer_tax_id` for a `tax_id`.
    #[must_use]
    pub fn on(self, field: &'static str) -> Self {
        Self { field, ..self }
    }

    /// What sort of refusal it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable code, e.g. `cpf_check_digit`.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The field that caused it, e.g. `tax_id`.
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The sentence, as [`Display`](std::fmt::Display) prints it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Constructor = fn(&'static str, &'static str, &'static str) -> Violation;

    #[test]
    fn each_constructor_gives_its_kind() {
        let constructors: [(Constructor, Kind); 10] = [
            (Violation::invalid, Kind::Invalid),
            (Violation::not_found, Kind::NotFound),
            (Violation::already_exists, Kind::AlreadyExists),
            (Violation::failed_precondition, Kind::FailedPrecondition),
            (Violation::permission_denied, Kind::PermissionDenied),
            (Violation::unauthenticated, Kind::Unauthenticated),
            (Violation::resource_exhausted, Kind::ResourceExhausted),
            (Violation::aborted, Kind::Aborted),
            (Violation::unavailable, Kind::Unavailable),
            (Violation::internal, Kind::Internal),
        ];
        for (constructor, kind) in constructors {
            let broken = constructor("code", "field", "sentence");
            assert_eq!(broken.kind(), kind);
            assert_eq!((broken.code(), broken.field()), ("code", "field"));
            assert_eq!(broken.to_string(), "sentence");
        }
        assert_eq!(Kind::default(), Kind::Invalid);
    }

    #[test]
    fn a_field_is_renamed_and_nothing_else() {
        let broken = Violation::not_found("account_unknown", "account", "no such account");
        let moved = broken.clone().on("payee_account");
        assert_eq!(moved.field(), "payee_account");
        assert_eq!(moved.on("account"), broken);
    }
}
