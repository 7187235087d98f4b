//! The service: requests into orders, refusals into statuses.

use std::future::Future;
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller, Ids, TraceParent};
use shared_kernel::domain::{AccountId, Violation};
use shared_kernel::infrastructure::grpc::{Callers, request_context, status};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::convert::find_key;
use super::proto;
use super::proto::pix_keys_service_server::{PixKeysService, PixKeysServiceServer};
use crate::application::query::FindAccount;
use crate::application::{PixKeys, ShownAccount};
use crate::infrastructure::naming::named;

/// What the directory serves.
#[derive(Clone)]
pub struct PixKeysServices {
    pix_keys: PixKeys,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
}

impl std::fmt::Debug for PixKeysServices {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PixKeysServices").finish_non_exhaustive()
    }
}

impl PixKeysServices {
    /// The services over these use cases.
    pub fn new(pix_keys: PixKeys, callers: Arc<Callers>, ids: Arc<dyn Ids>) -> Self {
        Self { pix_keys, callers, ids }
    }

    /// Adds them to a server.
    pub fn add_to(self, routes: &mut RoutesBuilder) {
        routes.add_service(PixKeysServiceServer::new(self));
    }

    /// Who asks and in which trace, before anything else is looked at.
    fn context<T>(&self, request: &Request<T>) -> Result<(Caller, TraceParent), Status> {
        request_context(request, &self.callers, self.ids.as_ref()).map_err(refused)
    }
}

fn refused(broken: Violation) -> Status {
    status(&named(broken).into())
}

fn failed(error: ApplicationError) -> Status {
    match error {
        ApplicationError::Refused(broken) => refused(broken),
        unavailable @ ApplicationError::Unavailable(_) => status(&unavailable),
    }
}

/// Runs a call in a span of its trace and turns its failure into a status.
async fn answer<A, R: From<A>>(
    operation: &'static str,
    trace: &TraceParent,
    call: impl Future<Output = Result<A, ApplicationError>> + Send,
) -> Result<Response<R>, Status> {
    let span = tracing::info_span!("pix_keys", operation, %trace);
    let outcome = call.instrument(span).await;
    outcome.map(|answer| Response::new(answer.into())).map_err(failed)
}

#[tonic::async_trait]
impl PixKeysService for PixKeysServices {
    async fn register_key(
        &self,
        request: Request<proto::RegisterKeyRequest>,
    ) -> Result<Response<proto::RegisterKeyResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        let order = request.into_inner().try_into().map_err(refused)?;
        let call = self.pix_keys.desk.register_key(&caller, trace.clone(), order);
        answer("register_key", &trace, call).await
    }

    async fn find_key(
        &self,
        request: Request<proto::FindKeyRequest>,
    ) -> Result<Response<proto::FindKeyResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        let lookup = find_key(&caller, request.get_ref()).map_err(refused)?;
        answer("find_key", &trace, self.pix_keys.find_key.submit(lookup)).await
    }

    async fn list_keys(
        &self,
        request: Request<proto::ListKeysRequest>,
    ) -> Result<Response<proto::ListKeysResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        let account_id = AccountId::parse(&request.get_ref().account_id).map_err(refused)?;
        let call = async {
            let listed = self.pix_keys.list_keys.execute(&[(caller, account_id)]).await?.pop();
            Ok(listed.transpose()?.unwrap_or_default())
        };
        answer("list_keys", &trace, call).await
    }

    async fn remove_key(
        &self,
        request: Request<proto::RemoveKeyRequest>,
    ) -> Result<Response<proto::RemoveKeyResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        let order = request.into_inner().try_into().map_err(refused)?;
        let call = self.pix_keys.desk.remove_key(&caller, trace.clone(), order);
        answer("remove_key", &trace, call).await
    }

    async fn find_account(
        &self,
        request: Request<proto::FindAccountRequest>,
    ) -> Result<Response<proto::FindAccountResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        let lookup = FindAccount::try_from(request.into_inner()).map_err(refused)?;
        let shown = async {
            let account = self.pix_keys.find_account.submit(lookup).await?;
            Ok(ShownAccount::to(&caller, account))
        };
        answer("find_account", &trace, shown).await
    }

    async fn enrol_account(
        &self,
        request: Request<proto::EnrolAccountRequest>,
    ) -> Result<Response<proto::EnrolAccountResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        caller.must_be_operator().map_err(refused)?;
        let order = request.into_inner().try_into().map_err(refused)?;
        answer("enrol_account", &trace, self.pix_keys.desk.enrol_account(&caller, order)).await
    }
}
