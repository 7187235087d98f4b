//! The context as a process runs it.

use std::net::SocketAddr;
use std::sync::Arc;

use balances::infrastructure::grpc::proto::balances_service_client::BalancesServiceClient;
use balances::infrastructure::grpc::proto::{
    Balance, GetBalanceRequest, ListBalancesRequest, ListBalancesResponse,
};
use balances::infrastructure::{BalancesSettings, GraphSchema, Running, WalletCoreTopics, start};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::Stage;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::testing::{TestContext, TestServers, eventually};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::{Routes, RoutesBuilder};
use tonic::{Request, Status};

use crate::bank::ISPB;

pub(crate) const OPERATOR: &str = "operator-operator";
pub(crate) const BANK: &str = "bank-bank-bank-bank";
pub(crate) const OTHER: &str = "other-other-other";

/// A running context.
pub(crate) struct Process {
    pub(crate) graph: GraphSchema,
    /// Where REST is served.
    pub(crate) rest: SocketAddr,
    server: JoinHandle<()>,
    client: BalancesServiceClient<Routes>,
    context: TestContext,
    work: Vec<JoinHandle<()>>,
    relays: Vec<JoinHandle<()>>,
}

impl Process {
    pub(crate) async fn start(servers: &TestServers) -> Self {
        let mut context = servers.context();
        let tokens = format!("operator={OPERATOR},{ISPB}={BANK},00000002={OTHER}");
        context.settings.callers = Arc::new(Callers::parse(&tokens).unwrap());
        let own = BalancesSettings {
            wallet_core: Some(WalletCoreTopics::default()),
            wallet_core_fixtures: false,
        };
        let Running { services, graph, rest: routes, workers, .. } =
            start(&context.settings, own).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rest = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let mut routes = RoutesBuilder::default();
        services.add_to(&mut routes);
        let client = BalancesServiceClient::new(routes.routes().prepare());
        let (mut work, mut relays) = (Vec::new(), Vec::new());
        for worker in workers {
            let stage = match worker.stage {
                Stage::Work => &mut work,
                Stage::Relay => &mut relays,
            };
            stage.push(tokio::spawn(async move { worker.run.await.unwrap() }));
        }
        Self { graph, rest, server, client, context, work, relays }
    }

    pub(crate) async fn stop(self) {
        self.server.abort();
        self.context.stop_work.stop();
        for worker in self.work {
            worker.await.unwrap();
        }
        self.context.stop_relays.stop();
        for worker in self.relays {
            worker.await.unwrap();
        }
    }

    pub(crate) async fn get(
        &self,
        token: &str,
        account_id: impl ToString,
    ) -> Result<Balance, Status> {
        let request = GetBalanceRequest { account_id: account_id.to_string() };
        let answer = self.client.clone().get_balance(with(token, request)).await?;
        Ok(answer.into_inner().balance.expect("a balance"))
    }

    pub(crate) async fn list(
        &self,
        token: &str,
        ispb: &str,
        page_size: i32,
        page_token: &str,
    ) -> Result<ListBalancesResponse, Status> {
        let (ispb, page_token) = (ispb.to_owned(), page_token.to_owned());
        let request = ListBalancesRequest { ispb, page_size, page_token };
        Ok(self.client.clone().list_balances(with(token, request)).await?.into_inner())
    }

    pub(crate) async fn arrived(&self, account: AccountId, version: i64) -> Balance {
        eventually(async || match self.get(OPERATOR, account).await {
            Ok(balance) if balance.version >= version => Ok(balance),
            other => Err(other),
        })
        .await
    }
}

fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if !token.is_empty() {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}
