//! However often a document asks for one sort of thing, that is one read.

use serde_json::json;
use shared_kernel::application::Caller;
use uuid::Uuid;

use super::tests::{Setting, bank, id, refusals, setting};
use crate::application::outside::{KnownOrder, OrderOutcome};
use crate::domain::OrderId;
use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, ispb, order, pending};

/// A document of so many fields, each under a name of its own.
fn document(fields: impl IntoIterator<Item = String>) -> String {
    let named = fields.into_iter().enumerate().map(|(place, field)| format!("f{place}: {field}"));
    format!("{{ {} }}", named.collect::<Vec<_>>().join(" "))
}

fn order_id(number: u64) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number.into()))
}

/// An order of the payer's bank.
fn put_order(setting: &Setting, number: u64, outcome: OrderOutcome) {
    let (order_id, payer) = (order_id(number), order(1).payer);
    let (bank, account_id) = (payer.ispb, payer.account_id);
    let known = KnownOrder { order_id, bank, account_id, content: None, outcome };
    setting.store.tables().orders.insert(order_id, known);
}

fn by_order(number: u64) -> String {
    format!("transfer(orderId: \"{}\") {{ id }}", order_id(number))
}

/// A schema over 18 transfers whose orders are known; order 19 was refused.
fn with_orders() -> Setting {
    let setting = setting();
    for number in 1..=18 {
        setting.store.put_transfer(pending(number));
        let (end_to_end_id, payee) = (order(number).end_to_end_id, ispb(PAYEE_BANK));
        put_order(&setting, number, OrderOutcome::Transfer { end_to_end_id, payee });
    }
    let sentence = "no key was found".into();
    put_order(&setting, 19, OrderOutcome::Refused { sentence });
    setting
}

#[tokio::test]
async fn transfers_by_their_orders_are_one_read_and_none_spoils_the_others() {
    let setting = with_orders();
    let query = document((1..=20).map(by_order));
    let response = setting.ask(bank(PAYER_BANK), &query).await;
    assert_eq!(refusals(&response), [("order_refused".to_owned(), "orderId".to_owned())]);
    let told = response.data.into_json().unwrap();
    for number in 1..=18 {
        assert_eq!(told[format!("f{}", number - 1)], json!({ "id": id(number) }));
    }
    assert_eq!((&told["f18"], &told["f19"]), (&json!(null), &json!(null)));
    assert_eq!(["orders", "transfers"].map(|call| setting.calls(call)), [1, 1]);
    // Another bank is told of none, and nobody else's answer is given to it.
    let response = setting.ask(bank("00000009"), &query).await;
    assert_eq!(refusals(&response), []);
    let told = response.data.into_json().unwrap();
    assert!(told.as_object().unwrap().values().all(serde_json::Value::is_null), "{told}");
}

#[tokio::test]
async fn transfers_by_ids_of_either_sort_are_read_together() {
    let setting = with_orders();
    let by_id = |number| format!("transfer(id: \"{}\") {{ id }}", id(number));
    let answer = setting
        .answer(Caller::Operator, &document((1..=10).map(by_id).chain((11..=18).map(by_order))))
        .await;
    for number in 1..=18 {
        assert_eq!(answer[format!("f{}", number - 1)], json!({ "id": id(number) }));
    }
    assert_eq!(["orders", "transfers"].map(|call| setting.calls(call)), [1, 1]);
    // Without an order no orders are read.
    setting.answer(Caller::Operator, &document((1..=3).map(by_id))).await;
    assert_eq!(["orders", "transfers"].map(|call| setting.calls(call)), [1, 2]);
}

#[tokio::test]
async fn lists_of_banks_are_one_read_whatever_is_asked_of_them() {
    let setting = setting();
    let sorts = ["(first: 1)", "", "(protocol: NATIVE)", "(protocol: CLASSIC)", "(first: 2)"];
    let fields = sorts.iter().cycle().take(20);
    let answer = setting
        .answer(
            bank(PAYER_BANK),
            &document(fields.map(|arguments| {
                format!("banks{arguments} {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}")
            })),
        )
        .await;
    let page = |ids: &[&str], more: bool| {
        let nodes: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "nodes": nodes, "pageInfo": { "hasNextPage": more } })
    };
    let both = page(&[PAYER_BANK, PAYEE_BANK], false);
    let pages =
        [page(&[PAYER_BANK], true), both.clone(), both.clone(), page(&[], false), both.clone()];
    for (place, expected) in pages.iter().cycle().take(20).enumerate() {
        assert_eq!(&answer[format!("f{place}")], expected, "{place}");
    }
    assert_eq!(setting.calls("participants"), 1);
    assert_eq!(setting.calls("participants_of"), 0);
}
