//! The service: reads requests, asks the use cases, writes answers. Refusals carry error details.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use shared_kernel::application::{ApplicationError, Caller, Ids, Page, Place, TraceParent};
use shared_kernel::domain::EndToEndId;
use shared_kernel::infrastructure::grpc::status::violation_status;
use shared_kernel::infrastructure::grpc::{Callers, request_context, status};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use super::convert;
use super::proto::v1;
use super::proto::v1::transfers_service_server::{TransfersService, TransfersServiceServer};
use crate::application::ports::TransferPlace;
use crate::application::{AcknowledgeCredit, ParticipantList, TransferName, Transfers};
use crate::domain::Transfer;

/// The hub's gRPC service.
#[derive(Clone)]
pub struct TransfersServices {
    facade: Arc<Transfers>,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
}

impl std::fmt::Debug for TransfersServices {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TransfersServices").finish_non_exhaustive()
    }
}

impl TransfersServices {
    /// The service over the hub's use cases.
    pub fn new(facade: Arc<Transfers>, callers: Arc<Callers>, ids: Arc<dyn Ids>) -> Self {
        Self { facade, callers, ids }
    }

    /// Adds it to a server.
    pub fn add_to(self, routes: &mut RoutesBuilder) {
        routes.add_service(TransfersServiceServer::new(self));
    }

    fn context<T>(&self, request: &Request<T>) -> Result<(Caller, TraceParent), Status> {
        request_context(request, &self.callers, &*self.ids)
            .map_err(|broken| violation_status(&broken))
    }

    /// The transfer that is named by its own id or by that of its order.
    async fn id(&self, caller: Caller, id: &str, order_id: &str) -> Result<EndToEndId, Status> {
        let name = TransferName::parse(id, order_id).map_err(|broken| violation_status(&broken))?;
        let found = self.facade.find_transfer.execute(caller, name).await;
        found.map_err(|error| status(&error))
    }

    /// A transfer, with what operators decided of it.
    async fn resolved(
        &self,
        caller: Caller,
        id: &EndToEndId,
    ) -> Result<(v1::Transfer, Option<v1::OperatorResolution>), Status> {
        let found = self.facade.get_transfer.execute(caller, id).await;
        let transfer = found.map_err(|error| status(&error))?;
        let resolved = self.facade.get_resolution.execute(caller, id).await;
        let resolved = resolved.map_err(|error| status(&error))?;
        let resolution = resolved.map(|saved| convert::resolved(saved, &transfer));
        Ok((convert::transfer(&transfer), resolution))
    }
}

fn failed(error: ApplicationError) -> Status {
    match error {
        ApplicationError::Refused(broken) => violation_status(&convert::named(broken)),
        unavailable @ ApplicationError::Unavailable(_) => status(&unavailable),
    }
}

/// What a watcher gets.
type Watched = Pin<Box<dyn Stream<Item = Result<v1::WatchTransferResponse, Status>> + Send>>;

#[tonic::async_trait]
impl TransfersService for TransfersServices {
    type WatchTransferStream = Watched;

    async fn get_transfer(
        &self,
        request: Request<v1::GetTransferRequest>,
    ) -> Result<Response<v1::GetTransferResponse>, Status> {
        let (caller, _) = self.context(&request)?;
        let v1::GetTransferRequest { end_to_end_id, order_id } = request.get_ref();
        let id = self.id(caller, end_to_end_id, order_id).await?;
        let (transfer, resolution) = self.resolved(caller, &id).await?;
        Ok(Response::new(v1::GetTransferResponse { transfer: Some(transfer), resolution }))
    }

    async fn list_transfers(
        &self,
        request: Request<v1::ListTransfersRequest>,
    ) -> Result<Response<v1::ListTransfersResponse>, Status> {
        let (caller, _) = self.context(&request)?;
        let asked = convert::list(request.get_ref(), caller);
        let asked = asked.map_err(|broken| violation_status(&broken))?;
        let listed = self.facade.list_transfers.execute(&[asked]).await;
        let listed = listed.map_err(|error| status(&error))?.pop();
        let page = listed.transpose().map_err(|broken| violation_status(&broken))?;
        let page = page.unwrap_or(Page { rows: Vec::new(), more: false });
        let next = page.next(|last: &Transfer| TransferPlace::from(last));
        Ok(Response::new(v1::ListTransfersResponse {
            transfers: page.rows.iter().map(convert::transfer).collect(),
            next_page_token: next.as_ref().map(Place::token).unwrap_or_default(),
        }))
    }

    async fn watch_transfer(
        &self,
        request: Request<v1::WatchTransferRequest>,
    ) -> Result<Response<Watched>, Status> {
        let (caller, _) = self.context(&request)?;
        let id = convert::id(&request.get_ref().end_to_end_id)
            .map_err(|broken| violation_status(&broken))?;
        let seen = self.facade.watch_transfer.execute(caller, id);
        let answers = seen.map(|seen| match seen {
            Ok(transfer) => {
                let transfer = Some(convert::transfer(&transfer));
                Ok(v1::WatchTransferResponse { transfer })
            }
            Err(error) => Err(status(&error)),
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn resolve_transfer(
        &self,
        request: Request<v1::ResolveTransferRequest>,
    ) -> Result<Response<v1::ResolveTransferResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        // Who may not do it learns that first, whatever the content.
        caller.must_be_operator().map_err(|broken| violation_status(&broken))?;
        let asked = request.get_ref();
        let id = self.id(caller, &asked.end_to_end_id, &asked.order_id).await?;
        let command = convert::resolution(asked, id, caller, trace);
        let command = command.map_err(|broken| violation_status(&broken))?;
        self.facade.resolve_transfer.submit(command).await.map_err(failed)?;
        let found = self.facade.get_transfer.execute(caller, &id).await;
        let transfer = found.map_err(|error| status(&error))?;
        let transfer = Some(convert::transfer(&transfer));
        Ok(Response::new(v1::ResolveTransferResponse { transfer }))
    }

    async fn acknowledge_credit(
        &self,
        request: Request<v1::AcknowledgeCreditRequest>,
    ) -> Result<Response<v1::AcknowledgeCreditResponse>, Status> {
        let (caller, _) = self.context(&request)?;
        caller.must_be_operator().map_err(|broken| violation_status(&broken))?;
        let v1::AcknowledgeCreditRequest { end_to_end_id, order_id, reason } = request.into_inner();
        let id = self.id(caller, &end_to_end_id, &order_id).await?;
        let command = AcknowledgeCredit { caller, end_to_end_id: id, reason };
        self.facade.acknowledge_credit.submit(command).await.map_err(failed)?;
        let (transfer, resolution) = self.resolved(caller, &id).await?;
        Ok(Response::new(v1::AcknowledgeCreditResponse { transfer: Some(transfer), resolution }))
    }

    async fn enrol_participant(
        &self,
        request: Request<v1::EnrolParticipantRequest>,
    ) -> Result<Response<v1::EnrolParticipantResponse>, Status> {
        let (caller, trace) = self.context(&request)?;
        // Who may not do it learns that first, whatever the content.
        let command = caller
            .must_be_operator()
            .and_then(|()| convert::enrolment(request.get_ref(), caller, trace))
            .map_err(|broken| violation_status(&broken))?;
        let enrolled = self.facade.enrol_participant.submit(command).await;
        let participant = enrolled.map_err(failed)?;
        let participant = Some(convert::participant(&participant));
        Ok(Response::new(v1::EnrolParticipantResponse { participant }))
    }

    async fn list_participants(
        &self,
        request: Request<v1::ListParticipantsRequest>,
    ) -> Result<Response<v1::ListParticipantsResponse>, Status> {
        self.context(&request)?;
        let everyone = ParticipantList::default();
        let listed = self.facade.list_participants.execute(&[everyone]).await;
        let listed = listed.map_err(|error| status(&error))?;
        let banks = listed.iter().flat_map(|page| &page.rows);
        let participants = banks.map(convert::participant).collect();
        Ok(Response::new(v1::ListParticipantsResponse { participants }))
    }

    async fn list_positions(
        &self,
        request: Request<v1::ListPositionsRequest>,
    ) -> Result<Response<v1::ListPositionsResponse>, Status> {
        let (caller, _) = self.context(&request)?;
        let listed = self.facade.list_positions.execute(caller).await;
        let listed = listed.map_err(|error| status(&error))?;
        let positions = listed.iter().map(convert::position).collect();
        Ok(Response::new(v1::ListPositionsResponse { positions }))
    }
}
