//! The routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use shared_kernel::application::{Caller, Ids, TraceParent};
use shared_kernel::domain::{Ispb, Violation};
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
        let caller = caller.map_err(refused)?;
        let key = idempotency_key(headers)?;
        Ok(Asked {
            caller,
            trace: trace.unwrap_or_else(|| TraceParent::begin(&*self.ids)),
            // Without one, every request is another.
            idempotency_key: key.unwrap_or_else(|| self.ids.random().to_string()),
        })
    }
}

/// The key of a request, if it has one. One that cannot be read is not dropped: the retry that it
/// was sent for would pay twice.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).map(HeaderValue::to_str).transpose();
    key.map(|key| key.map(str::to_owned)).map_err(|_unreadable| {
        let message = "an idempotency key is text of visible ASCII characters";
        refused(Violation::invalid("idempotency_key_shape", "idempotency_key", message))
    })
}

/// The body of a request.
fn received(bytes: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    bytes.map_err(|rejected| {
        if rejected.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("a body has at most {BODY_BYTES_MAX} bytes");
            return Problem::of_routing(StatusCode::PAYLOAD_TOO_LARGE, "body_size", &detail);
        }
        let message = "the body did not arrive whole; send it again";
        refused(Violation::invalid("body_shape", "body", message))
    })
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
        .method_not_allowed_fallback(async || {
            let detail = "here something is made: POST";
            Problem::of_routing(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
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
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json",
            description = "Too many requests are under way; ask again shortly."),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create_client(
    State(wallet): State<Wallet>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Created<Client> {
    let Asked { caller, idempotency_key, .. } = wallet.asked(&headers)?;
    let bytes = received(bytes)?;
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
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json",
            description = "Too many requests are under way; ask again shortly."),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create_account(
    State(wallet): State<Wallet>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Created<Account> {
    let Asked { caller, trace, idempotency_key } = wallet.asked(&headers)?;
    let bytes = received(bytes)?;
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
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json",
            description = "Too many requests are under way; ask again shortly."),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create_transaction(
    State(wallet): State<Wallet>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Created<Transaction> {
    let Asked { caller, trace, idempotency_key } = wallet.asked(&headers)?;
    let bytes = received(bytes)?;
    let read = body::<NewTransaction>(&bytes).and_then(|it| it.read());
    let (account_id, payee_account_id, amount) = read.map_err(refused)?;
    let on = OnAccount { caller, trace, ispb: wallet.ispb, account_id };
    let description = Description::parse("").map_err(refused)?;
    let command = PayAccount { on, idempotency_key, payee_account_id, amount, description };
    let booked = wallet.facade.pay_account.submit(command).await.map_err(refused)?;
    Ok(created(booked.into()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::response::Response;
    use serde_json::Value;
    use shared_kernel::application::stop::{StopHandle, stop_pair};
    use tower::ServiceExt as _;

    use super::*;
    use crate::application::account_command::OnAccount;
    use crate::application::stage::Stage;
    use crate::domain::samples::{BANK_A, ispb};
    use crate::infrastructure::testing::facade;

    struct Served {
        stage: Stage,
        routes: Router,
        _stop: StopHandle,
    }

    impl Served {
        async fn new() -> Self {
            let stage = Stage::new().await;
            let (stop, signal) = stop_pair();
            let facade = Arc::new(facade(&stage, &signal));
            let callers = Arc::new(Callers::default());
            let routes = routes(ispb(BANK_A), facade, callers, stage.ports.ids.clone());
            Self { stage, routes, _stop: stop }
        }

        /// Status and body; a refusal is a problem.
        async fn ask(&self, request: Request<Body>) -> (u16, Value) {
            let answer: Response = self.routes.clone().oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
            let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
            let expected =
                if status < 400 { "application/json" } else { "application/problem+json" };
            assert_eq!(kind, Some(HeaderValue::from_static(expected)), "{status} {body:?}");
            (status, serde_json::from_slice(&body).unwrap())
        }
    }

    fn transaction(from: &OnAccount, to: &OnAccount) -> Body {
        let (from, to) = (from.account_id, to.account_id);
        Body::from(format!(
            r#"{{"account_id_from":"{from}","account_id_to":"{to}","amount":1.00}}"#
        ))
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_read_is_refused_and_nothing_is_paid() {
        let served = Served::new().await;
        let ana = served.stage.account(BANK_A, 1, 1_000).await;
        let bia = served.stage.account(BANK_A, 2, 0).await;
        let pay = async |key: &[u8]| {
            let key = HeaderValue::from_bytes(key).unwrap();
            let request = Request::post("/transactions").header(IDEMPOTENCY_KEY, key);
            served.ask(request.body(transaction(&ana, &bia)).unwrap()).await
        };
        for key in ["ação".as_bytes(), b"\xff", b""] {
            let (status, problem) = pay(key).await;
            assert_eq!((status, &problem["code"]), (400, &"idempotency_key_shape".into()));
            assert_eq!(problem["field"], "idempotency_key");
        }
        assert_eq!(served.stage.funds(&ana), (1_000, 0));
        let (first, paid) = pay(b"one").await;
        assert_eq!((first, pay(b"one").await), (201, (201, paid.clone())));
        assert_eq!(served.stage.funds(&ana), (900, 0));
        let version = |on: &OnAccount| served.stage.state(on.account_id).state().version;
        assert_eq!(paid["account_version_from"], version(&ana));
        assert_eq!(paid["account_version_to"], version(&bia));
    }

    #[tokio::test]
    async fn what_the_framework_refuses_is_a_problem_too() {
        let served = Served::new().await;
        let large = Body::from(vec![b' '; BODY_BYTES_MAX + 1]);
        for path in ["/clients", "/accounts", "/transactions"] {
            let asked = Request::get(path).body(Body::empty()).unwrap();
            let (status, problem) = served.ask(asked).await;
            assert_eq!((status, &problem["code"]), (405, &"method_not_allowed".into()), "{path}");
        }
        let (status, problem) = served.ask(Request::post("/clients").body(large).unwrap()).await;
        assert_eq!((status, &problem["code"]), (413, &"body_size".into()));
    }
}
