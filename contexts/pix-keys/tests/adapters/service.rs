//! The service as a client meets it: answers, statuses, details.

use pix_keys::infrastructure::grpc::proto::pix_keys_service_client::PixKeysServiceClient;
use pix_keys::infrastructure::grpc::proto::{
    self, AccountStatus, EnrolAccountRequest, FindAccountRequest, FindKeyRequest, ListKeysRequest,
    PixKeyKind, RegisterKeyRequest, RemoveKeyRequest,
};
use tonic::service::{Routes, RoutesBuilder};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::harness::{ANA, BBX, CTER, Directory, MARIA, account_id, opened};

const OPERATOR: &str = "operator-operator";
const BANK: &str = "bank-of-bbx-token";
const OTHER: &str = "bank-of-cter-token";

type Client = PixKeysServiceClient<Routes>;

fn client(directory: &Directory) -> Client {
    let tokens = format!("operator={OPERATOR},{BBX}={BANK},{CTER}={OTHER}");
    let mut routes = RoutesBuilder::default();
    directory.services(&tokens).add_to(&mut routes);
    PixKeysServiceClient::new(routes.routes())
}

fn by<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

fn id(number: u128) -> String {
    account_id(number).to_string()
}

fn registration(request_id: &str, kind: PixKeyKind, key: &str) -> RegisterKeyRequest {
    RegisterKeyRequest {
        request_id: request_id.into(),
        kind: kind.into(),
        key: key.into(),
        account_id: id(1),
    }
}

fn find(key: &str, requester: &str) -> FindKeyRequest {
    FindKeyRequest { key: key.into(), requester_ispb: requester.into(), ..Default::default() }
}

/// Status code, stable code and field of a refusal; all three ways of reading it agree.
fn refusal<T: std::fmt::Debug>(
    answer: Result<tonic::Response<T>, Status>,
) -> (Code, String, String) {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().unwrap().clone();
    assert_eq!(info.domain, "codepix");
    assert_eq!(status.metadata().get("codepix-error-code").unwrap(), &info.reason);
    let field = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|it| it.field.clone()).collect::<String>());
    (status.code(), info.reason, field.unwrap_or_default())
}

#[track_caller]
fn is(refused: &(Code, String, String), code: Code, reason: &str, field: &str) {
    let (got_code, got_reason, got_field) = refused;
    assert_eq!((*got_code, got_reason.as_str(), got_field.as_str()), (code, reason, field));
}

async fn setting() -> (Directory, Client) {
    let directory = Directory::fresh().await;
    directory.hear(vec![opened(1, MARIA)]).await;
    let client = client(&directory);
    (directory, client)
}

#[tokio::test]
async fn a_key_goes_all_the_way() {
    let (_directory, mut client) = setting().await;
    let request = by(BANK, registration("r1", PixKeyKind::Cpf, MARIA));
    let entry = client.register_key(request).await.unwrap().into_inner().entry.unwrap();
    assert_eq!((entry.kind(), entry.key.as_str()), (PixKeyKind::Cpf, MARIA));
    assert_eq!(entry.created_at, entry.owned_since);
    let account = entry.account.clone().unwrap();
    assert_eq!(
        account,
        proto::Account {
            account_id: id(1),
            ispb: BBX.into(),
            bank_code: "001".into(),
            bank_name: "Bank 00000001".into(),
            branch: "0001".into(),
            number: "1111".into(),
            owner_name: "Owner".into(),
            owner_tax_id: MARIA.into(),
            status: AccountStatus::Active.into(),
        }
    );
    for (token, requester) in [(BANK, ""), (BANK, BBX), (OTHER, ""), (OPERATOR, CTER)] {
        let found = client.find_key(by(token, find(MARIA, requester))).await.unwrap();
        assert_eq!(found.into_inner().entry.as_ref(), Some(&entry));
    }
    let message = FindAccountRequest { account_id: id(1) };
    let found = client.find_account(by(OTHER, message.clone())).await.unwrap().into_inner();
    let foreign = proto::Account {
        account_id: account.account_id.clone(),
        ispb: account.ispb.clone(),
        bank_code: account.bank_code.clone(),
        bank_name: account.bank_name.clone(),
        ..proto::Account::default()
    };
    assert_eq!(found.account, Some(foreign), "which bank it is kept at, and no more");
    for token in [BANK, OPERATOR] {
        let found = client.find_account(by(token, message.clone())).await.unwrap().into_inner();
        assert_eq!(found.account.as_ref(), Some(&account));
    }
    let message = ListKeysRequest { account_id: id(1) };
    let listed = client.list_keys(by(BANK, message)).await.unwrap().into_inner();
    assert_eq!(listed.entries, [entry]);
    let message = RemoveKeyRequest {
        request_id: "d1".into(),
        key: MARIA.into(),
        account_id: id(1),
        reason: 0,
    };
    let removed = client.remove_key(by(BANK, message)).await.unwrap().into_inner();
    assert_eq!(removed.key, MARIA);
    assert!(removed.removed_at.is_some());
    let gone = refusal(client.find_key(by(BANK, find(MARIA, ""))).await);
    is(&gone, Code::NotFound, "key_not_found", "key");
}

#[tokio::test]
async fn a_random_key_is_made_here_and_a_repeat_is_the_same() {
    let (_directory, mut client) = setting().await;
    let request = || by(BANK, registration("r1", PixKeyKind::Evp, ""));
    let first = client.register_key(request()).await.unwrap().into_inner();
    let again = client.register_key(request()).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert_eq!(first.entry.unwrap().key.len(), 36);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_said_in_the_words_that_clients_compare() {
    let (_directory, mut client) = setting().await;
    let status = client.find_key(by(BANK, find("a@x", ""))).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no key was found"));
}

#[tokio::test]
async fn every_refusal_has_its_code_and_its_field() {
    let (_directory, mut client) = setting().await;
    let register = registration;
    let cases = [
        (register("r", PixKeyKind::Cpf, "12345678901"), "cpf_check_digit", "key"),
        (register("r", PixKeyKind::Email, "A@X"), "email_upper_case", "key"),
        (register("r", PixKeyKind::Evp, &id(1)), "evp_key_given", "key"),
        (register("r", PixKeyKind::Unspecified, MARIA), "key_kind_unknown", "kind"),
        (register("r", PixKeyKind::Cpf, ANA), "key_of_another_person", "key"),
        (register("", PixKeyKind::Cpf, MARIA), "idempotency_key_shape", "request_id"),
        (
            RegisterKeyRequest { account_id: "7".into(), ..register("r", PixKeyKind::Cpf, MARIA) },
            "account_id_shape",
            "account_id",
        ),
    ];
    for (message, reason, field) in cases {
        let refused = refusal(client.register_key(by(BANK, message)).await);
        is(&refused, Code::InvalidArgument, reason, field);
    }
    let unknown = RegisterKeyRequest { account_id: id(9), ..register("r", PixKeyKind::Cpf, MARIA) };
    let refused = refusal(client.register_key(by(BANK, unknown)).await);
    is(&refused, Code::NotFound, "account_not_found", "account_id");
    client.register_key(by(BANK, register("r", PixKeyKind::Cpf, MARIA))).await.unwrap();
    let refused = refusal(client.register_key(by(BANK, register("r", PixKeyKind::Evp, ""))).await);
    is(&refused, Code::AlreadyExists, "idempotency_key_reused", "request_id");
    let refused =
        refusal(client.register_key(by(BANK, register("s", PixKeyKind::Cpf, MARIA))).await);
    is(&refused, Code::AlreadyExists, "key_already_registered", "key");
    for number in 0..4 {
        let message = register(&format!("e{number}"), PixKeyKind::Evp, "");
        client.register_key(by(BANK, message)).await.unwrap();
    }
    let refused = refusal(client.register_key(by(BANK, register("f", PixKeyKind::Evp, ""))).await);
    is(&refused, Code::FailedPrecondition, "key_limit_reached", "account_id");
}

#[tokio::test]
async fn a_bank_acts_for_itself_alone() {
    let (directory, mut client) = setting().await;
    directory.register("r1", 1, MARIA).await.unwrap();
    let denied = |refused| is(&refused, Code::NotFound, "account_not_found", "account_id");
    denied(refusal(client.register_key(by(OTHER, registration("r", PixKeyKind::Evp, ""))).await));
    denied(refusal(client.list_keys(by(OTHER, ListKeysRequest { account_id: id(1) })).await));
    let removal = RemoveKeyRequest {
        request_id: "d".into(),
        key: MARIA.into(),
        account_id: id(1),
        reason: 0,
    };
    denied(refusal(client.remove_key(by(OTHER, removal.clone())).await));
    let refused = refusal(client.find_key(by(OTHER, find(MARIA, BBX))).await);
    is(&refused, Code::PermissionDenied, "caller_may_not_act_for_bank", "requester_ispb");
    let refused = refusal(client.find_key(by(OPERATOR, find(MARIA, ""))).await);
    is(&refused, Code::InvalidArgument, "requester_ispb_missing", "requester_ispb");
    let refused = refusal(client.find_key(Request::new(find(MARIA, BBX))).await);
    is(&refused, Code::Unauthenticated, "token_missing", "authorization");
    let wrong = RemoveKeyRequest { reason: 9, ..removal };
    let refused = refusal(client.remove_key(by(BANK, wrong)).await);
    is(&refused, Code::InvalidArgument, "removal_reason_unknown", "reason");
    assert!(directory.found(MARIA).await.is_some());
}

#[tokio::test]
async fn what_a_lookup_says_of_a_payment_must_be_well_formed() {
    let (directory, mut client) = setting().await;
    directory.register("r1", 1, MARIA).await.unwrap();
    let asked = FindKeyRequest {
        payer_tax_id: ANA.into(),
        end_to_end_id: "E00000002202611201200abcdefghijk".into(),
        ..find(MARIA, "")
    };
    client.find_key(by(OTHER, asked.clone())).await.unwrap();
    let wrong = [
        (FindKeyRequest { payer_tax_id: "1".into(), ..asked.clone() }, "tax_id_length"),
        (FindKeyRequest { end_to_end_id: "E1".into(), ..asked.clone() }, "end_to_end_id_length"),
        (FindKeyRequest { requester_ispb: "2".into(), ..asked.clone() }, "ispb_shape"),
        (FindKeyRequest { key: "?".into(), ..asked }, "key_shape"),
    ];
    for (message, reason) in wrong {
        let (code, got, _) = refusal(client.find_key(by(OTHER, message)).await);
        assert_eq!((code, got.as_str()), (Code::InvalidArgument, reason));
    }
}

#[tokio::test]
async fn operators_enrol_accounts_and_nobody_else_does() {
    let (_directory, mut client) = setting().await;
    let message = EnrolAccountRequest {
        account_id: id(5),
        ispb: CTER.into(),
        branch: String::new(),
        number: "3333".into(),
        owner_name: "User CTER 1".into(),
        owner_tax_id: ANA.into(),
    };
    let refused = refusal(client.enrol_account(by(OTHER, message.clone())).await);
    is(&refused, Code::PermissionDenied, "operator_only", "caller");
    for _ in 0..2 {
        let enrolled = client.enrol_account(by(OPERATOR, message.clone())).await.unwrap();
        let account = enrolled.into_inner().account.unwrap();
        assert_eq!((account.number.as_str(), account.bank_code.as_str()), ("3333", "002"));
    }
    let taken = EnrolAccountRequest { number: "4444".into(), ..message.clone() };
    let refused = refusal(client.enrol_account(by(OPERATOR, taken)).await);
    is(&refused, Code::AlreadyExists, "account_id_taken", "account_id");
    let unknown = EnrolAccountRequest { ispb: "99999999".into(), account_id: id(6), ..message };
    let refused = refusal(client.enrol_account(by(OPERATOR, unknown)).await);
    is(&refused, Code::NotFound, "participant_not_found", "ispb");
}
