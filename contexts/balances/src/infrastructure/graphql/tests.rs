//! The subgraph over mocked ports: how many questions, what is null, what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_graphql::{Request, Response, Variables};
use futures::StreamExt as _;
use serde_json::{Value, json};
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::application::{Caller, StoreError};
use shared_kernel::domain::{AccountId, Ispb, Money, Timestamp};
use shared_kernel::infrastructure::graphql::together;
use shared_kernel::testing::{FixedClock, undocumented};

use super::{GraphSchema, schema};
use crate::application::Balances;
use crate::application::ports::{
    MockBalancesReads, MockCommitWatch, MockCommits, PastState, StatementLine,
};
use crate::domain::testing::{account, event, movement};
use crate::domain::{
    AccountBalance, AccountEvent, Direction, ExternalState, KnownBalance, Standing,
};
use crate::infrastructure::kafka::AccountFeed;

/// A feed, and what stops it.
fn feed() -> (StopHandle, AccountFeed) {
    let (handle, stop) = stop_pair();
    (handle, AccountFeed::new(stop))
}

/// Ends once somebody follows; a subscription begins with its first poll.
async fn followed(feed: &AccountFeed) {
    while feed.followers() == 0 {
        tokio::task::yield_now().await;
    }
}

fn graph_over(reads: MockBalancesReads, commits: MockCommits, feed: AccountFeed) -> GraphSchema {
    let clock = Arc::new(FixedClock::default());
    let facade = Balances::new(Arc::new(reads), Arc::new(commits), clock);
    schema(&Arc::new(facade), feed)
}

fn graph_with(reads: MockBalancesReads, feed: AccountFeed) -> GraphSchema {
    graph_over(reads, MockCommits::new(), feed)
}

/// A graph whose questions wait for commits.
fn waiting(reads: MockBalancesReads, commits: MockCommits) -> GraphSchema {
    graph_over(reads, commits, feed().1)
}

/// Commits of which nobody hears, so that so many waits end by the clock.
fn unheard(waits: usize) -> MockCommits {
    let mut commits = MockCommits::new();
    commits.expect_listen().times(waits).returning(|_| {
        let mut watch = MockCommitWatch::new();
        watch.expect_reached().returning(|_| false);
        Box::new(watch)
    });
    commits
}

fn graph(reads: MockBalancesReads) -> GraphSchema {
    graph_with(reads, feed().1)
}

const OTHER_BANK: &str = "99999999";

fn other_bank() -> Caller {
    Caller::Bank(Ispb::parse(OTHER_BANK).unwrap())
}

/// Reads that know accounts 1 and 2, asked so often for the present.
fn knows(times: usize) -> MockBalancesReads {
    let mut reads = MockBalancesReads::new();
    reads.expect_balances().times(times).returning(|wanted| {
        let known = [1, 2].map(|it| KnownBalance::from(AccountBalance::begin(&event(it, 1))));
        Ok(known.into_iter().filter(|it| wanted.contains(&it.account_id())).collect())
    });
    reads
}

async fn entities(graph: &GraphSchema, caller: Caller, ids: &[&str], fields: &str) -> Response {
    let representations: Vec<Value> =
        ids.iter().map(|id| json!({ "__typename": "Account", "id": id })).collect();
    let query = format!(
        "query($of: [_Any!]!) {{ _entities(representations: $of) {{ \
         ... on Account {{ {fields} }} }} }}"
    );
    let variables = Variables::from_json(json!({ "of": representations }));
    together(graph.execute(Request::new(query).variables(variables).data(caller))).await
}

fn data(response: Response) -> Value {
    assert_eq!(response.errors, []);
    response.data.into_json().unwrap()
}

fn codes(response: &Response) -> Vec<String> {
    let code = |error: &async_graphql::ServerError| {
        let code = error.extensions.as_ref().and_then(|it| it.get("code").cloned());
        code.unwrap().into_json().unwrap().as_str().unwrap().to_owned()
    };
    response.errors.iter().map(code).collect()
}

fn id(number: u128) -> String {
    account(number).to_string()
}

#[tokio::test]
async fn everything_is_described() {
    let found = undocumented(&graph(knows(0)), &["Account", "Bank", "PixKey", "Transfer"]).await;
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test]
async fn two_hundred_accounts_are_one_question_too() {
    let ids: Vec<String> = (0..200).map(id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let answer = entities(&graph(knows(1)), Caller::Operator, &ids, "balance { version }").await;
    let answer = data(answer)["_entities"].clone();
    assert_eq!(answer[2], json!({ "balance": { "version": 1 } }));
    assert_eq!(answer[199], json!({ "balance": null }));
}

#[tokio::test]
async fn balances_of_many_accounts_are_one_question_and_unknown_ones_are_null() {
    let graph = graph(knows(1));
    let ids = [id(2), id(7), id(1), "x".to_owned()];
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fields = "id balance { available held total version updatedAt account { id } }";
    let answer = data(entities(&graph, Caller::Operator, &ids, fields).await);
    let shown = |number| {
        json!({ "id": id(number), "balance": {
            "available": "1.00", "held": "0.01", "total": "1.01", "version": 1,
            "updatedAt": "1970-01-01T00:00:00.000001Z", "account": { "id": id(number) },
        }})
    };
    let unknown = json!({ "id": id(7), "balance": null });
    assert_eq!(answer["_entities"], json!([shown(2), unknown, shown(1), null]));
}

#[tokio::test]
async fn past_and_present_are_a_question_each() {
    let mut reads = knows(1);
    reads.expect_past_states().times(1).returning(|wanted| {
        let past = |(of, at): &(_, Timestamp)| {
            let event = event(1, 3);
            let standing = (at.micros() >= 3).then_some(Standing::Banked(event.state));
            Some(PastState { account_id: *of, ispb: Some(event.ispb), standing })
        };
        Ok(wanted.iter().map(past).collect())
    });
    let fields = "now: balance { version } \
        then: balance(at: \"1970-01-01T00:00:00.000003Z\") { version } \
        before: balance(at: \"1970-01-01T00:00:00Z\") { version }";
    let answer = data(entities(&graph(reads), Caller::Operator, &[&id(1)], fields).await);
    let expected = json!({ "now": { "version": 1 }, "then": { "version": 3 }, "before": null });
    assert_eq!(answer["_entities"][0], expected);
}

#[tokio::test]
async fn statements_of_many_accounts_are_one_question_with_their_windows() {
    let mut reads = knows(1);
    reads.expect_statements().times(1).returning(|windows| {
        let line = |version| StatementLine {
            state: event(1, version).state,
            movement: movement(7),
            payee_key: Some("rui@example.com".into()),
        };
        Ok(windows.iter().map(|it| vec![line(it.limit), line(1)]).collect())
    });
    let fields = "statement(first: 1) { pageInfo { hasNextPage } edges { cursor node { \
        version kind direction amount balance description \
        counterparty { name bank { id } account { id } } transfer { id } payeeKey { id } } } }";
    let answer = entities(&graph(reads), Caller::Operator, &[&id(1), &id(2), &id(7)], fields).await;
    let answer = data(answer)["_entities"].clone();
    let statement = &answer[1]["statement"];
    assert_eq!(statement["pageInfo"]["hasNextPage"], true);
    let expected = json!({
        "version": 2, "kind": "TRANSFER_RECEIVED", "direction": "CREDIT", "amount": "0.07",
        "balance": "2.02", "description": "for lunch",
        "counterparty": { "name": "Rui", "bank": { "id": "00000002" }, "account": null },
        "transfer": { "id": movement(7).end_to_end_id }, "payeeKey": { "id": "rui@example.com" },
    });
    assert_eq!(statement["edges"][0]["node"], expected);
    assert_eq!(answer[2]["statement"], Value::Null);
}

#[tokio::test]
async fn a_statement_may_be_of_one_direction() {
    let mut reads = knows(1);
    reads.expect_statements().times(1).returning(|windows| {
        let asked: Vec<_> = windows.iter().map(|window| window.direction).collect();
        assert!(asked.contains(&None) && asked.contains(&Some(Direction::Debit)), "{asked:?}");
        Ok(windows.iter().map(|_| Vec::new()).collect())
    });
    let fields = "all: statement { edges { cursor } } \
        went: statement(direction: DEBIT) { edges { cursor } }";
    let answer = data(entities(&graph(reads), Caller::Operator, &[&id(1)], fields).await);
    assert_eq!(answer["_entities"][0]["went"]["edges"], json!([]));
}

#[tokio::test]
async fn one_account_that_is_behind_takes_no_other_along() {
    let mut reads = MockBalancesReads::new();
    reads.expect_balances().returning(|wanted| {
        let version = |of: &AccountId| if *of == account(1) { 1 } else { 7 };
        let known = [1, 2].map(|it| (account(it), it));
        let known = known.into_iter().filter(|(of, _)| wanted.contains(of));
        let balance = |(of, it): (_, u128)| AccountBalance::begin(&event(it, version(&of))).into();
        Ok(known.map(balance).collect())
    });
    // The wait of the first ends by the clock; the second listens before it knows.
    let graph = waiting(reads, unheard(2));
    let fields = "id balance(minVersion: 7) { version }";
    let answer = entities(&graph, Caller::Operator, &[&id(1), &id(2)], fields).await;
    assert_eq!(codes(&answer), ["balance_behind"]);
    let answer = answer.data.into_json().unwrap();
    let told = &answer["_entities"];
    assert_eq!((&told[0]["id"], &told[0]["balance"]), (&json!(id(1)), &Value::Null));
    assert_eq!(told[1], json!({ "id": id(2), "balance": { "version": 7 } }));
}

#[tokio::test]
async fn accounts_that_are_waited_for_are_looked_at_together() {
    let ids: Vec<String> = (1..=40).map(id).collect();
    let mut reads = MockBalancesReads::new();
    // At first, and when the wait is over.
    reads.expect_balances().times(2).returning(|wanted| {
        assert_eq!(wanted.len(), 40);
        Ok(Vec::new())
    });
    let graph = waiting(reads, unheard(40));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fields = "balance(minVersion: 7) { version }";
    let answer = entities(&graph, Caller::Operator, &ids, fields).await;
    assert_eq!(codes(&answer), vec!["balance_unknown"; 40]);
}

#[tokio::test]
async fn the_balance_of_an_account_is_asked_for_by_its_id_alone() {
    let graph = graph(knows(2));
    let ask = async |id: &str| {
        let query = format!("{{ balance(accountId: \"{id}\") {{ version account {{ id }} }} }}");
        together(graph.execute(Request::new(query).data(Caller::Operator))).await
    };
    let known = json!({ "balance": { "version": 1, "account": { "id": id(1) } } });
    assert_eq!(data(ask(&id(1)).await), known);
    assert_eq!(data(ask(&id(7)).await), json!({ "balance": null }));
    assert_eq!(codes(&ask("7").await), ["account_id_shape"]);
}

#[tokio::test]
async fn a_statement_waits_for_the_version_of_what_was_done() {
    let (known, read) = (Arc::new(AtomicI64::new(1)), Arc::new(AtomicI64::new(0)));
    let mut reads = MockBalancesReads::new();
    let version = Arc::clone(&known);
    reads.expect_balances().times(3).returning(move |_| {
        let version = version.load(Ordering::SeqCst);
        Ok(vec![AccountBalance::begin(&event(1, version)).into()])
    });
    let (version, seen) = (Arc::clone(&known), Arc::clone(&read));
    reads.expect_statements().times(1).returning(move |_| {
        seen.store(version.load(Ordering::SeqCst), Ordering::SeqCst);
        Ok(vec![Vec::new()])
    });
    let mut commits = MockCommits::new();
    commits.expect_listen().times(1).return_once(move |_| {
        let mut watch = MockCommitWatch::new();
        watch.expect_reached().times(1).returning(move |_| {
            known.store(2, Ordering::SeqCst);
            true
        });
        Box::new(watch)
    });
    let graph = waiting(reads, commits);
    let fields = "statement(minVersion: 2) { edges { cursor } }";
    let answer = data(entities(&graph, Caller::Operator, &[&id(1)], fields).await);
    assert_eq!(answer["_entities"][0]["statement"]["edges"], json!([]));
    assert_eq!(read.load(Ordering::SeqCst), 2, "not before the version was there");
}

#[tokio::test]
async fn to_another_bank_an_account_is_as_if_it_were_not_there() {
    let fields = "id balance { total } statement { edges { cursor } }";
    let answer = entities(&graph(knows(2)), other_bank(), &[&id(1)], fields).await;
    let answer = data(answer);
    let account = &answer["_entities"][0];
    assert_eq!(account["id"], id(1));
    assert!(account["balance"].is_null() && account["statement"].is_null(), "{account}");
}

#[tokio::test]
async fn a_store_that_is_down_nulls_its_fields_alone() {
    let mut reads = MockBalancesReads::new();
    reads.expect_balances().returning(|_| Err(StoreError::Unavailable("secret host".into())));
    let answer =
        entities(&graph(reads), Caller::Operator, &[&id(1), &id(2)], "id balance { total }").await;
    assert_eq!(codes(&answer), ["temporarily_unavailable"; 2]);
    assert!(answer.errors.iter().all(|error| !error.message.contains("secret")));
    let answer = answer.data.into_json().unwrap();
    let account = &answer["_entities"][1];
    assert!(account["id"] == id(2) && account["balance"].is_null(), "{account}");
}

#[tokio::test]
async fn windows_and_callers_are_refused_by_name() {
    let graph = graph(knows(0));
    let ask =
        async |fields: &str| codes(&entities(&graph, Caller::Operator, &[&id(1)], fields).await);
    assert_eq!(ask("statement(first: 201) { edges { cursor } }").await, ["page_size_range"]);
    assert_eq!(ask("statement(after: \"x\") { edges { cursor } }").await, ["page_token_shape"]);
    assert_eq!(ask("balance(minVersion: 0) { total }").await, ["account_version_range"]);
    let statement = "statement(minVersion: 0) { edges { cursor } }";
    assert_eq!(ask(statement).await, ["account_version_range"]);
    let bank = "{ balances(ispb: \"00000001\") { edges { cursor } } }";
    let denied = graph.execute(Request::new(bank).data(other_bank())).await;
    assert_eq!(codes(&denied), ["caller_may_not_act_for_bank"]);
    assert_eq!(codes(&graph.execute(bank).await), ["token_missing"]);
}

#[tokio::test]
async fn lists_of_banks_are_one_question_and_none_spoils_the_others() {
    let (own, foreign) = (Ispb::parse("00000001").unwrap(), Ispb::parse(OTHER_BANK).unwrap());
    let mut reads = MockBalancesReads::new();
    reads.expect_balances_of_banks().times(1).returning(move |runs| {
        assert!(runs.iter().all(|run| run.ispb == own), "{runs:?}");
        // As many as are asked for: there is a next page everywhere.
        let known = |it| KnownBalance::from(AccountBalance::begin(&event(it, 1)));
        let page = |rows: i64| (1..=u128::try_from(rows).unwrap()).map(known).collect();
        Ok(runs.iter().map(|run| page(run.rows)).collect())
    });
    let lists = (1..=20).map(|size| {
        let bank = if size == 7 { foreign } else { own };
        format!(
            "f{size}: balances(ispb: \"{bank}\", first: {size}) {{ nodes {{ account {{ id }} }} \
             pageInfo {{ hasNextPage }} }}"
        )
    });
    let query = format!("{{ {} }}", lists.collect::<Vec<_>>().join(" "));
    let request = Request::new(query).data(Caller::Bank(own));
    let answer = together(graph(reads).execute(request)).await;
    assert_eq!(codes(&answer), ["caller_may_not_act_for_bank"]);
    let answer = answer.data.into_json().unwrap();
    assert_eq!(answer["f7"], Value::Null);
    for size in (1..=20_u128).filter(|size| *size != 7) {
        let nodes: Vec<_> =
            (1..=size).map(|number| json!({ "account": { "id": id(number) } })).collect();
        let page = json!({ "nodes": nodes, "pageInfo": { "hasNextPage": true } });
        assert_eq!(answer[format!("f{size}")], page);
    }
}

#[tokio::test]
async fn balances_by_ids_are_one_question() {
    let fields =
        (1..=20).map(|it| format!("f{it}: balance(accountId: \"{}\") {{ version }}", id(it)));
    let query = format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "));
    let request = Request::new(query).data(Caller::Operator);
    let answer = data(together(graph(knows(1)).execute(request)).await);
    assert_eq!((&answer["f2"], &answer["f20"]), (&json!({ "version": 1 }), &Value::Null));
}

fn follow(graph: &GraphSchema, caller: Caller) -> impl futures::Stream<Item = Response> + Unpin {
    let query = format!(
        "subscription {{ accountUpdated(id: \"{}\") {{ \
         account {{ id }} balance {{ version total }} }} }}",
        id(1)
    );
    Box::pin(graph.execute_stream(Request::new(query).data(caller)))
}

#[tokio::test]
async fn a_follower_sees_each_newer_event_once_from_the_event_itself() {
    let (_running, feed) = feed();
    let graph = graph_with(knows(1), feed.clone());
    let mut stream = follow(&graph, Caller::Operator);
    let tell = async {
        followed(&feed).await;
        for (of, version) in [(1, 1), (2, 9), (1, 3), (1, 2), (1, 3), (1, 4)] {
            feed.tell(event(of, version));
        }
    };
    let see = async {
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let update = data(stream.next().await.unwrap())["accountUpdated"].clone();
            assert_eq!(update["account"]["id"], id(1));
            seen.push(update["balance"].clone());
        }
        seen
    };
    let ((), seen) = tokio::join!(tell, see);
    let balance =
        |version: i64| json!({ "version": version, "total": format!("{version}.0{version}") });
    assert_eq!(seen, [balance(3), balance(4)]);
}

#[tokio::test]
async fn a_follower_of_another_bank_s_account_hears_nothing() {
    let (_running, feed) = feed();
    let graph = graph_with(knows(1), feed.clone());
    let mut stream = follow(&graph, other_bank());
    let own = Ispb::parse(OTHER_BANK).unwrap();
    let tell = async {
        followed(&feed).await;
        feed.tell(event(1, 5));
        feed.tell(AccountEvent { ispb: own, ..event(1, 6) });
    };
    let ((), update) = tokio::join!(tell, stream.next());
    let update = data(update.unwrap())["accountUpdated"]["balance"]["version"].clone();
    assert_eq!(update, 6, "the first that it hears of is its own bank's");
}

#[tokio::test]
async fn a_follower_ends_with_the_process() {
    let (running, feed) = feed();
    let graph = graph_with(knows(1), feed.clone());
    let mut stream = follow(&graph, Caller::Operator);
    let stop = async {
        followed(&feed).await;
        running.stop();
    };
    let ((), end) = tokio::join!(stop, stream.next());
    assert!(end.is_none(), "{end:?}");
}

#[tokio::test]
async fn an_account_that_no_bank_knows_is_not_followed() {
    let mut reads = MockBalancesReads::new();
    reads.expect_balances().returning(|_| {
        let balance = Money::from_centavos(100);
        let said = ExternalState { balance, said_at: Timestamp::EPOCH, place: Some((0, 7)) };
        Ok(KnownBalance::of(account(1), None, Some(said)).into_iter().collect())
    });
    let (_running, feed) = feed();
    let graph = graph_with(reads, feed);
    let refused = follow(&graph, Caller::Operator).next().await.unwrap();
    assert_eq!(codes(&refused), ["account_external"]);
}
