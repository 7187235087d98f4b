//! A service's own description, as a document and as a page. The page's assets come from here.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_swagger_ui::Config;

use super::Problem;

/// Where the document lies.
const DOCUMENT: &str = "/openapi.json";

/// The same document, whose operations ask for a bearer token by the name `token`.
#[must_use]
pub fn with_bearer(mut document: OpenApi) -> OpenApi {
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert("token".to_owned(), token.into());
    document
}

/// The document at `/openapi.json`, the page at `/docs/`.
pub fn described(document: OpenApi) -> Router {
    let document = Arc::new(document);
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
