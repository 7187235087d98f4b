//! The API's own description.

use shared_kernel::infrastructure::rest::with_bearer;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::routes;

#[derive(OpenApi)]
#[openapi(
    paths(routes::create_client, routes::create_account, routes::create_transaction),
    security((), ("token" = [])),
)]
struct Description;

/// The document.
pub fn openapi() -> Document {
    with_bearer(Description::openapi())
}
