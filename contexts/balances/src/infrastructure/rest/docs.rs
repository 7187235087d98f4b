//! The service's own description.

use axum::Router;
use shared_kernel::infrastructure::rest::{described, with_bearer};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::{balances, statement};

#[derive(OpenApi)]
#[openapi(
    paths(balances::get_balance, balances::list_balances, statement::get_statement),
    info(
        title = "CodePix balances",
        description = "What every account has and had, and what moved its money: the read side, \
            rebuilt from the banks' events alone and a moment behind them.",
    ),
    security((), ("token" = [])),
)]
struct Description;

/// The document.
pub fn openapi() -> Document {
    with_bearer(Description::openapi())
}

/// The document at `/openapi.json`, the page at `/docs/`.
pub(super) fn routes() -> Router {
    described(openapi())
}
