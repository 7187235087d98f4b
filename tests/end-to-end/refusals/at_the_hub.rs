//! Participants and questions to the hub.

use codepix::client::transfers::{
    EnrolParticipantRequest, GetTransferRequest, ListTransfersRequest, WatchTransferRequest,
};

use super::{NOBODY, Stage, exists, invalid, not_found, not_now};
use crate::support::balances::balance;
use crate::support::scene::enrolment;
use crate::support::{Refused, refused};

/// A transfer that never was.
const NEVER: &str = "E0000000120260101120000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn enrolments() {
    let stage = Stage::set().await;
    stage.without_a_trace(enrol_wrongly).await;
}

async fn enrol_wrongly(stage: &Stage) {
    let right = || enrolment("003");
    let text = |text: &str| text.to_owned();
    let cases = [
        (EnrolParticipantRequest { code: text(""), ..right() }, invalid("bank_code_shape", "code")),
        (
            EnrolParticipantRequest { code: text("0 3"), ..right() },
            invalid("bank_code_shape", "code"),
        ),
        (EnrolParticipantRequest { name: text(" "), ..right() }, invalid("name_shape", "name")),
        (EnrolParticipantRequest { ispb: text("3"), ..right() }, invalid("ispb_shape", "ispb")),
        (
            EnrolParticipantRequest { code: text("1234567890"), ..right() },
            invalid("ispb_required", "ispb"),
        ),
        (
            EnrolParticipantRequest { position_limit_centavos: Some(-1), ..right() },
            invalid("position_limit_negative", "position_limit_centavos"),
        ),
        (
            EnrolParticipantRequest {
                position_limit_centavos: Some(1),
                no_position_limit: true,
                ..right()
            },
            invalid("position_limit_ambiguous", "no_position_limit"),
        ),
        (
            EnrolParticipantRequest { protocol: 99, ..right() },
            invalid("participant_protocol_unknown", "protocol"),
        ),
        (
            EnrolParticipantRequest { ispb: text("00000003"), ..enrolment("002") },
            exists("bank_code_taken", "code"),
        ),
        (
            EnrolParticipantRequest { ispb: text("00000002"), ..right() },
            not_now("bank_code_fixed", "code"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = stage.scene.transfers.transfers().enrol_participant(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions() {
    let stage = Stage::set().await;
    stage
        .without_a_trace(async |stage: &Stage| {
            ask_the_hub(stage).await;
            let answer = balance(&stage.scene.balances, NOBODY).await;
            assert_eq!(refused(answer), not_found("balance_unknown", "account_id"));
            let answer = balance(&stage.scene.balances, "x").await;
            assert_eq!(refused(answer), invalid("account_id_shape", "account_id"));
        })
        .await;
}

async fn ask_the_hub(stage: &Stage) {
    let hub = || stage.scene.transfers.transfers();
    let get = |id: &str| GetTransferRequest {
        end_to_end_id: id.to_owned(),
        ..GetTransferRequest::default()
    };
    let never = not_found("transfer_unknown", "end_to_end_id");
    assert_eq!(refused(hub().get_transfer(get(NEVER)).await), never);
    let length = invalid("end_to_end_id_length", "end_to_end_id");
    assert_eq!(refused(hub().get_transfer(get("E1")).await), length);

    // A stream is refused before its first word or in place of it.
    let watch = WatchTransferRequest { end_to_end_id: NEVER.to_owned() };
    let refusal = match hub().watch_transfer(watch).await {
        Err(status) => status,
        Ok(stream) => stream.into_inner().message().await.unwrap_err(),
    };
    assert_eq!(Refused::of(&refusal), never);

    let right = || ListTransfersRequest {
        ispb: String::new(),
        state: 0,
        page_size: 0,
        page_token: String::new(),
    };
    let cases = [
        (ListTransfersRequest { ispb: "1".into(), ..right() }, invalid("ispb_shape", "ispb")),
        (ListTransfersRequest { state: 99, ..right() }, invalid("transfer_state_unknown", "state")),
        (
            ListTransfersRequest { page_size: 201, ..right() },
            invalid("page_size_range", "page_size"),
        ),
        (
            ListTransfersRequest { page_token: "x".into(), ..right() },
            invalid("page_token_shape", "page_token"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = hub().list_transfers(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}
