//! `codepix.banking.v1.BankingService`: reads a request, hands it to its use case and shows the
//! answer.

use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt};
use shared_kernel::application::{ApplicationError, Caller, Ids, TraceParent};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, TaxId};
use shared_kernel::infrastructure::grpc::{Callers, request_context, status};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use super::convert::{amount, given, limits, next_token, part};
use super::proto;
use super::proto::banking_service_server::{BankingService, BankingServiceServer};
use crate::application::Banking;
use crate::application::account_command::OnAccount;
use crate::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, RequestTransfer, SetAccountLimits,
    UnblockAccount, Withdraw,
};
use crate::application::page::{AccountPlace, PostingPlace, TransferPlace};
use crate::domain::{AccountNumber, Branch, Description, OwnerName, PayeeKey};
use crate::infrastructure::watch::TransferWatches;

/// The gRPC services of this context.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
#[derive(Clone)]
pub struct BankingServices {
    facade: Arc<Banking>,
    watches: TransferWatches,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
}

type Answer<T> = Result<T, ApplicationError>;

impl BankingServices {
    /// Services over the use cases.
    pub fn new(
        facade: Arc<Banking>,
        watches: TransferWatches,
        callers: Arc<Callers>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        Self { facade, watches, callers, ids }
    }

    /// Adds the services to the routes of a server.
    pub fn add_to(self, routes: &mut RoutesBuilder) {
        routes.add_service(BankingServiceServer::new(self));
    }

    fn context<T>(&self, request: &Request<T>) -> Answer<(Caller, TraceParent)> {
        Ok(request_context(request, &self.callers, &*self.ids)?)
    }

    /// Who gives a command on an account, and at which bank that is.
    async fn on<T>(&self, request: &Request<T>, account_id: &str) -> Answer<OnAccount> {
        let (caller, trace) = self.context(request)?;
        let account_id = AccountId::parse(account_id)?;
        self.facade.account_banks.on(caller, trace, account_id).await
    }

    async fn banks(&self, request: &Request<proto::ListBanksRequest>) -> Answer<Vec<proto::Bank>> {
        let (caller, _) = self.context(request)?;
        let banks = self.facade.list_banks.execute(caller).await?;
        Ok(banks.into_iter().map(proto::Bank::from).collect())
    }

    async fn open(&self, request: Request<proto::OpenAccountRequest>) -> Answer<proto::Account> {
        let (caller, trace) = self.context(&request)?;
        let asked = request.into_inner();
        let command = OpenAccount {
            caller,
            trace,
            ispb: Ispb::parse(&asked.ispb)?,
            owner_name: OwnerName::parse(&asked.owner_name)?,
            owner_tax_id: TaxId::lenient(&asked.owner_tax_id)
                .map_err(|broken| broken.on("owner_tax_id"))?,
            branch: given(&asked.branch, Branch::parse)?,
            number: given(&asked.number, AccountNumber::parse)?,
            account_id: given(&asked.account_id, AccountId::parse)?,
            idempotency_key: asked.idempotency_key,
        };
        Ok(self.facade.open_account.submit(command).await?.into())
    }

    async fn request(
        &self,
        request: Request<proto::RequestTransferRequest>,
    ) -> Answer<proto::Transfer> {
        let on = self.on(&request, &request.get_ref().account_id).await?;
        let asked = request.into_inner();
        let command = RequestTransfer {
            on,
            payee_key: PayeeKey::parse(&asked.payee_key)?,
            amount: amount(asked.amount_centavos)?,
            description: Description::parse(&asked.description)?,
            idempotency_key: asked.idempotency_key,
        };
        Ok(self.facade.request_transfer.submit(command).await?.into())
    }

    async fn accounts(
        &self,
        request: &Request<proto::ListAccountsRequest>,
    ) -> Answer<proto::ListAccountsResponse> {
        let (caller, _) = self.context(request)?;
        let asked = request.get_ref();
        let part = part(Ispb::parse(&asked.ispb)?, asked.page_size, &asked.page_token)?;
        let page = self.facade.list_accounts.execute(caller, part).await?;
        Ok(proto::ListAccountsResponse {
            next_page_token: next_token::<_, AccountPlace>(&page),
            accounts: page.rows.into_iter().map(proto::Account::from).collect(),
        })
    }

    async fn transfers(
        &self,
        request: &Request<proto::ListTransfersRequest>,
    ) -> Answer<proto::ListTransfersResponse> {
        let (caller, _) = self.context(request)?;
        let asked = request.get_ref();
        let id = AccountId::parse(&asked.account_id)?;
        let part = part(id, asked.page_size, &asked.page_token)?;
        let page = self.facade.list_transfers.execute(caller, part).await?;
        Ok(proto::ListTransfersResponse {
            next_page_token: next_token::<_, TransferPlace>(&page),
            transfers: page.rows.into_iter().map(proto::Transfer::from).collect(),
        })
    }

    async fn statement(
        &self,
        request: &Request<proto::GetStatementRequest>,
    ) -> Answer<proto::GetStatementResponse> {
        let (caller, _) = self.context(request)?;
        let asked = request.get_ref();
        let id = AccountId::parse(&asked.account_id)?;
        let part = part(id, asked.page_size, &asked.page_token)?;
        let page = self.facade.get_statement.execute(caller, part).await?;
        Ok(proto::GetStatementResponse {
            next_page_token: next_token::<_, PostingPlace>(&page),
            entries: page.rows.into_iter().map(proto::StatementEntry::from).collect(),
        })
    }
}

/// The answer of a use case as a response, its failure as a status.
fn respond<T>(answer: Answer<T>) -> Result<Response<T>, Status> {
    answer.map(Response::new).map_err(|error| status(&error))
}

/// Which transfer, seen by which account.
fn side(end_to_end_id: &str, account_id: &str) -> Answer<(EndToEndId, AccountId)> {
    Ok((EndToEndId::parse(end_to_end_id)?, AccountId::parse(account_id)?))
}

/// A call that hands one command on one account to its queue.
macro_rules! on_account {
    (
        $self:ident, $request:ident, $queue:ident, $response:ident,
        |$on:ident, $asked:ident| $command:expr
    ) => {{
        let answer = async {
            let $on = $self.on(&$request, &$request.get_ref().account_id).await?;
            let $asked = $request.into_inner();
            let account = $self.facade.$queue.submit($command).await?;
            Ok(proto::$response { account: Some(account.into()) })
        };
        respond(answer.await)
    }};
}

#[tonic::async_trait]
impl BankingService for BankingServices {
    type WatchTransferStream = BoxStream<'static, Result<proto::WatchTransferResponse, Status>>;

    async fn list_banks(
        &self,
        request: Request<proto::ListBanksRequest>,
    ) -> Result<Response<proto::ListBanksResponse>, Status> {
        let banks = self.banks(&request).await;
        respond(banks.map(|banks| proto::ListBanksResponse { banks }))
    }

    async fn open_account(
        &self,
        request: Request<proto::OpenAccountRequest>,
    ) -> Result<Response<proto::OpenAccountResponse>, Status> {
        let account = self.open(request).await;
        respond(account.map(|account| proto::OpenAccountResponse { account: Some(account) }))
    }

    async fn get_account(
        &self,
        request: Request<proto::GetAccountRequest>,
    ) -> Result<Response<proto::GetAccountResponse>, Status> {
        let answer = async {
            let (caller, _) = self.context(&request)?;
            let id = AccountId::parse(&request.get_ref().account_id)?;
            let account = self.facade.get_account.execute(caller, id).await?;
            Ok(proto::GetAccountResponse { account: Some(account.into()) })
        };
        respond(answer.await)
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        respond(self.accounts(&request).await)
    }

    async fn deposit(
        &self,
        request: Request<proto::DepositRequest>,
    ) -> Result<Response<proto::DepositResponse>, Status> {
        on_account!(self, request, deposit, DepositResponse, |on, asked| Deposit {
            on,
            amount: amount(asked.amount_centavos)?,
            idempotency_key: asked.idempotency_key,
        })
    }

    async fn withdraw(
        &self,
        request: Request<proto::WithdrawRequest>,
    ) -> Result<Response<proto::WithdrawResponse>, Status> {
        on_account!(self, request, withdraw, WithdrawResponse, |on, asked| Withdraw {
            on,
            amount: amount(asked.amount_centavos)?,
            idempotency_key: asked.idempotency_key,
        })
    }

    async fn block_account(
        &self,
        request: Request<proto::BlockAccountRequest>,
    ) -> Result<Response<proto::BlockAccountResponse>, Status> {
        on_account!(self, request, block_account, BlockAccountResponse, |on, _asked| {
            BlockAccount { on }
        })
    }

    async fn unblock_account(
        &self,
        request: Request<proto::UnblockAccountRequest>,
    ) -> Result<Response<proto::UnblockAccountResponse>, Status> {
        on_account!(self, request, unblock_account, UnblockAccountResponse, |on, _asked| {
            UnblockAccount { on }
        })
    }

    async fn close_account(
        &self,
        request: Request<proto::CloseAccountRequest>,
    ) -> Result<Response<proto::CloseAccountResponse>, Status> {
        on_account!(self, request, close_account, CloseAccountResponse, |on, _asked| {
            CloseAccount { on }
        })
    }

    async fn set_account_limits(
        &self,
        request: Request<proto::SetAccountLimitsRequest>,
    ) -> Result<Response<proto::SetAccountLimitsResponse>, Status> {
        on_account!(self, request, set_account_limits, SetAccountLimitsResponse, |on, asked| {
            let (per_transfer, per_day) =
                (asked.limit_per_transfer_centavos, asked.limit_per_day_centavos);
            SetAccountLimits { on, limits: limits(per_transfer, per_day)? }
        })
    }

    async fn request_transfer(
        &self,
        request: Request<proto::RequestTransferRequest>,
    ) -> Result<Response<proto::RequestTransferResponse>, Status> {
        let transfer = self.request(request).await;
        respond(transfer.map(|it| proto::RequestTransferResponse { transfer: Some(it) }))
    }

    async fn get_transfer(
        &self,
        request: Request<proto::GetTransferRequest>,
    ) -> Result<Response<proto::GetTransferResponse>, Status> {
        let answer = async {
            let (caller, _) = self.context(&request)?;
            let asked = request.get_ref();
            let (id, account_id) = side(&asked.end_to_end_id, &asked.account_id)?;
            let transfer = self.facade.get_transfer.execute(caller, id, account_id).await?;
            Ok(proto::GetTransferResponse { transfer: Some(transfer.into()) })
        };
        respond(answer.await)
    }

    async fn list_transfers(
        &self,
        request: Request<proto::ListTransfersRequest>,
    ) -> Result<Response<proto::ListTransfersResponse>, Status> {
        respond(self.transfers(&request).await)
    }

    async fn watch_transfer(
        &self,
        request: Request<proto::WatchTransferRequest>,
    ) -> Result<Response<Self::WatchTransferStream>, Status> {
        let (caller, _) = self.context(&request).map_err(|error| status(&error))?;
        let asked = request.get_ref();
        let (id, account_id) =
            side(&asked.end_to_end_id, &asked.account_id).map_err(|error| status(&error))?;
        let states = self.watches.watch(caller, id, account_id).map(|state| {
            let transfer = state.map_err(|error| status(&error))?;
            Ok(proto::WatchTransferResponse { transfer: Some(transfer.into()) })
        });
        Ok(Response::new(states.boxed()))
    }

    async fn get_statement(
        &self,
        request: Request<proto::GetStatementRequest>,
    ) -> Result<Response<proto::GetStatementResponse>, Status> {
        respond(self.statement(&request).await)
    }
}
