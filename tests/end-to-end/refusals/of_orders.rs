//! Orders of transfers.

use codepix::client::banking::{RequestTransferRequest, SetAccountLimitsRequest};

use super::{NOBODY, Stage, exists, invalid, not_found, not_now};
use crate::support::scene::order;
use crate::support::{at_rest, refused};

#[tokio::test(flavor = "multi_thread")]
async fn orders() {
    let stage = Stage::set().await;
    stage.without_a_trace(order_wrongly).await;
}

async fn order_wrongly(stage: &Stage) {
    let right = || order(&stage.ana, &stage.bia_key, 100);
    let text = |text: &str| text.to_owned();
    let key = |payee_key: &str| RequestTransferRequest { payee_key: text(payee_key), ..right() };
    let amount = |amount_centavos| RequestTransferRequest { amount_centavos, ..right() };
    let from =
        |account_id: &str| RequestTransferRequest { account_id: text(account_id), ..right() };
    let range = invalid("amount_out_of_range", "amount_centavos");
    let cases = [
        (key(""), invalid("payee_key_shape", "payee_key")),
        (key("a b"), invalid("payee_key_shape", "payee_key")),
        (key("no-key-at-all"), invalid("payee_key_invalid", "payee_key")),
        (key("nobody@example.com"), not_found("key_not_found", "payee_key")),
        (key(&stage.ana_key), invalid("payer_is_payee", "payee_key")),
        (amount(0), range.clone()),
        (amount(-100), range.clone()),
        (amount(1_000_000_000_000), range),
        (amount(10_001), not_now("insufficient_funds", "amount_centavos")),
        (from("x"), invalid("account_id_shape", "account_id")),
        (from(NOBODY), not_found("account_not_found", "account_id")),
        (from(&stage.blocked.id), not_now("account_blocked", "account_id")),
        (from(&stage.closed.id), not_now("account_closed", "account_id")),
        (
            RequestTransferRequest { description: "x".repeat(141), ..right() },
            invalid("description_shape", "description"),
        ),
        (
            RequestTransferRequest { idempotency_key: String::new(), ..right() },
            invalid("idempotency_key_shape", "idempotency_key"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = stage.scene.bank(&stage.ana.ispb).request_transfer(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_above_the_limits_of_an_account() {
    let stage = Stage::set().await;
    let limits = SetAccountLimitsRequest {
        account_id: stage.ana.id.clone(),
        limit_per_transfer_centavos: Some(1_000),
        limit_per_day_centavos: Some(1_500),
    };
    stage.scene.bank(&stage.ana.ispb).set_account_limits(limits).await.unwrap();
    let id = stage.scene.send(&stage.ana, &stage.bia_key, 1_000).await.end_to_end_id;
    let done = codepix::client::transfers::TransferState::Completed;
    stage.scene.reaches(&id, done).await;
    at_rest(&stage.hub, &stage.scene).await;
    stage.log.read_to_the_end().await;
    stage
        .without_a_trace(async |stage: &Stage| {
            let per_transfer = not_now("limit_per_transfer_exceeded", "amount_centavos");
            let per_day = not_now("limit_per_day_exceeded", "amount_centavos");
            for (amount, expected) in [(1_001, per_transfer), (501, per_day)] {
                let asked = order(&stage.ana, &stage.bia_key, amount);
                let answer = stage.scene.bank(&stage.ana.ispb).request_transfer(asked).await;
                assert_eq!(refused(answer), expected);
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_under_the_key_of_another() {
    let stage = Stage::set().await;
    let first = order(&stage.ana, &stage.bia_key, 300);
    let bank = || stage.scene.bank(&stage.ana.ispb);
    let taken = bank().request_transfer(first.clone()).await.unwrap().into_inner();
    let id = taken.transfer.unwrap().end_to_end_id;
    let done = codepix::client::transfers::TransferState::Completed;
    stage.scene.reaches(&id, done).await;
    at_rest(&stage.hub, &stage.scene).await;
    stage.log.read_to_the_end().await;
    stage
        .without_a_trace(async |stage: &Stage| {
            let reused = exists("idempotency_key_reused", "idempotency_key");
            let others = [
                RequestTransferRequest { amount_centavos: 301, ..first.clone() },
                RequestTransferRequest { description: "lunch".into(), ..first.clone() },
                RequestTransferRequest { payee_key: "other@example.com".into(), ..first },
            ];
            for other in others {
                let answer = stage.scene.bank(&stage.ana.ispb).request_transfer(other).await;
                assert_eq!(refused(answer), reused);
            }
        })
        .await;
}
