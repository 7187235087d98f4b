//! The hub's part of the graph on real servers: what it answers, and what follows from events.

use std::sync::Arc;

use async_graphql::{Request, Response, Variables};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use shared_kernel::application::Caller;
use shared_kernel::domain::EndToEndId;
use shared_kernel::testing::{CountedIds, TestServers};
use transfers::application::TransfersOf;
use transfers::infrastructure::{GraphSchema, graphql};

use crate::harness::{
    BBX, CTER, Hub, NLB, accepted, account_of, id_of, ispb, present_id_of, refused, requested,
    settled_by_payee, settled_by_payer, whole_life,
};
use crate::node::{Banks, Node};

async fn answer(graph: &GraphSchema, caller: Caller, query: &str) -> Value {
    let response = graph.execute(Request::new(query).data(caller)).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

async fn next(stream: &mut (impl Stream<Item = Response> + Unpin)) -> Value {
    let response = stream.next().await.unwrap();
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()["transferUpdated"].clone()
}

#[tokio::test]
async fn entities_and_lists_are_read_from_the_store() {
    let hub = Hub::new().await;
    let (first, second, third) = (id_of(BBX, 1), id_of(BBX, 2), id_of(NLB, 3));
    for said in [
        whole_life(first, CTER, 1_000).to_vec(),
        vec![requested(second, NLB, 500), refused(second, NLB, "AC07")],
        vec![requested(third, BBX, 250), accepted(third, BBX)],
    ] {
        assert_eq!(hub.hear(&said).await, []);
        hub.pass(1);
    }
    let (facade, _stop) = hub.facade();
    let graph = graphql::schema(&facade, Arc::new(CountedIds::default()));
    let found = answer(
        &graph,
        Caller::Bank(ispb(CTER)),
        &format!(
            "{{ transfer(id: \"{first}\") {{ state amount description payer {{ bank {{ name \
               position }} }} payee {{ bank {{ position }} }} }} \
             foreign: transfer(id: \"{second}\") {{ state }} }}"
        ),
    )
    .await;
    let expected = json!({
        "transfer": {
            "state": "COMPLETED", "amount": "10.00", "description": "rent \"of\" November",
            "payer": { "bank": { "name": "Bank 001", "position": null } },
            "payee": { "bank": { "position": "10.00" } },
        },
        "foreign": null,
    });
    assert_eq!(found, expected);

    let query = "query($of: [_Any!]!) { _entities(representations: $of) { \
         ... on Transfer { state reason { code } } \
         ... on Bank { code transfers(state: REJECTED) { nodes { id } } } \
         ... on Account { sent: transfers(direction: SENT) { nodes { id } } \
             confirmed: transfers(state: CONFIRMED) { nodes { id } } } } }";
    let of = json!([
        { "__typename": "Transfer", "id": second },
        { "__typename": "Bank", "id": BBX },
        { "__typename": "Account", "id": account_of(BBX) },
        { "__typename": "Account", "id": account_of(NLB) },
        { "__typename": "Transfer", "id": id_of(BBX, 9) },
    ]);
    let variables = Variables::from_json(json!({ "of": of }));
    let request = Request::new(query).variables(variables).data(Caller::Bank(ispb(BBX)));
    let response = graph.execute(request).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let nodes = |ids: &[EndToEndId]| {
        let nodes: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "nodes": nodes })
    };
    let expected = json!([
        { "state": "REJECTED", "reason": { "code": "AC07" } },
        { "code": "001", "transfers": nodes(&[second]) },
        { "sent": nodes(&[second, first]), "confirmed": nodes(&[third]) },
        { "sent": nodes(&[]), "confirmed": nodes(&[]) },
        null,
    ]);
    assert_eq!(response.data.into_json().unwrap()["_entities"], expected);
}

#[tokio::test]
async fn transfers_are_followed_by_their_events() {
    let servers = TestServers::fresh().await;
    let node = Node::start(&servers).await;
    let enrol = "mutation { first: enrolBank(input: { code: \"001\", name: \"BBX\" }) { bank { \
                 id } } second: enrolBank(input: { code: \"002\", name: \"CTER\" }) { bank { id \
                 protocol } } }";
    let enrolled = answer(&node.graph, Caller::Operator, enrol).await;
    let expected = json!({
        "first": { "bank": { "id": BBX } },
        "second": { "bank": { "id": CTER, "protocol": "NATIVE" } },
    });
    assert_eq!(enrolled, expected);
    // The log is listened to before anything is said.
    let feed = node.facade.follow_transfers.clone();
    drop(feed.execute(Caller::Operator, TransfersOf::All).await.unwrap());

    let id = present_id_of(BBX, 1);
    let follow = |caller: Caller, of: String| {
        let query = format!("subscription {{ transferUpdated({of}) {{ id state }} }}");
        node.graph.execute_stream(Request::new(query).data(caller))
    };
    let mut of_bank = follow(Caller::Bank(ispb(CTER)), format!("ispb: \"{CTER}\""));
    let account = account_of(BBX);
    let mut of_account = follow(Caller::Bank(ispb(BBX)), format!("accountId: \"{account}\""));
    // A stream listens once it is asked for the first time.
    let (mut from_bank, mut from_account) = (Box::pin(of_bank.next()), Box::pin(of_account.next()));
    for _ in 0..10 {
        assert!(futures::poll!(&mut from_bank).is_pending());
        assert!(futures::poll!(&mut from_account).is_pending());
    }
    let banks = Banks::new(&servers);
    banks.say(&[requested(id, CTER, 1_000)]).await;
    let told = |state: &str| json!({ "id": id, "state": state });
    for first in [from_bank.await, from_account.await] {
        let data = first.unwrap().data.into_json().unwrap();
        assert_eq!(data, json!({ "transferUpdated": told("PENDING") }));
    }
    let mut of_one = follow(Caller::Operator, format!("id: \"{id}\""));
    assert_eq!(next(&mut of_one).await, told("PENDING"));
    banks.say(&[accepted(id, CTER)]).await;
    for stream in [&mut of_bank, &mut of_account, &mut of_one] {
        assert_eq!(next(stream).await, told("CONFIRMED"));
    }
    banks.say(&[settled_by_payee(id, CTER), settled_by_payer(id)]).await;
    for stream in [&mut of_bank, &mut of_account, &mut of_one] {
        assert_eq!(next(stream).await, told("COMPLETED"));
    }
    assert!(of_one.next().await.is_none());
    node.stop().await;
    assert!(!of_bank.next().await.unwrap().errors.is_empty());
}
