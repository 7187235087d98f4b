//! What operators decide of a transfer that is overdue, and note of one that was credited all the
//! same.

use serde_json::json;
use shared_kernel::application::Caller;
use shared_kernel::domain::ReasonCode;

use super::tests::{bank, id, refusals, setting};
use crate::application::ports::{Acknowledgement, SavedResolution};
use crate::domain::testing::{PAYER_BANK, at, pending};
use crate::domain::{Resolution, Transfer, TransferEvent};

/// A transfer that was resolved as refused and credited all the same.
fn contradicted(number: u64) -> (Transfer, SavedResolution) {
    let mut transfer = pending(number);
    for event in [
        TransferEvent::Overdue { at: at(41) },
        TransferEvent::Rejected { reason: ReasonCode::Ed05, at: at(50) },
        TransferEvent::Contradicted { at: at(60) },
    ] {
        transfer.apply(event);
    }
    let resolution = SavedResolution {
        acknowledged: None,
        end_to_end_id: transfer.order().end_to_end_id,
        resolution: Resolution::Refused,
        reason: "they did not know it".into(),
        at: at(50),
    };
    (transfer, resolution)
}

#[tokio::test]
async fn what_an_operator_decided_is_told_to_operators_by_one_read() {
    let setting = setting();
    let (transfer, mut resolution) = contradicted(1);
    resolution.acknowledged = Some(Acknowledgement { reason: "paid back".into(), at: at(70) });
    setting.store.put_transfer(transfer);
    setting.store.tables().resolutions.push(resolution);
    let of = [id(1), id(2)].map(|id| json!({ "__typename": "Transfer", "id": id }));
    let selection = "... on Transfer { decision { resolution reason resolvedAt contradictedAt \
                     acknowledgement acknowledgedAt } }";
    let told = setting.entities(Caller::Operator, json!(of), selection).await;
    let decision = json!({
        "resolution": "REFUSED", "reason": "they did not know it",
        "resolvedAt": "2026-11-20T12:00:50.000000Z",
        "contradictedAt": "2026-11-20T12:01:00.000000Z",
        "acknowledgement": "paid back", "acknowledgedAt": "2026-11-20T12:01:10.000000Z",
    });
    let expected = json!([{ "decision": decision }, { "decision": null }]);
    assert_eq!(told.data.into_json().unwrap()["_entities"], expected);
    let reads = ["resolutions", "transfers"].map(|call| setting.calls(call));
    assert_eq!(reads, [1, 1]);
    let bank = setting.entities(bank(PAYER_BANK), json!(of), selection).await;
    assert_eq!(refusals(&bank), []);
    assert_eq!(bank.data.into_json().unwrap()["_entities"][0]["decision"], json!(null));
    assert_eq!(setting.calls("resolutions"), 1);
}

#[tokio::test]
async fn an_operator_acknowledges_what_was_credited_after_a_refusal_and_nothing_else() {
    let setting = setting();
    let (transfer, resolution) = contradicted(1);
    setting.store.put_transfer(transfer);
    setting.store.tables().resolutions.push(resolution);
    let acknowledge = |number, reason: &str| {
        format!(
            "mutation {{ acknowledgeCredit(input: {{ endToEndId: \"{}\", reason: \"{reason}\" }}) \
             {{ transfer {{ state decision {{ acknowledgement }} }} }} }}",
            id(number)
        )
    };
    let cases = [
        (bank(PAYER_BANK), acknowledge(1, "paid back"), "operator_only", "caller"),
        (Caller::Operator, acknowledge(1, " "), "acknowledgement_reason_shape", "reason"),
        (Caller::Operator, acknowledge(2, "x"), "transfer_not_contradicted", "endToEndId"),
        (
            Caller::Operator,
            acknowledge(1, "x").replace("endToEndId", "orderId"),
            "order_id_shape",
            "orderId",
        ),
    ];
    for (caller, query, code, field) in cases {
        let refused = refusals(&setting.ask(caller, &query).await);
        assert_eq!(refused, [(code.to_owned(), field.to_owned())], "{query}");
    }
    let told = setting.answer(Caller::Operator, &acknowledge(1, "paid back")).await;
    let expected = json!({ "state": "REJECTED", "decision": { "acknowledgement": "paid back" } });
    assert_eq!(told["acknowledgeCredit"]["transfer"], expected);
}
