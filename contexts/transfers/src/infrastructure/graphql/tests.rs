//! The schema over a store in memory: what it answers, what it refuses, and how often it reads.

use std::sync::Arc;

use async_graphql::{Request, Response, Value, Variables};
use futures::StreamExt;
use serde_json::json;
use shared_kernel::application::batcher::{BatchLimits, batcher};
use shared_kernel::application::command::CommandRunner;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::application::transaction::AnswerBook;
use shared_kernel::application::{Caller, Remembered, StoreError};
use shared_kernel::infrastructure::graphql::together;
use shared_kernel::infrastructure::kafka::{TailFeed, TailListener, TailRecord};
use shared_kernel::testing::{CountedIds, FixedClock, undocumented};
use uuid::Uuid;

use super::{GraphSchema, schema, sdl};
use crate::application::outside::{KnownOrder, OrderOutcome};
use crate::application::ports::{Audience, BankTopics, Notice, TransfersReads};
use crate::application::testing::{MemoryStore, trace};
use crate::application::{
    AcknowledgeCreditHandler, EnrolParticipantHandler, ResolveTransferHandler, Transfers,
    TransfersSettings,
};
use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, native, order, pending};
use crate::domain::{OrderId, Participant, Transfer, TransferEvent};
use crate::infrastructure::kafka::changes::TailChanges;
use crate::infrastructure::kafka::news::TailNews;
use crate::infrastructure::kafka::published::transfer_event;

struct NoTopics;

#[async_trait::async_trait]
impl BankTopics for NoTopics {
    async fn ensure(&self, _: &[Participant]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn ensure_outside(&self, _: &[String]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn outside(&self, _: &[String]) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// No command of the hub is remembered.
struct NoBook;

#[async_trait::async_trait]
impl AnswerBook for NoBook {
    async fn remembered(&self, _: &[(String, String)]) -> Result<Vec<Remembered>, StoreError> {
        Ok(Vec::new())
    }
}

/// A schema over a store with two banks and three transfers; it works until it is dropped.
pub(super) struct Setting {
    pub(super) store: MemoryStore,
    graph: GraphSchema,
    feed: TailFeed,
    news: TailNews,
    stop: StopHandle,
}

pub(super) fn setting() -> Setting {
    let store = MemoryStore::with([native(PAYER_BANK), native(PAYEE_BANK)]);
    (1..=3).for_each(|number| store.put_transfer(pending(number)));
    let (stop, stopped) = stop_pair();
    let clock = Arc::new(FixedClock::at(at(0)));
    let handler = EnrolParticipantHandler::new(Arc::new(store.clone()), Arc::new(NoTopics), clock);
    let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
    let (enrol, workers) = batcher(Arc::new(runner), BatchLimits::default(), 1);
    for worker in workers {
        tokio::spawn(worker.run(stopped.clone()));
    }
    let (clock, settings) = (Arc::new(FixedClock::at(at(0))), TransfersSettings::default());
    let handler = ResolveTransferHandler::new(Arc::new(store.clone()), clock, settings);
    let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
    let (resolve, workers) = batcher(Arc::new(runner), BatchLimits::default(), 1);
    for worker in workers {
        tokio::spawn(worker.run(stopped.clone()));
    }
    let clock = Arc::new(FixedClock::at(at(0)));
    let handler = AcknowledgeCreditHandler::new(Arc::new(store.clone()), clock);
    let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
    let (acknowledge, workers) = batcher(Arc::new(runner), BatchLimits::default(), 1);
    for worker in workers {
        tokio::spawn(worker.run(stopped.clone()));
    }
    let reads: Arc<dyn TransfersReads> = Arc::new(store.clone());
    let (feed, news) = (TailFeed::default(), TailNews::new(stopped.clone()));
    let changes = Arc::new(TailChanges::new(feed.clone(), stopped));
    let commands = (enrol, resolve, acknowledge);
    let facade = Transfers::new(commands, &reads, changes, Arc::new(news.clone()));
    let graph = schema(&Arc::new(facade), Arc::new(CountedIds::default()));
    Setting { store, graph, feed, news, stop }
}

pub(super) fn bank(text: &str) -> Caller {
    Caller::Bank(ispb(text))
}

impl Setting {
    pub(super) async fn ask(&self, caller: Caller, query: &str) -> Response {
        together(self.graph.execute(Request::new(query).data(caller))).await
    }

    /// The answer to a question that is not refused.
    pub(super) async fn answer(&self, caller: Caller, query: &str) -> serde_json::Value {
        let response = self.ask(caller, query).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    pub(super) async fn entities(
        &self,
        caller: Caller,
        representations: serde_json::Value,
        selection: &str,
    ) -> Response {
        let query =
            format!("query($of: [_Any!]!) {{ _entities(representations: $of) {{ {selection} }} }}");
        let variables = Variables::from_json(json!({ "of": representations }));
        together(self.graph.execute(Request::new(query).variables(variables).data(caller))).await
    }

    pub(super) fn calls(&self, call: &str) -> usize {
        self.store.tables().calls.get(call).copied().unwrap_or_default()
    }
}

/// Code and field of each error.
pub(super) fn refusals(response: &Response) -> Vec<(String, String)> {
    let word = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let refusal = |error: &async_graphql::ServerError| {
        let extensions = error.extensions.as_ref();
        let of = |name| word(extensions.and_then(|extensions| extensions.get(name)));
        (of("code"), of("field"))
    };
    response.errors.iter().map(refusal).collect()
}

pub(super) fn id(number: u64) -> String {
    order(number).end_to_end_id.to_string()
}

#[tokio::test]
async fn everything_is_described() {
    let Setting { graph, stop: _stop, .. } = setting();
    assert_eq!(undocumented(&graph, &["Account", "PixKey"]).await, Vec::<String>::new());
}

#[test]
fn entities_and_subscriptions_are_in_the_sdl() {
    let sdl = sdl();
    for line in [
        "type Transfer @key(fields: \"id\") {",
        "type Bank @key(fields: \"id\") {",
        "type Account @key(fields: \"id\") {",
        "type PixKey @key(fields: \"id\", resolvable: false) {",
        "type Subscription {",
    ] {
        assert!(sdl.lines().any(|it| it == line), "{line}");
    }
}

#[tokio::test]
async fn a_transfer_is_told_whole() {
    let setting = setting();
    let mut transfer = pending(1);
    transfer.apply(TransferEvent::Expired { at: at(41) });
    setting.store.put_transfer(transfer);
    let query = format!(
        "{{ transfer(id: \"{}\") {{ id endToEndId state amount description version \
           payer {{ account {{ id }} bank {{ id code }} ownerName ownerTaxId }} \
           payee {{ bank {{ name }} }} payeeKey {{ id }} reason {{ code sentence }} \
           registeredAt deadline confirmedAt finishedAt }} }}",
        id(1)
    );
    let answer = setting.answer(bank(PAYEE_BANK), &query).await;
    let sentence = answer["transfer"]["reason"]["sentence"].clone();
    assert!(sentence.as_str().unwrap().len() > 10);
    let expected = json!({ "transfer": {
        "id": id(1), "endToEndId": id(1), "state": "EXPIRED", "amount": "1.00",
        "description": "", "version": 2,
        "payer": {
            "account": { "id": order(1).payer.account_id },
            "bank": { "id": PAYER_BANK, "code": "1" },
            "ownerName": "Someone", "ownerTaxId": "52998224725",
        },
        "payee": { "bank": { "name": "Bank" } },
        "payeeKey": { "id": "someone@example.com" },
        "reason": { "code": "AB03", "sentence": sentence },
        "registeredAt": "2026-11-20T12:00:00.000000Z", "deadline": "2026-11-20T12:00:40.000000Z",
        "confirmedAt": null, "finishedAt": "2026-11-20T12:00:41.000000Z",
    }});
    assert_eq!(answer, expected);
    // Both banks in one read.
    assert_eq!(setting.calls("participants_of"), 1);
    let unseen = setting.answer(bank("00000009"), &query).await;
    assert_eq!(unseen, json!({ "transfer": null }));
}

#[tokio::test]
async fn many_entities_are_one_read_and_none_spoils_the_others() {
    let setting = setting();
    let of = [id(1), id(2), id(9), "E1".into(), id(1)]
        .map(|id| json!({ "__typename": "Transfer", "id": id }));
    let selection = "... on Transfer { amount payee { bank { name } } }";
    let response = setting.entities(bank(PAYER_BANK), json!(of), selection).await;
    assert_eq!(refusals(&response), []);
    let amounts: Vec<_> = response.data.into_json().unwrap()["_entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["amount"].as_str().map(str::to_owned))
        .collect();
    let (one, two) = (Some("1.00".to_owned()), Some("2.00".to_owned()));
    assert_eq!(amounts, [one.clone(), two, None, None, one]);
    assert_eq!((setting.calls("transfers"), setting.calls("participants_of")), (1, 1));
}

#[tokio::test]
async fn a_bank_keeps_its_position_and_its_transfers_to_itself() {
    let setting = setting();
    let of = [PAYER_BANK, PAYEE_BANK, "00000009", "?"]
        .map(|id| json!({ "__typename": "Bank", "id": id }));
    let selection = "... on Bank { id name position reserved transfers(first: 2) { \
                     nodes { amount } pageInfo { hasNextPage } } }";
    let response = setting.entities(bank(PAYEE_BANK), json!(of), selection).await;
    let foreign = ("caller_may_not_act_for_bank".to_owned(), "ispb".to_owned());
    assert_eq!(refusals(&response), [foreign.clone(), foreign]);
    let told = response.data.into_json().unwrap()["_entities"].clone();
    let page = json!({
        "nodes": [{ "amount": "3.00" }, { "amount": "2.00" }], "pageInfo": { "hasNextPage": true },
    });
    let known = |bank: usize| {
        ["name", "position", "reserved", "transfers"].map(|field| told[bank][field].clone())
    };
    assert_eq!(known(0), [json!("Bank"), json!(null), json!(null), json!(null)]);
    assert_eq!(known(1), [json!("Bank"), json!("0.00"), json!("0.00"), page]);
    assert_eq!((&told[2]["id"], known(2)), (&json!("00000009"), [(); 4].map(|()| json!(null))));
    assert_eq!(told[3], json!(null));
    let reads = ["participants_of", "positions_of", "runs"].map(|call| setting.calls(call));
    assert_eq!(reads, [1, 1, 1]);
}

#[tokio::test]
async fn the_transfers_of_many_accounts_are_one_read_whatever_is_asked_of_them() {
    let setting = setting();
    let accounts = [order(1).payer.account_id, order(1).payee.account_id];
    let of = accounts.map(|id| json!({ "__typename": "Account", "id": id }));
    let selection = "... on Account { id \
         sent: transfers(direction: SENT, first: 1) { nodes { amount } edges { cursor } } \
         received: transfers(direction: RECEIVED, state: PENDING) { nodes { amount } } \
         failed: transfers(state: REJECTED) { nodes { amount } } }";
    let response = setting.entities(Caller::Operator, json!(of), selection).await;
    assert_eq!(refusals(&response), []);
    let told = response.data.into_json().unwrap()["_entities"].clone();
    let count = |account: usize, list: &str| told[account][list]["nodes"].as_array().unwrap().len();
    let counts =
        [0, 1].map(|account| ["sent", "received", "failed"].map(|list| count(account, list)));
    assert_eq!(counts, [[1, 0, 0], [0, 3, 0]]);
    assert_eq!(setting.calls("runs"), 1);
    // The next page begins behind the cursor.
    let cursor = told[0]["sent"]["edges"][0]["cursor"].as_str().unwrap();
    let selection = format!(
        "... on Account {{ transfers(after: \"{cursor}\") {{ nodes {{ amount }} \
         pageInfo {{ hasPreviousPage }} }} }}"
    );
    let response = setting.entities(bank(PAYER_BANK), json!([of[0]]), &selection).await;
    let page = &response.data.into_json().unwrap()["_entities"][0]["transfers"];
    assert_eq!(page["nodes"], json!([{ "amount": "2.00" }, { "amount": "1.00" }]));
    assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(true));
    // Another bank is shown nothing of it.
    let response = setting
        .entities(
            bank("00000009"),
            json!(of),
            "... on Account { \
        transfers { nodes { id } } }",
        )
        .await;
    let none = json!({ "transfers": { "nodes": [] } });
    assert_eq!(response.data.into_json().unwrap()["_entities"], json!([none, none]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_list_is_one_read_of_each_sort_whatever_other_threads_do() {
    let setting = setting();
    (10..110).for_each(|number| setting.store.put_transfer(pending(number)));
    let query = "{ transfers(first: 100) { nodes { payer { bank { name position } account { \
         transfers(first: 1) { nodes { id } } } } payee { bank { code reserved } } } } }";
    for round in 1..=20_usize {
        setting.answer(Caller::Operator, query).await;
        let reads = ["participants_of", "positions_of", "runs"].map(|call| setting.calls(call));
        // The list itself, and the lists of the accounts in it.
        assert_eq!(reads, [round, round, round.saturating_mul(2)]);
    }
}

#[tokio::test]
async fn lists_are_of_a_part_of_time_and_banks_of_a_protocol() {
    let setting = setting();
    let count = async |query: String, list: &str| {
        let answer = setting.answer(Caller::Operator, &query).await;
        answer.pointer(list).unwrap().as_array().unwrap().len()
    };
    let taken = pending(1).terms().registered_at;
    let payer = order(1).payer.account_id;
    for (arguments, found) in [(format!("from: \"{taken}\""), 3), (format!("to: \"{taken}\""), 0)] {
        let all = format!("{{ transfers({arguments}) {{ nodes {{ id }} }} }}");
        assert_eq!(count(all, "/transfers/nodes").await, found, "{arguments}");
        let of_bank = format!(
            "{{ bank(id: \"{PAYER_BANK}\") {{ transfers({arguments}) {{ nodes {{ id }} }} }} }}"
        );
        assert_eq!(count(of_bank, "/bank/transfers/nodes").await, found, "{arguments}");
        let of_account =
            format!("... on Account {{ transfers({arguments}) {{ nodes {{ id }} }} }}");
        let of = json!([{ "__typename": "Account", "id": payer }]);
        let told = setting.entities(Caller::Operator, of, &of_account).await.data.into_json();
        let nodes = told.unwrap()["_entities"][0]["transfers"]["nodes"].clone();
        assert_eq!(nodes.as_array().unwrap().len(), found, "{arguments}");
    }
    let upside_down = format!(
        "{{ transfers(from: \"{taken}\", to: \"1970-01-01T00:00:00Z\") {{ \
                               nodes {{ id }} }} }}"
    );
    let refused = refusals(&setting.ask(Caller::Operator, &upside_down).await);
    assert_eq!(refused, [("period_order".to_owned(), "to".to_owned())]);
    for (protocol, found) in [("NATIVE", 2), ("CLASSIC", 0)] {
        let banks = format!("{{ banks(protocol: {protocol}) {{ nodes {{ id }} }} }}");
        assert_eq!(count(banks, "/banks/nodes").await, found, "{protocol}");
    }
}

#[tokio::test]
async fn a_transfer_is_found_by_the_id_of_its_order() {
    let setting = setting();
    let payer = order(1).payer;
    let known = |number: u128, outcome| {
        let order_id = OrderId::from_uuid(Uuid::from_u128(number));
        let (bank, account_id) = (payer.ispb, payer.account_id);
        let known = KnownOrder { order_id, bank, account_id, content: None, outcome };
        setting.store.tables().orders.insert(order_id, known);
        order_id
    };
    let (end_to_end_id, payee) = (order(1).end_to_end_id, ispb(PAYEE_BANK));
    let taken = known(1, OrderOutcome::Transfer { end_to_end_id, payee });
    let refused = known(2, OrderOutcome::Refused { sentence: "no key was found".into() });
    let query = |arguments: &str| format!("{{ transfer({arguments}) {{ id }} }}");
    let by_order = |id: OrderId| query(&format!("orderId: \"{id}\""));
    let told = setting.answer(bank(PAYER_BANK), &by_order(taken)).await;
    assert_eq!(told, json!({ "transfer": { "id": id(1) } }));
    for (caller, order_id) in
        [(bank("00000009"), taken), (Caller::Operator, OrderId::from_uuid(Uuid::from_u128(3)))]
    {
        let told = setting.answer(caller, &by_order(order_id)).await;
        assert_eq!(told, json!({ "transfer": null }));
    }
    let both = query(&format!("id: \"{}\", orderId: \"{taken}\"", id(1)));
    for (query, code, field) in [
        (by_order(refused), "order_refused", "orderId"),
        (both, "transfer_id_ambiguous", "orderId"),
        ("{ transfer { id } }".to_owned(), "end_to_end_id_length", "id"),
    ] {
        let told = refusals(&setting.ask(Caller::Operator, &query).await);
        assert_eq!(told, [(code.to_owned(), field.to_owned())], "{query}");
    }
}

#[tokio::test]
async fn a_bank_has_those_that_it_sent_and_those_that_it_received() {
    let setting = setting();
    for (ispb, counts) in [(PAYER_BANK, [3, 0]), (PAYEE_BANK, [0, 3])] {
        let query = format!(
            "{{ bank(id: \"{ispb}\") {{ sent: transfers(direction: SENT) {{ nodes {{ id }} }} \
             received: transfers(direction: RECEIVED) {{ nodes {{ id }} }} }} }}"
        );
        let told = setting.answer(Caller::Operator, &query).await;
        let found =
            ["sent", "received"].map(|list| told["bank"][list]["nodes"].as_array().unwrap().len());
        assert_eq!(found, counts, "{ispb}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_makes_each_entity_null_and_no_list() {
    let setting = setting();
    setting.store.tables().is_away = true;
    let of = [id(1), id(2)].map(|id| json!({ "__typename": "Transfer", "id": id }));
    let response =
        setting.entities(Caller::Operator, json!(of), "... on Transfer { amount }").await;
    let away = ("temporarily_unavailable".to_owned(), String::new());
    assert_eq!(refusals(&response), [away.clone(), away]);
    assert_eq!(response.data.into_json().unwrap(), json!({ "_entities": [null, null] }));
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let setting = setting();
    let first = setting
        .answer(
            bank(PAYER_BANK),
            "{ banks(first: 1) { nodes { ispb code protocol \
         positionLimit enrolledAt } pageInfo { hasNextPage endCursor } } }",
        )
        .await;
    let known = json!([{
        "ispb": PAYER_BANK, "code": "1", "protocol": "NATIVE", "positionLimit": null,
        "enrolledAt": "2026-11-20T12:00:00.000000Z",
    }]);
    assert_eq!(first["banks"]["nodes"], known);
    // What a list has told is not looked up again.
    assert_eq!(setting.calls("participants_of"), 0);
    let cursor = first["banks"]["pageInfo"]["endCursor"].as_str().unwrap();
    let query = format!(
        "{{ banks(after: \"{cursor}\") {{ nodes {{ id }} \
                         pageInfo {{ hasNextPage }} }} }}"
    );
    let second = setting.answer(Caller::Operator, &query).await;
    let last = json!({ "nodes": [{ "id": PAYEE_BANK }], "pageInfo": { "hasNextPage": false } });
    assert_eq!(second["banks"], last);
    let all = setting.answer(Caller::Operator, "{ transfers { nodes { id } } }").await;
    assert_eq!(all["transfers"]["nodes"].as_array().unwrap().len(), 3);
    let found = setting
        .answer(
            Caller::Operator,
            "{ bank(id: \"00000002\") { name } \
         none: bank(id: \"00000009\") { name } }",
        )
        .await;
    assert_eq!(found, json!({ "bank": { "name": "Bank" }, "none": null }));
}

#[tokio::test]
async fn a_refusal_names_its_code_and_the_field_of_the_request() {
    let setting = setting();
    let enrol = |input: &str| {
        format!(
            "mutation {{ enrolBank(input: {{ {input} }}) {{ \
                                       bank {{ id }} }} }}"
        )
    };
    let right = "code: \"003\", name: \"Bank\"";
    let own = bank(PAYER_BANK);
    let cases = [
        (own, "{ transfers { nodes { id } } }".into(), "operator_only", "caller"),
        (
            own,
            "{ transfers(ispb: \"00000009\") { nodes { id } } }".into(),
            "caller_may_not_act_for_bank",
            "ispb",
        ),
        (own, "{ banks(first: 201) { nodes { id } } }".into(), "page_size_range", "first"),
        (own, "{ banks(after: \"x\") { nodes { id } } }".into(), "page_token_shape", "after"),
        (own, "{ transfer(id: \"E1\") { id } }".into(), "end_to_end_id_length", "id"),
        (own, "{ bank(id: \"1\") { id } }".into(), "ispb_shape", "id"),
        (own, enrol(right), "operator_only", "caller"),
        (Caller::Operator, enrol("code: \"?\", name: \"B\""), "bank_code_shape", "code"),
        (Caller::Operator, enrol("code: \"003\", name: \" \""), "name_shape", "name"),
        (
            Caller::Operator,
            enrol(&format!("{right}, positionLimit: \"-1.00\"")),
            "position_limit_negative",
            "positionLimit",
        ),
        (
            Caller::Operator,
            enrol(&format!("{right}, positionLimit: \"1.00\", noPositionLimit: true")),
            "position_limit_ambiguous",
            "noPositionLimit",
        ),
        (
            Caller::Operator,
            enrol("ispb: \"00000009\", code: \"1\", name: \"B\""),
            "bank_code_taken",
            "code",
        ),
    ];
    for (caller, query, code, field) in cases {
        let refused = refusals(&setting.ask(caller, &query).await);
        assert_eq!(refused, [(code.to_owned(), field.to_owned())], "{query}");
    }
    let nobody = setting.graph.execute("{ banks { nodes { id } } }").await;
    assert_eq!(refusals(&nobody), [("token_missing".to_owned(), "authorization".to_owned())]);
    let query = enrol(&format!("{right}, positionLimit: \"5.00\", protocol: CLASSIC"));
    let query = query.replace("{ id }", "{ id code protocol positionLimit position }");
    let enrolled = setting.answer(Caller::Operator, &query).await;
    let expected = json!({
        "id": "00000003", "code": "003", "protocol": "CLASSIC", "positionLimit": "5.00",
        "position": "0.00",
    });
    assert_eq!(enrolled["enrolBank"]["bank"], expected);
    let answered = "{ id code protocol positionLimit position }";
    let renamed = enrol("code: \"003\", name: \"Other\", protocol: null, positionLimit: null");
    let renamed = setting.answer(Caller::Operator, &renamed.replace("{ id }", answered)).await;
    assert_eq!(renamed["enrolBank"]["bank"], expected, "what is null stays");
    let without = enrol(&format!("{right}, noPositionLimit: true")).replace("{ id }", answered);
    let without = setting.answer(Caller::Operator, &without).await;
    assert_eq!(without["enrolBank"]["bank"]["positionLimit"], json!(null));
}

fn event(transfer: &Transfer) -> Vec<u8> {
    let audience = Audience { everyone: true, ..Audience::default() };
    let notice = Notice { standing: *transfer.standing(), audience, trace: trace(1) };
    transfer_event(transfer, &notice).unwrap().payload().to_vec()
}

#[tokio::test]
async fn one_transfer_is_followed_to_its_end() {
    let setting = setting();
    let query = format!("subscription {{ transferUpdated(id: \"{}\") {{ state }} }}", id(1));
    let mut stream = setting.graph.execute_stream(Request::new(query).data(bank(PAYER_BANK)));
    let mut next = async || Some(stream.next().await?.data.into_json().unwrap());
    let state = |state: &str| Some(json!({ "transferUpdated": { "state": state } }));
    assert_eq!(next().await, state("PENDING"));
    let mut transfer = pending(1);
    transfer.apply(TransferEvent::Expired { at: at(41) });
    setting.store.put_transfer(transfer);
    setting.feed.changed(&id(1));
    assert_eq!(next().await, state("EXPIRED"));
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn the_transfers_of_a_bank_or_an_account_are_followed_by_their_events() {
    let setting = setting();
    setting.news.begins();
    let account = order(1).payee.account_id;
    let queries = [
        format!("subscription {{ transferUpdated(ispb: \"{PAYEE_BANK}\") {{ id state }} }}"),
        format!("subscription {{ transferUpdated(accountId: \"{account}\") {{ id state }} }}"),
    ];
    for query in queries {
        let mut stream = setting.graph.execute_stream(Request::new(query).data(bank(PAYEE_BANK)));
        let mut transfer = pending(1);
        let mut next = Box::pin(stream.next());
        assert!(futures::poll!(&mut next).is_pending());
        setting.news.heard(TailRecord { key: "", body: &event(&transfer) });
        transfer.apply(TransferEvent::Confirmed { at: at(1) });
        setting.news.heard(TailRecord { key: "", body: &event(&transfer) });
        let told = |state: &str| json!({ "transferUpdated": { "id": id(1), "state": state } });
        assert_eq!(next.await.unwrap().data.into_json().unwrap(), told("PENDING"));
        let confirmed = stream.next().await.unwrap();
        assert_eq!(confirmed.data.into_json().unwrap(), told("CONFIRMED"));
        setting.news.begins();
        let missed = refusals(&stream.next().await.unwrap());
        assert_eq!(missed, [("transfer_updates_missed".to_owned(), String::new())]);
    }
    assert_eq!(setting.calls("transfers"), 0);
}

#[tokio::test]
async fn what_may_not_be_followed_is_refused() {
    let setting = setting();
    setting.news.begins();
    let cases = [
        ("", "transfer_followed_shape", "id"),
        ("(id: \"E1\", ispb: \"00000001\")", "transfer_followed_shape", "id"),
        ("(id: \"E1\")", "end_to_end_id_length", "id"),
        ("(accountId: \"1\")", "account_id_shape", "accountId"),
        ("(ispb: \"00000001\")", "caller_may_not_act_for_bank", "ispb"),
    ];
    for (arguments, code, field) in cases {
        let query = format!("subscription {{ transferUpdated{arguments} {{ id }} }}");
        let mut stream = setting.graph.execute_stream(Request::new(query).data(bank("00000009")));
        let refused = refusals(&stream.next().await.unwrap());
        assert_eq!(refused, [(code.to_owned(), field.to_owned())], "{arguments}");
    }
    let unknown = format!("subscription {{ transferUpdated(id: \"{}\") {{ id }} }}", id(9));
    let mut stream = setting.graph.execute_stream(Request::new(unknown).data(Caller::Operator));
    let refused = refusals(&stream.next().await.unwrap());
    assert_eq!(refused, [("transfer_unknown".to_owned(), "id".to_owned())]);
}
