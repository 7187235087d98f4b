//! What is served over HTTP on the public port, as one document and one page.

use axum::Router;
use shared_kernel::infrastructure::rest::described;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::http;

#[derive(OpenApi)]
#[openapi(
    paths(http::live, http::ready),
    info(
        title = "CodePix",
        description = "The hub over HTTP: its health, and Wallet Core's API as a bank of the hub \
            speaks it. What every account has is on a port of its own.",
    )
)]
struct Description;

/// The document; with the API of Wallet Core, where it is spoken.
pub fn openapi(wallet_core: bool) -> Document {
    let mut document = Description::openapi();
    if wallet_core {
        document.merge(banking::infrastructure::wallet_core::openapi());
    }
    document
}

/// The document at `/openapi.json`, the page at `/docs/`.
pub(crate) fn routes(wallet_core: bool) -> Router {
    described(openapi(wallet_core))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_what_is_served() {
        let paths = |wallet_core| openapi(wallet_core).paths.paths.into_keys().collect::<Vec<_>>();
        let health = ["/health/live", "/health/ready"];
        assert_eq!(paths(false), health);
        let all = paths(true);
        for path in health.into_iter().chain(["/accounts", "/clients", "/transactions"]) {
            assert!(all.iter().any(|it| it == path), "{path} is not in {all:?}");
        }
    }
}
