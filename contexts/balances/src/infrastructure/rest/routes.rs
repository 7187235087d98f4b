//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::rest::Problem;

use super::{balances, docs, statement};
use crate::application::Balances;
use crate::domain::AccountVersion;

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

    /// Waits for a version of an account. A projection that is behind is not one that is down.
    pub(super) async fn reached(
        &self,
        caller: Caller,
        account: AccountId,
        version: AccountVersion,
    ) -> Result<(), Problem> {
        let waited = self.facade.await_balance.execute(caller, account, version).await;
        waited.map(drop).map_err(|error| match &error {
            ApplicationError::Refused(broken) if broken.code() == "balance_behind" => {
                Problem::from(error).with_status(StatusCode::GATEWAY_TIMEOUT)
            }
            ApplicationError::Refused(_) | ApplicationError::Unavailable(_) => error.into(),
        })
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
