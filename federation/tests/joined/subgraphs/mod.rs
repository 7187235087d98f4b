//! Four small subgraphs of a shop, with everything that makes joining hard. None knows another: an
//! entity of another appears as its key alone.

pub(crate) mod catalog;
pub(crate) mod people;
pub(crate) mod reviews;
pub(crate) mod stock;

use async_graphql::{Error, ErrorExtensions};

/// Who asks: request data that must reach every sub-request.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) String);

/// A refusal that is meant for the caller.
pub(crate) fn refused(code: &str, sentence: &str) -> Error {
    Error::new(sentence).extend_with(|_, extensions| extensions.set("code", code))
}

/// The error of a store that cannot be reached now.
pub(crate) fn away() -> Error {
    refused("temporarily_unavailable", "Ask again shortly.")
        .extend_with(|_, extensions| extensions.set("kind", "UNAVAILABLE"))
}
