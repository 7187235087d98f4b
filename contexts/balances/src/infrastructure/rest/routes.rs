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
        let Balances { await_balance, get_balances, .. } = &*self.facade;
        let waited = await_balance.execute(get_balances, caller, account, version).await;
        waited.map_err(|error| match &error {
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use serde_json::Value;
    use shared_kernel::testing::FixedClock;
    use tower::ServiceExt as _;

    use super::*;
    use crate::application::ports::{MockBalancesReads, MockCommits};

    async fn refused(method: &str, path: &str) -> (u16, String) {
        let reads = Arc::new(MockBalancesReads::new());
        let clock = Arc::new(FixedClock::default());
        let facade = Balances::new(reads, Arc::new(MockCommits::new()), clock);
        let routes = routes(Arc::new(facade), Arc::new(Callers::default()));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = routes.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
        let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        (status, body["code"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn what_the_framework_refuses_is_a_problem_too() {
        for path in ["/balances/%FF", "/balances/%FF/statement", "/balances/one"] {
            assert_eq!(refused("GET", path).await, (400, "account_id_shape".into()), "{path}");
        }
        let method = refused("DELETE", "/balances/one").await;
        assert_eq!(method, (405, "method_not_allowed".into()));
        assert_eq!(refused("GET", "/nowhere").await, (404, "route_unknown".into()));
    }
}
