//! Events of one subgraph, completed by the others: in this process, and over WebSocket.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Variables};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::cases::errors_of;
use crate::shop::{Asked, Shop};
use crate::subgraphs::Caller;

const ADDED: &str = "subscription($authors: [ID!]!) {
    reviewAdded(authors: $authors) { id author { nickname } product { name askedBy } }
}";

async fn events(shop: &Shop, request: Request, session: Option<Data>) -> Vec<Value> {
    let stream = shop.graph.execute_stream(request, session.map(Arc::new));
    stream.map(|event| serde_json::to_value(event).unwrap()).collect().await
}

fn added(authors: &Value) -> Request {
    Request::new(ADDED).variables(Variables::from_json(json!({ "authors": authors })))
}

fn event(number: u32, nickname: &Value, caller: &Value) -> Value {
    json!({ "reviewAdded": {
        "id": format!("r-{number}"),
        "author": { "nickname": nickname },
        "product": { "name": "Product 1", "askedBy": caller }
    } })
}

pub(crate) async fn each_event_is_completed(shop: &Shop) {
    let request = added(&json!(["u-ana", "u-broken", "u-bia"])).data(Caller("eva".to_owned()));
    let events = events(shop, request, None).await;
    let (null, eva) = (json!(null), json!("eva"));
    let data: Vec<&Value> = events.iter().map(|event| &event["data"]).collect();
    let nicknames = [json!("aninha"), null.clone(), null];
    let wanted = nicknames.iter().zip(1..).map(|(nickname, number)| event(number, nickname, &eva));
    assert_eq!(data, wanted.collect::<Vec<Value>>().iter().collect::<Vec<_>>());
    let failed = [("internal_error".to_owned(), "reviewAdded.author".to_owned())];
    let errors: Vec<_> = events.iter().map(errors_of).collect();
    assert_eq!(errors, [vec![], failed.to_vec(), vec![]]);
    let people = shop.asked().into_iter().filter(|asked| *asked == Asked("people", 1)).count();
    assert_eq!(people, 3);
}

#[tokio::test]
async fn each_event_is_completed_in_this_process() {
    each_event_is_completed(&Shop::here()).await;
}

#[tokio::test]
async fn each_event_is_completed_over_websocket() {
    each_event_is_completed(&Shop::remote().await).await;
}

#[tokio::test]
async fn who_opened_the_session_is_carried_unless_the_request_says_who() {
    let shop = Shop::here();
    let session = || {
        let mut session = Data::default();
        session.insert(Caller("session".to_owned()));
        Some(session)
    };
    let from_session = events(&shop, added(&json!(["u-ana"])), session()).await;
    let request = added(&json!(["u-ana"])).data(Caller("request".to_owned()));
    let from_request = events(&shop, request, session()).await;
    let caller = |events: &[Value]| events[0]["data"]["reviewAdded"]["product"]["askedBy"].clone();
    assert_eq!(caller(&from_session), json!("session"));
    assert_eq!(caller(&from_request), json!("request"));
}

#[tokio::test]
async fn queries_and_mutations_are_answered_once_over_the_same_way() {
    let shop = Shop::here();
    let mut session = Data::default();
    session.insert(Caller("ana".to_owned()));
    let answers = events(&shop, Request::new("{ me { nickname name } }"), Some(session)).await;
    assert_eq!(answers, [json!({ "data": { "me": { "nickname": null, "name": "ana" } } })]);
    let refused = events(&shop, Request::new("{ none }"), None).await;
    assert_eq!(refused.len(), 1);
    assert_eq!(errors_of(&refused[0])[0].0, "graphql_validation_failed");
}

#[tokio::test]
async fn a_subscription_with_wrong_variables_is_refused_before_it_starts() {
    let shop = Shop::here();
    let refused = events(&shop, added(&json!(null)), None).await;
    assert_eq!(refused.len(), 1);
    assert_eq!(errors_of(&refused[0])[0].0, "variable_invalid");
    assert_eq!(shop.asked(), []);
}

#[tokio::test]
async fn conditions_and_type_names_hold_for_events() {
    let query = "subscription($deep: Boolean!) {
        reviewAdded(authors: [\"u-ana\"]) { __typename stars author @include(if: $deep) { name } }
    }";
    let shop = Shop::here();
    for (deep, author) in [(true, Some(json!({ "name": "ana" }))), (false, None)] {
        let variables = Variables::from_json(json!({ "deep": deep }));
        let events = events(&shop, Request::new(query).variables(variables), None).await;
        let review = &events[0]["data"]["reviewAdded"];
        assert_eq!(review["__typename"], json!("Review"));
        assert_eq!(review.get("author"), author.as_ref());
    }
}
