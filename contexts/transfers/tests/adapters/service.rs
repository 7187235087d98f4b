//! The gRPC service on a real database: answers, and refusals with their details.

use std::sync::Arc;

use shared_kernel::application::stop::StopHandle;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::testing::CountedIds;
use tonic::service::{Routes, RoutesBuilder};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use transfers::domain::OrderId;
use transfers::infrastructure::grpc::v1;
use transfers::infrastructure::grpc::v1::transfers_service_client::TransfersServiceClient;
use transfers::infrastructure::{FILE_DESCRIPTOR_SET, TransfersServices};

use crate::harness::{BBX, CTER, Hub, NLB, id_of, refused, requested, whole_life};

const TOKENS: &str =
    "operator=0000000000operator,00000001=00000000bank-bbx,00000NLB=00000000bank-nlb";

fn by<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

const OPERATOR: &str = "0000000000operator";
const BANK_BBX: &str = "00000000bank-bbx";
const BANK_NLB: &str = "00000000bank-nlb";

fn enrolment(code: &str) -> v1::EnrolParticipantRequest {
    v1::EnrolParticipantRequest {
        code: code.into(),
        name: format!("Bank {code}"),
        ..v1::EnrolParticipantRequest::default()
    }
}

/// Code of the transport, our stable code, and the field.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String, String) {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().unwrap().clone();
    assert_eq!(info.domain, "codepix");
    assert_eq!(status.metadata().get("codepix-error-code").unwrap(), info.reason.as_str());
    let field = details.bad_request().and_then(|bad| bad.field_violations.first());
    let field = field.map(|violation| violation.field.clone()).unwrap_or_default();
    (status.code(), info.reason, field)
}

fn refused_as(code: Code, reason: &str, field: &str) -> (Code, String, String) {
    (code, reason.to_owned(), field.to_owned())
}

/// The service over a hub's store; it works until the handle is dropped.
struct Service {
    hub: Hub,
    client: TransfersServiceClient<Routes>,
    _stop: StopHandle,
}

async fn service() -> Service {
    let hub = Hub::empty().await;
    let (facade, stop) = hub.facade();
    let callers = Arc::new(Callers::parse(TOKENS).unwrap());
    let ids = Arc::new(CountedIds::default());
    let mut routes = RoutesBuilder::default();
    TransfersServices::new(facade, callers, ids).add_to(&mut routes);
    let client = TransfersServiceClient::new(routes.routes());
    Service { hub, client, _stop: stop }
}

#[tokio::test]
async fn banks_are_enrolled_and_listed() {
    let mut service = service().await;
    let limited = v1::EnrolParticipantRequest {
        ispb: "12345678".into(),
        position_limit_centavos: Some(500),
        protocol: v1::ParticipantProtocol::Classic.into(),
        ..enrolment("XYZ")
    };
    let enrolled = service.client.enrol_participant(by(OPERATOR, limited)).await.unwrap();
    let bank = enrolled.into_inner().participant.unwrap();
    assert_eq!((bank.ispb.as_str(), bank.code.as_str()), ("12345678", "XYZ"));
    assert_eq!(bank.protocol(), v1::ParticipantProtocol::Classic);
    assert_eq!(bank.position_limit_centavos, Some(500));
    let renamed = v1::EnrolParticipantRequest {
        ispb: "12345678".into(),
        name: "Other".into(),
        ..enrolment("XYZ")
    };
    let renamed = service.client.enrol_participant(by(OPERATOR, renamed)).await.unwrap();
    let bank = v1::Participant { name: "Other".into(), ..bank };
    assert_eq!(renamed.into_inner().participant.unwrap(), bank, "what is not named stays");
    service.client.enrol_participant(by(OPERATOR, enrolment("001"))).await.unwrap();
    let listed = service.client.list_participants(by(BANK_NLB, v1::ListParticipantsRequest {}));
    let listed = listed.await.unwrap().into_inner().participants;
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].ispb.as_str(), &listed[1]), (BBX, &bank));
    let positions = service.client.list_positions(by(OPERATOR, v1::ListPositionsRequest {}));
    assert_eq!(positions.await.unwrap().into_inner().positions.len(), 2);
    let own = service.client.list_positions(by(BANK_BBX, v1::ListPositionsRequest {}));
    let own = own.await.unwrap().into_inner().positions;
    let expected = v1::Position { ispb: BBX.into(), position_centavos: 0, reserved_centavos: 0 };
    assert_eq!(own, [expected]);
}

#[tokio::test]
async fn refused_enrolments_say_why() {
    let mut service = service().await;
    service.client.enrol_participant(by(OPERATOR, enrolment("001"))).await.unwrap();
    let request = |edit: fn(&mut v1::EnrolParticipantRequest)| {
        let mut request = enrolment("001");
        edit(&mut request);
        request
    };
    let cases = [
        (request(|it| it.code = "0 1".into()), Code::InvalidArgument, "bank_code_shape", "code"),
        (request(|it| it.name = " ".into()), Code::InvalidArgument, "name_shape", "name"),
        (request(|it| it.ispb = "1".into()), Code::InvalidArgument, "ispb_shape", "ispb"),
        (
            request(|it| it.protocol = 9),
            Code::InvalidArgument,
            "participant_protocol_unknown",
            "protocol",
        ),
        (
            request(|it| it.position_limit_centavos = Some(-1)),
            Code::InvalidArgument,
            "position_limit_negative",
            "position_limit_centavos",
        ),
        (
            request(|it| {
                it.position_limit_centavos = Some(1);
                it.no_position_limit = true;
            }),
            Code::InvalidArgument,
            "position_limit_ambiguous",
            "no_position_limit",
        ),
        (request(|it| it.ispb = "00000009".into()), Code::AlreadyExists, "bank_code_taken", "code"),
        (
            request(|it| {
                it.ispb = BBX.into();
                it.code = "009".into();
            }),
            Code::FailedPrecondition,
            "bank_code_fixed",
            "code",
        ),
    ];
    for (request, code, reason, field) in cases {
        let answer = service.client.enrol_participant(by(OPERATOR, request)).await;
        assert_eq!(refusal(answer), refused_as(code, reason, field));
    }
    let answer = service.client.enrol_participant(by(BANK_BBX, enrolment("002"))).await;
    let expected = refused_as(Code::PermissionDenied, "operator_only", "caller");
    assert_eq!(refusal(answer), expected);
    let answer = service.client.enrol_participant(enrolment("002")).await;
    let expected = refused_as(Code::Unauthenticated, "token_missing", "authorization");
    assert_eq!(refusal(answer), expected);
}

#[tokio::test]
async fn transfers_are_found_listed_and_watched_by_those_they_concern() {
    let mut service = service().await;
    for code in ["001", "002", "NLB"] {
        service.client.enrol_participant(by(OPERATOR, enrolment(code))).await.unwrap();
    }
    let ids = [id_of(BBX, 1), id_of(BBX, 2), id_of(BBX, 3)];
    service.hub.hear(&whole_life(ids[0], CTER, 1_500)).await;
    service.hub.hear(&[requested(ids[1], NLB, 1), refused(ids[1], NLB, "AC07")]).await;
    service.hub.hear(&[requested(ids[2], CTER, 1)]).await;
    let request = |number: usize| v1::GetTransferRequest {
        end_to_end_id: ids[number].to_string(),
        ..v1::GetTransferRequest::default()
    };
    let wanted =
        [v1::TransferState::Completed, v1::TransferState::Rejected, v1::TransferState::Pending];
    let mut client = service.client.clone();
    let mut found = Vec::new();
    for number in 0..3 {
        let answer = client.get_transfer(by(OPERATOR, request(number))).await.unwrap();
        found.push(answer.into_inner().transfer.unwrap());
    }
    assert_eq!(found.iter().map(v1::Transfer::state).collect::<Vec<_>>(), wanted);
    assert_eq!((found[0].amount_centavos, found[0].version), (1_500, 3));
    assert!(found[0].confirmed_at.is_some() && found[0].reason.is_none());
    let reason = found[1].reason.clone().unwrap();
    assert_eq!((reason.code.as_str(), reason.sentence.is_empty()), ("AC07", false));

    // The second concerns bank NLB, the first does not.
    let own = client.get_transfer(by(BANK_NLB, request(1))).await.unwrap().into_inner();
    assert_eq!(own.transfer.as_ref(), Some(&found[1]));
    let unknown = refused_as(Code::NotFound, "transfer_unknown", "end_to_end_id");
    assert_eq!(refusal(client.get_transfer(by(BANK_NLB, request(0))).await), unknown);
    let watch = |number: usize| v1::WatchTransferRequest { end_to_end_id: ids[number].to_string() };
    let mut watched = client.watch_transfer(by(BANK_NLB, watch(1))).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().transfer.as_ref(), Some(&found[1]));
    assert_eq!(watched.message().await.unwrap(), None);
    let mut watched = client.watch_transfer(by(BANK_NLB, watch(0))).await.unwrap().into_inner();
    assert_eq!(refusal(watched.message().await), unknown);

    let list = |token: String| v1::ListTransfersRequest {
        ispb: BBX.into(),
        page_size: 2,
        page_token: token,
        ..v1::ListTransfersRequest::default()
    };
    let first = client.list_transfers(by(BANK_BBX, list(String::new()))).await.unwrap();
    let first = first.into_inner();
    let second = client.list_transfers(by(BANK_BBX, list(first.next_page_token))).await.unwrap();
    let second = second.into_inner();
    assert_eq!((first.transfers.len(), second.transfers.len()), (2, 1));
    assert_eq!(second.next_page_token, "");
}

#[tokio::test]
async fn refused_questions_say_why() {
    let mut service = service().await;
    let get = v1::GetTransferRequest { end_to_end_id: "E1".into(), order_id: String::new() };
    let expected = refused_as(Code::InvalidArgument, "end_to_end_id_length", "end_to_end_id");
    assert_eq!(refusal(service.client.get_transfer(by(OPERATOR, get)).await), expected);
    let list = |ispb: &str, page_size, page_token: &str, state| v1::ListTransfersRequest {
        ispb: ispb.into(),
        state,
        page_size,
        page_token: page_token.into(),
    };
    let cases = [
        (OPERATOR, list("", 201, "", 0), Code::InvalidArgument, "page_size_range", "page_size"),
        (OPERATOR, list("", 1, "zz", 0), Code::InvalidArgument, "page_token_shape", "page_token"),
        (OPERATOR, list("1", 1, "", 0), Code::InvalidArgument, "ispb_shape", "ispb"),
        (OPERATOR, list("", 1, "", 9), Code::InvalidArgument, "transfer_state_unknown", "state"),
        (BANK_BBX, list("", 1, "", 0), Code::PermissionDenied, "operator_only", "caller"),
        (
            BANK_BBX,
            list(NLB, 1, "", 0),
            Code::PermissionDenied,
            "caller_may_not_act_for_bank",
            "ispb",
        ),
    ];
    for (token, request, code, reason, field) in cases {
        let answer = service.client.list_transfers(by(token, request)).await;
        assert_eq!(refusal(answer), refused_as(code, reason, field));
    }
    assert!(!FILE_DESCRIPTOR_SET.is_empty());
}

#[tokio::test]
async fn operators_and_banks_find_a_transfer_by_the_id_of_its_order_and_end_it_by_that() {
    let mut service = service().await;
    service.client.enrol_participant(by(OPERATOR, enrolment("001"))).await.unwrap();
    let protocol = v1::ParticipantProtocol::Classic.into();
    let classic = v1::EnrolParticipantRequest { protocol, ..enrolment("002") };
    service.client.enrol_participant(by(OPERATOR, classic)).await.unwrap();
    let id = id_of(BBX, 1);
    service.hub.hear(&[requested(id, CTER, 100)]).await;
    let order_id = OrderId::of(&id).to_string();
    let get = |end_to_end_id: &str, order_id: &str| v1::GetTransferRequest {
        end_to_end_id: end_to_end_id.to_owned(),
        order_id: order_id.to_owned(),
    };
    let found = service.client.get_transfer(by(BANK_BBX, get("", &order_id))).await.unwrap();
    let found = found.into_inner().transfer.unwrap();
    assert_eq!((found.end_to_end_id, &found.order_id), (id.to_string(), &order_id));
    let cases = [
        (BANK_NLB, get("", &order_id), Code::NotFound, "order_unknown"),
        (OPERATOR, get("", &id_of(BBX, 1).to_string()), Code::InvalidArgument, "order_id_shape"),
        (OPERATOR, get(&id.to_string(), &order_id), Code::InvalidArgument, "transfer_id_ambiguous"),
    ];
    for (token, request, code, reason) in cases {
        let answer = service.client.get_transfer(by(token, request)).await;
        assert_eq!(refusal(answer), refused_as(code, reason, "order_id"));
    }

    let resolve = v1::ResolveTransferRequest {
        order_id: order_id.clone(),
        resolution: v1::Resolution::Refused.into(),
        reason: "they did not know it".into(),
        ..v1::ResolveTransferRequest::default()
    };
    let acknowledge = || v1::AcknowledgeCreditRequest {
        order_id: order_id.clone(),
        reason: "they paid it back".into(),
        ..v1::AcknowledgeCreditRequest::default()
    };
    let early = service.client.resolve_transfer(by(OPERATOR, resolve.clone())).await;
    assert_eq!(refusal(early).1, "transfer_not_overdue");
    // Handed over, overdue.
    service.hub.sql("DELETE FROM transfers.hand_over").await;
    service.hub.sql("UPDATE transfers.transfer SET overdue_at = now()").await;
    let resolved = service.client.resolve_transfer(by(OPERATOR, resolve)).await.unwrap();
    assert_eq!(resolved.into_inner().transfer.unwrap().state(), v1::TransferState::Rejected);
    let early = service.client.acknowledge_credit(by(OPERATOR, acknowledge())).await;
    assert_eq!(refusal(early).1, "transfer_not_contradicted");
    service.hub.sql("UPDATE transfers.transfer SET contradicted_at = now()").await;
    let audit = service.hub.audit();
    let open = audit.hub(service.hub.now()).await.unwrap();
    let [contradiction] = open.contradicted.as_slice() else { panic!("{open:?}") };
    assert_eq!(contradiction.order_id.unwrap().to_string(), order_id);
    assert!(!open.is_sound());
    let strange = service.client.acknowledge_credit(by(BANK_BBX, acknowledge())).await;
    assert_eq!(refusal(strange).1, "operator_only");
    let answer = service.client.acknowledge_credit(by(OPERATOR, acknowledge())).await.unwrap();
    let resolution = answer.into_inner().resolution.unwrap();
    assert_eq!(resolution.acknowledgement, "they paid it back");
    assert!(resolution.acknowledged_at.is_some() && resolution.contradicted_at.is_some());
    let settled = audit.hub(service.hub.now()).await.unwrap();
    assert_eq!(settled.contradicted[0].acknowledged.as_deref(), Some("they paid it back"));
    assert!(settled.is_sound(), "{settled:?}");
}
