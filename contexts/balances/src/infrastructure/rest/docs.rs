//! The service's own description, as a document and as a page. The page's assets come from here.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_swagger_ui::Config;

use super::problem::Problem;
use super::{balances, statement};

/// Where the document lies.
const DOCUMENT: &str = "/openapi.json";

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
    let mut document = Description::openapi();
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert("token".to_owned(), token.into());
    document
}

/// The document at `/openapi.json`, the page at `/docs/`.
pub(super) fn routes() -> Router {
    let document = Arc::new(openapi());
    Router::new()
        .route(DOCUMENT, get(async move || Json(Arc::clone(&document))))
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/", get(async || page("")))
        .route("/docs/{*asset}", get(async |Path(asset): Path<String>| page(&asset)))
}

/// A file of the page.
fn page(asset: &str) -> Response {
    match utoipa_swagger_ui::serve(asset, Arc::new(Config::from(DOCUMENT))) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        Ok(None) => {
            let detail = "the page of the documentation has no such part";
            Problem::of_routing(StatusCode::NOT_FOUND, "route_unknown", detail).into_response()
        }
        Err(error) => {
            tracing::error!(error, "the page of the documentation cannot be served");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
