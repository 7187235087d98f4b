//! Who calls: tokens when they are configured, everyone on loopback when not.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use tonic::Request;
use tonic::metadata::MetadataMap;

use crate::application::{Caller, Ids, TraceParent};
use crate::domain::{Ispb, Violation};

/// A configured token and whom it stands for. Only its digest is kept.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
    caller: Caller,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Token").field("caller", &self.caller).finish_non_exhaustive()
    }
}

/// The tokens of a process; with none, every caller is the operator (loopback or `--insecure`).
#[derive(Clone, Debug, Default)]
pub struct Callers(Vec<Token>);

impl Callers {
    /// Reads `CODEPIX_TOKENS`: `operator=<token>,<ispb>=<token>,…`.
    ///
    /// # Errors
    /// `tokens_shape` or the ISPB's own refusal, without ever quoting a token.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let shape = || {
            Violation::invalid(
                "tokens_shape",
                "CODEPIX_TOKENS",
                "tokens are written operator=<token>,<ispb>=<token>, each of 16 characters or more"
                    .to_owned(),
            )
        };
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let tokens = entries.map(|entry| {
            let (name, token) = entry.split_once('=').ok_or_else(shape)?;
            if token.len() < 16 {
                return Err(shape());
            }
            let caller = match name {
                "operator" => Caller::Operator,
                ispb => Caller::Bank(Ispb::parse(ispb)?),
            };
            Ok(Token { digest: Sha256::digest(token.as_bytes()).into(), caller })
        });
        tokens.collect::<Result<_, _>>().map(Self)
    }

    /// The same callers and one more: for calls that the process makes to itself.
    #[must_use]
    pub fn and(mut self, token: &str, caller: Caller) -> Self {
        self.0.push(Token { digest: Sha256::digest(token.as_bytes()).into(), caller });
        self
    }

    /// True when no token is configured.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// The caller of a bearer token.
    ///
    /// # Errors
    /// `token_missing` or `token_unknown` (unauthenticated).
    pub fn identify(&self, authorization: Option<&str>) -> Result<Caller, Violation> {
        if self.is_open() {
            return Ok(Caller::Operator);
        }
        let token = authorization
            .and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")))
            .ok_or_else(|| {
                Violation::unauthenticated(
                    "token_missing",
                    "authorization",
                    "send the metadata authorization: Bearer <token>".to_owned(),
                )
            })?;
        let digest: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
        self.0
            .iter()
            .find(|known| bool::from(known.digest.ct_eq(&digest)))
            .map(|known| known.caller)
            .ok_or_else(|| {
                Violation::unauthenticated(
                    "token_unknown",
                    "authorization",
                    "this token is not configured".to_owned(),
                )
            })
    }

    /// The caller of a request's metadata.
    ///
    /// # Errors
    /// As [`Self::identify`].
    pub fn of(&self, metadata: &MetadataMap) -> Result<Caller, Violation> {
        self.identify(metadata.get("authorization").and_then(|value| value.to_str().ok()))
    }
}

/// Caller and trace of a request; a request without a trace begins one.
///
/// # Errors
/// As [`Callers::identify`].
pub fn request_context<T>(
    request: &Request<T>,
    callers: &Callers,
    ids: &dyn Ids,
) -> Result<(Caller, TraceParent), Violation> {
    let metadata = request.metadata();
    let trace = metadata
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .and_then(TraceParent::parse)
        .unwrap_or_else(|| TraceParent::begin(ids));
    Ok((callers.of(metadata)?, trace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tokens_everyone_is_the_operator() {
        assert_eq!(Callers::default().identify(None).unwrap(), Caller::Operator);
    }

    #[test]
    fn a_token_names_its_bank_and_nobody_else() {
        let callers =
            Callers::parse("operator=0123456789abcdef,00000001=fedcba9876543210").unwrap();
        let bank = Caller::Bank(Ispb::parse("00000001").unwrap());
        assert_eq!(callers.identify(Some("Bearer fedcba9876543210")).unwrap(), bank);
        assert_eq!(callers.identify(Some("Bearer nobody")).unwrap_err().code(), "token_unknown");
        assert_eq!(callers.identify(None).unwrap_err().code(), "token_missing");
    }

    #[test]
    fn malformed_tokens_are_refused_without_being_quoted() {
        for text in ["operator", "operator=short", "1=0123456789abcdef"] {
            let refusal = Callers::parse(text).unwrap_err();
            assert!(!refusal.message().contains("0123456789abcdef"), "{refusal}");
        }
    }
}
