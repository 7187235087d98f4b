//! The read side, in messages of our own: field numbers are the contract.

use codepix::client::Hub;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Response, Status};
use tonic_prost::ProstCodec;

/// `codepix.balances.v1.GetBalanceRequest`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetBalanceRequest {
    /// UUID.
    #[prost(string, tag = "1")]
    pub(crate) account_id: String,
}

/// `codepix.balances.v1.GetBalanceResponse`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetBalanceResponse {
    /// The balance.
    #[prost(message, optional, tag = "1")]
    pub(crate) balance: Option<Balance>,
}

/// `codepix.balances.v1.Balance`
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Balance {
    /// UUID.
    #[prost(string, tag = "1")]
    pub(crate) account_id: String,
    /// The bank.
    #[prost(string, tag = "2")]
    pub(crate) ispb: String,
    /// The owner.
    #[prost(string, tag = "3")]
    pub(crate) owner_name: String,
    /// What may be spent.
    #[prost(int64, tag = "4")]
    pub(crate) available_centavos: i64,
    /// What is set aside.
    #[prost(int64, tag = "5")]
    pub(crate) held_centavos: i64,
    /// Both.
    #[prost(int64, tag = "6")]
    pub(crate) total_centavos: i64,
    /// Version of the account.
    #[prost(int64, tag = "7")]
    pub(crate) version: i64,
}

/// The balance of an account as the read side knows it.
pub(crate) async fn balance(
    hub: &Hub,
    account_id: &str,
) -> Result<Response<GetBalanceResponse>, Status> {
    let mut grpc = tonic::client::Grpc::new(hub.channel());
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let method = PathAndQuery::from_static("/codepix.balances.v1.BalancesService/GetBalance");
    let asked = GetBalanceRequest { account_id: account_id.to_owned() };
    let codec = ProstCodec::<GetBalanceRequest, GetBalanceResponse>::default();
    grpc.unary(tonic::Request::new(asked), method, codec).await
}
