//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use shared_kernel::application::Caller;
use shared_kernel::infrastructure::grpc::Callers;

use super::problem::Problem;
use super::{balances, docs, statement};
use crate::application::Balances;

/// What every route needs.
#[derive(Clone)]
pub(super) struct Rest {
    pub(super) facade: Arc<Balances>,
    callers: Arc<Callers>,
}

impl Rest {
    /// Who asks.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Ok(self.callers.identify(token)?)
    }
}

/// The service, ready to be put on a listener.
pub fn routes(facade: Arc<Balances>, callers: Arc<Callers>) -> Router {
    Router::new()
        .route("/balances", get(balances::list_balances))
        .route("/balances/{account_id}", get(balances::get_balance))
        .route("/balances/{account_id}/statement", get(statement::get_statement))
        .with_state(Rest { facade, callers })
        .merge(docs::routes())
        .fallback(async || {
            let detail = "there is nothing here; /docs shows what there is";
            Problem::of_routing(StatusCode::NOT_FOUND, "route_unknown", detail)
        })
        .method_not_allowed_fallback(async || {
            let detail = "this can only be read: GET or HEAD";
            Problem::of_routing(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
}
