//! The service: who asks, what is meant, what is answered.

use std::sync::Arc;

use shared_kernel::application::{Caller, Ids, Page, PageSize, Place};
use shared_kernel::domain::{AccountId, Ispb, Violation};
use shared_kernel::infrastructure::grpc::status::violation_status;
use shared_kernel::infrastructure::grpc::{Callers, request_context, status};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use super::{convert, proto};
use crate::application::Balances;
use crate::application::query::{BalanceList, BalancePlace};
use proto::balances_service_server::{BalancesService, BalancesServiceServer};

/// The gRPC services of this context.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct BalancesServices {
    facade: Arc<Balances>,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
}

impl BalancesServices {
    /// Services over these use cases.
    pub fn new(facade: Arc<Balances>, callers: Arc<Callers>, ids: Arc<dyn Ids>) -> Self {
        Self { facade, callers, ids }
    }

    /// Adds them to a server.
    pub fn add_to(self, routes: &mut RoutesBuilder) {
        routes.add_service(BalancesServiceServer::new(self));
    }

    fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let context = request_context(request, &self.callers, self.ids.as_ref());
        context.map(|(caller, _trace)| caller).map_err(|broken| violation_status(&broken))
    }
}

fn read<T>(value: Result<T, Violation>) -> Result<T, Status> {
    value.map_err(|broken| violation_status(&broken))
}

#[tonic::async_trait]
impl BalancesService for BalancesServices {
    async fn get_balance(
        &self,
        request: Request<proto::GetBalanceRequest>,
    ) -> Result<Response<proto::GetBalanceResponse>, Status> {
        let caller = self.caller(&request)?;
        let account = read(AccountId::parse(&request.get_ref().account_id))?;
        let answers = self.facade.get_balances.execute(caller, &[account]).await;
        let answer = answers.map_err(|error| status(&error))?.into_iter().next();
        let balance = read(answer.transpose())?.as_ref().map(convert::balance);
        Ok(Response::new(proto::GetBalanceResponse { balance }))
    }

    async fn list_balances(
        &self,
        request: Request<proto::ListBalancesRequest>,
    ) -> Result<Response<proto::ListBalancesResponse>, Status> {
        let caller = self.caller(&request)?;
        let proto::ListBalancesRequest { ispb, page_size, page_token } = request.get_ref();
        let ispb = read(Ispb::parse(ispb))?;
        let size = read(PageSize::asked((*page_size).into()))?;
        let after = read(BalancePlace::of_token(page_token))?;
        let list = BalanceList { caller, ispb, after, size };
        let answers = self.facade.list_balances.execute(&[list]).await;
        let answer = answers.map_err(|error| status(&error))?.pop();
        let page = read(answer.transpose())?.unwrap_or(Page { rows: Vec::new(), more: false });
        let next = page.next(|balance| BalancePlace(balance.account_id()));
        Ok(Response::new(proto::ListBalancesResponse {
            balances: page.rows.iter().map(convert::balance).collect(),
            next_page_token: next.map(|place| place.token()).unwrap_or_default(),
        }))
    }
}
