//! The routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use shared_kernel::application::{Caller, Ids, TraceParent};
use shared_kernel::domain::Ispb;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::rest::Problem;

use super::problem::refused;
use super::wire::{Account, Client, NewAccount, NewClient, NewTransaction, Transaction, body};
use crate::application::Banking;
use crate::application::account_command::OnAccount;
use crate::application::command::{OpenAccount, PayAccount, RegisterClient};
use crate::domain::Description;

/// Bytes of the longest body.
const BODY_BYTES_MAX: usize = 16_384;
/// A repeat with this header gets the first answer. Wallet Core's clients send none.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What every route needs.
#[derive(Clone)]
pub(super) struct Wallet {
    ispb: Ispb,
    facade: Arc<Banking>,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
}

/// Who asks, in which trace, by which key.
struct Asked {
    caller: Caller,
    trace: TraceParent,
    idempotency_key: String,
}

impl Wallet {
    fn asked(&self, headers: &HeaderMap) -> Result<Asked, Problem> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let caller = self.callers.identify(text(header::AUTHORIZATION.as_str()));
        let trace = text("traceparent").and_then(TraceParent::parse);
        let key = text(IDEMPOTENCY_KEY).map(str::to_owned);
        Ok(Asked {
            caller: caller.map_err(refused)?,
            trace: trace.unwrap_or_else(|| TraceParent::begin(&*self.ids)),
            // Without one, every request is another.
            idempotency_key: key.unwrap_or_else(|| self.ids.random().to_string()),
        })
    }
}

/// The API of the bank `ispb`, ready to be merged into a service.
pub fn routes(
    ispb: Ispb,
    facade: Arc<Banking>,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
) -> Router {
    Router::new()
        .route("/clients", post(create_client))
        .route("/accounts", post(create_account))
        .route("/transactions", post(create_transaction))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Wallet { ispb, facade, callers, ids })
}

pub(super) type Created<T> = Result<(StatusCode, Json<T>), Problem>;

fn created<T>(object: T) -> (StatusCode, Json<T>) {
    (StatusCode::CREATED, Json(object))
}

/// Registers a client.
#[utoipa::path(
    post,
    path = "/clients",
    tag = "wallet core",
    request_body = NewClient,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "A repeat with this key gets the first answer.")),
    responses(
        (status = 201, body = Client),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create_client(
    State(wallet): State<Wallet>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Created<Client> {
    let Asked { caller, idempotency_key, .. } = wallet.asked(&headers)?;
    let (name, email) = body::<NewClient>(&bytes).and_then(|it| it.read()).map_err(refused)?;
    let ispb = wallet.ispb;
    let client_id = None;
    let command = RegisterClient { caller, idempotency_key, ispb, name, email, client_id };
    let client = wallet.facade.register_client.submit(command).await.map_err(refused)?;
    Ok(created(client.into()))
}

/// Opens an account for a client.
#[utoipa::path(
    post,
    path = "/accounts",
    tag = "wallet core",
    request_body = NewAccount,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "A repeat with this key gets the first answer.")),
    responses(
        (status = 201, body = Account),
        (status = 400, body = Problem, content_type = "application/problem+json",
            description = "No such client, too."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create_account(
    State(wallet): State<Wallet>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Created<Account> {
    let Asked { caller, trace, idempotency_key } = wallet.asked(&headers)?;
    let id = body::<NewAccount>(&bytes).and_then(|it| it.read()).map_err(refused)?;
    let get_client = &wallet.facade.get_client;
    let client = get_client.execute(caller, wallet.ispb, id).await.map_err(refused)?;
    let command = OpenAccount {
        caller,
        trace,
        idempotency_key,
        ispb: wallet.ispb,
        owner_name: client.name,
        owner_tax_id: client.tax_id,
        branch: None,
        number: None,
        account_id: None,
    };
    let account = wallet.facade.open_account.submit(command).await.map_err(refused)?;
    Ok(created(Account::new(id, &account)))
}

/// Moves money from one account to another.
#[utoipa::path(
    post,
    path = "/transactions",
    tag = "wallet core",
    request_body = NewTransaction,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "A repeat with this key gets the first answer.")),
    responses(
        (status = 201, body = Transaction),
        (status = 400, body = Problem, content_type = "application/problem+json",
            description = "No such account, or not enough on it, too."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create_transaction(
    State(wallet): State<Wallet>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Created<Transaction> {
    let Asked { caller, trace, idempotency_key } = wallet.asked(&headers)?;
    let read = body::<NewTransaction>(&bytes).and_then(|it| it.read());
    let (account_id, payee_account_id, amount) = read.map_err(refused)?;
    let on = OnAccount { caller, trace, ispb: wallet.ispb, account_id };
    let description = Description::parse("").map_err(refused)?;
    let command = PayAccount { on, idempotency_key, payee_account_id, amount, description };
    let booked = wallet.facade.pay_account.submit(command).await.map_err(refused)?;
    Ok(created(booked.into()))
}
