//! The gRPC service: answers, refusals with their details, and transfers that are followed.

use banking::infrastructure::grpc::proto;
use banking::infrastructure::grpc::proto::banking_service_server::BankingService;
use futures::StreamExt;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::process::{Process, Word};
use crate::world::{BANK_A, BANK_B, cpf};

fn reason(status: &Status) -> (Code, String, String) {
    let details = status.get_error_details();
    let info = details.error_info().expect("an ErrorInfo");
    assert_eq!(info.domain, "codepix");
    let violations = details.bad_request().map(|it| it.field_violations.clone());
    let field = violations.and_then(|it| it.first().map(|it| it.field.clone()));
    (status.code(), info.reason.clone(), field.unwrap_or_default())
}

fn opening(owner: u32) -> proto::OpenAccountRequest {
    proto::OpenAccountRequest {
        idempotency_key: format!("open-{owner}"),
        ispb: BANK_A.into(),
        owner_name: "Ana Souza".into(),
        owner_tax_id: cpf(owner).as_str().into(),
        ..proto::OpenAccountRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_carry_code_reason_and_field() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let services = process.services();
    let open = async |change: fn(&mut proto::OpenAccountRequest)| {
        let mut request = opening(222_333_444);
        change(&mut request);
        reason(&services.open_account(Request::new(request)).await.unwrap_err())
    };
    let invalid =
        |reason: &str, field: &str| (Code::InvalidArgument, reason.to_owned(), field.to_owned());
    assert_eq!(open(|it| it.ispb = "1".into()).await, invalid("ispb_shape", "ispb"));
    assert_eq!(
        open(|it| it.owner_tax_id = "11111111111".into()).await,
        invalid("cpf_repeated_digit", "owner_tax_id")
    );
    assert_eq!(
        open(|it| it.owner_name = String::new()).await,
        invalid("owner_name_shape", "owner_name")
    );
    assert_eq!(
        open(|it| it.idempotency_key = String::new()).await,
        invalid("idempotency_key_shape", "idempotency_key")
    );
    assert_eq!(
        open(|it| it.ispb = "00000009".into()).await,
        (Code::NotFound, "bank_not_hosted".into(), "ispb".into())
    );

    let pay = async |change: fn(&mut proto::RequestTransferRequest)| {
        let mut request = proto::RequestTransferRequest {
            idempotency_key: "pay".into(),
            account_id: ana.account_id.to_string(),
            payee_key: "nobody@example.com".into(),
            amount_centavos: 100,
            description: String::new(),
        };
        change(&mut request);
        reason(&services.request_transfer(Request::new(request)).await.unwrap_err())
    };
    assert_eq!(pay(|_| {}).await, (Code::NotFound, "key_not_found".into(), "payee_key".into()));
    assert_eq!(
        pay(|it| it.amount_centavos = 0).await,
        invalid("amount_out_of_range", "amount_centavos")
    );
    assert_eq!(
        pay(|it| it.payee_key = "ana@example.com".into()).await,
        invalid("payer_is_payee", "payee_key")
    );
    assert_eq!(
        pay(|it| it.account_id = "7".into()).await,
        invalid("account_id_shape", "account_id")
    );
    assert_eq!(
        pay(|it| it.account_id = "103cc632-78e7-4476-ab63-d5ad3a562d26".into()).await,
        (Code::NotFound, "account_not_found".into(), "account_id".into())
    );
    let withdraw = proto::WithdrawRequest {
        idempotency_key: "w".into(),
        account_id: ana.account_id.to_string(),
        amount_centavos: 1_001,
    };
    let refused = services.withdraw(Request::new(withdraw)).await.unwrap_err();
    assert_eq!(
        reason(&refused),
        (Code::FailedPrecondition, "insufficient_funds".into(), "amount_centavos".into())
    );
    assert_eq!(refused.metadata().get("codepix-error-code").unwrap(), "insufficient_funds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_lives_from_opening_to_closing() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A]).await;
    let services = process.services();
    let opened = services.open_account(Request::new(opening(111_222_333))).await.unwrap();
    let again = services.open_account(Request::new(opening(111_222_333))).await.unwrap();
    let account = opened.into_inner().account.unwrap();
    assert_eq!(again.into_inner().account.unwrap(), account);
    assert_eq!((account.branch.as_str(), account.number.as_str()), ("0001", "10001"));
    let id = account.account_id;
    let limits = proto::SetAccountLimitsRequest {
        account_id: id.clone(),
        limit_per_transfer_centavos: Some(500),
        limit_per_day_centavos: None,
    };
    let limited = services.set_account_limits(Request::new(limits)).await.unwrap().into_inner();
    let limited = limited.account.unwrap();
    assert_eq!(limited.limit_per_transfer_centavos, Some(500));
    assert_eq!(limited.limit_per_day_centavos, None);
    let deposit = proto::DepositRequest {
        idempotency_key: "d".into(),
        account_id: id.clone(),
        amount_centavos: 700,
    };
    services.deposit(Request::new(deposit)).await.unwrap();
    let block = proto::BlockAccountRequest { account_id: id.clone() };
    let blocked = services.block_account(Request::new(block)).await.unwrap().into_inner();
    let blocked = blocked.account.unwrap();
    assert_eq!(blocked.status, i32::from(proto::AccountStatus::Blocked));
    let unblock = proto::UnblockAccountRequest { account_id: id.clone() };
    services.unblock_account(Request::new(unblock)).await.unwrap();
    let close = || Request::new(proto::CloseAccountRequest { account_id: id.clone() });
    let refused = services.close_account(close()).await.unwrap_err();
    assert_eq!(reason(&refused).1, "account_not_empty");
    let withdraw = proto::WithdrawRequest {
        idempotency_key: "w".into(),
        account_id: id.clone(),
        amount_centavos: 700,
    };
    services.withdraw(Request::new(withdraw)).await.unwrap();
    services.close_account(close()).await.unwrap();
    let get = proto::GetAccountRequest { account_id: id.clone() };
    let closed = services.get_account(Request::new(get)).await.unwrap().into_inner();
    let closed = closed.account.unwrap();
    assert_eq!(closed.status, i32::from(proto::AccountStatus::Closed));
    let list = proto::ListAccountsRequest {
        ispb: BANK_A.into(),
        page_size: 1,
        ..proto::ListAccountsRequest::default()
    };
    let listed = services.list_accounts(Request::new(list)).await.unwrap().into_inner();
    assert_eq!(listed.accounts, [closed]);
    assert_eq!(listed.next_page_token, "");
    let statement = proto::GetStatementRequest {
        account_id: id,
        page_size: 1,
        ..proto::GetStatementRequest::default()
    };
    let first = services.get_statement(Request::new(statement.clone())).await.unwrap().into_inner();
    assert_eq!(first.entries[0].kind, "withdrawal");
    let next = proto::GetStatementRequest { page_token: first.next_page_token, ..statement };
    let rest = services.get_statement(Request::new(next)).await.unwrap().into_inner();
    assert_eq!((rest.entries[0].kind.as_str(), rest.next_page_token.as_str()), ("deposit", ""));
    let banks = services.list_banks(Request::new(proto::ListBanksRequest {})).await.unwrap();
    assert_eq!(banks.into_inner().banks[0].ispb, BANK_A);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_is_followed_to_its_end() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 10_000, "ana@example.com").await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = process.pay(&ana, "bia@example.com", 2_500).await.end_to_end_id;
    let watch = async |account: &str| {
        let request = proto::WatchTransferRequest {
            end_to_end_id: id.clone(),
            account_id: account.to_owned(),
        };
        process.services().watch_transfer(Request::new(request)).await.unwrap().into_inner()
    };
    let payer_id = ana.account_id.to_string();
    let mut seen = watch(&payer_id).await;
    let state = |item: Option<Result<proto::WatchTransferResponse, Status>>| {
        item.unwrap().unwrap().transfer.unwrap().state()
    };
    assert_eq!(state(seen.next().await), proto::TransferState::Requested);
    let name = "codepix.transfers.TransferConfirmed.v1";
    let word = Word { name, id: &id, payer: &ana, payee: &bia, amount: "25.00", reason: None };
    let confirmed = [process.word(BANK_A, &word), process.word(BANK_B, &word)];
    process.servers.write(&confirmed).await;
    assert_eq!(state(seen.next().await), proto::TransferState::Settled);
    assert!(seen.next().await.is_none(), "nothing follows a final state");
    process.has(&bia, (2_500, 0)).await;
    let mut at_payee = watch(&bia.account_id.to_string()).await;
    assert_eq!(state(at_payee.next().await), proto::TransferState::Settled);
    assert!(at_payee.next().await.is_none());
    let mut stranger = watch("103cc632-78e7-4476-ab63-d5ad3a562d26").await;
    let refused = stranger.next().await.unwrap().unwrap_err();
    assert_eq!(reason(&refused).1, "account_not_found");
    let get = proto::GetTransferRequest { end_to_end_id: id.clone(), account_id: payer_id.clone() };
    let shown = process.services().get_transfer(Request::new(get)).await.unwrap().into_inner();
    let shown = shown.transfer.unwrap();
    assert_eq!(shown.direction(), proto::TransferDirection::Outgoing);
    assert!(shown.finished_at.is_some());
    let list = proto::ListTransfersRequest {
        account_id: payer_id,
        ..proto::ListTransfersRequest::default()
    };
    let listed = process.services().list_transfers(Request::new(list)).await.unwrap().into_inner();
    assert_eq!(listed.transfers, [shown]);
}
