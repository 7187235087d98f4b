//! The subgraph over banks in memory: who sees what, what it costs, how it refuses.

use std::sync::Arc;

use async_graphql::Request;
use futures::StreamExt;
use serde_json::{Value, json};
use shared_kernel::application::Caller;
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::infrastructure::graphql::together;
use shared_kernel::infrastructure::kafka::TailFeed;
use shared_kernel::testing::undocumented;

use super::{GraphSchema, schema, sdl};
use crate::application::account_command::OnAccount;
use crate::application::hub::HubWord;
use crate::application::stage::Stage;
use crate::domain::samples::{BANK_A, BANK_B, account_id, cpf, ispb};
use crate::infrastructure::testing::facade;
use crate::infrastructure::watch::TransferWatches;

struct Served {
    stage: Stage,
    graph: GraphSchema,
    changes: TailFeed,
    stop: StopHandle,
}

impl Served {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (stop, signal) = stop_pair();
        let facade = Arc::new(facade(&stage, &signal));
        let changes = TailFeed::default();
        let clock = stage.clock.clone();
        let watches = TransferWatches::new(&facade, changes.clone(), clock, signal);
        let graph = schema(&facade, &watches, stage.ports.ids.clone());
        stage.memory.asked();
        Self { stage, graph, changes, stop }
    }

    /// The answer as a client gets it.
    async fn ask(&self, caller: Caller, query: &str) -> Value {
        let answer = together(self.graph.execute(Request::new(query).data(caller))).await;
        serde_json::to_value(&answer).unwrap()
    }

    /// The data of an answer without errors.
    #[track_caller]
    fn data(answer: &Value) -> &Value {
        assert_eq!(answer.get("errors"), None, "{answer}");
        &answer["data"]
    }
}

/// Code and field of each error.
fn refusals(answer: &Value) -> Vec<(&str, &str)> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told = errors.iter().map(|error| &error["extensions"]);
    told.map(|it| (it["code"].as_str().unwrap(), it["field"].as_str().unwrap_or(""))).collect()
}

fn bank(of: &str) -> Caller {
    Caller::Bank(ispb(of))
}

fn entities(ids: &[String], fields: &str) -> String {
    let named: Vec<String> =
        ids.iter().map(|id| format!("{{__typename: \"Account\", id: \"{id}\"}}")).collect();
    let named = named.join(", ");
    format!("{{ _entities(representations: [{named}]) {{ ... on Account {{ {fields} }} }} }}")
}

fn id(of: &OnAccount) -> String {
    of.account_id.to_string()
}

#[tokio::test]
async fn an_account_is_shown_as_its_bank_keeps_it() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 1_000).await;
    served.stage.account(BANK_B, 2, 0).await;
    served.stage.pay(&ana, 2, 300).await.unwrap();
    let query = format!(
        "{{ account(id: \"{}\") {{ id branch number status version openedAt bank {{ id }} \
         owner {{ name taxId }} funds {{ available held total }} \
         limits {{ perTransfer perDay }} }} }}",
        id(&ana)
    );
    let answer = served.ask(bank(BANK_A), &query).await;
    assert_eq!(
        Served::data(&answer)["account"],
        json!({
            "id": id(&ana),
            "branch": "0001",
            "number": "10001",
            "status": "ACTIVE",
            "version": 3,
            "openedAt": served.stage.state(ana.account_id).state().opened_at.to_string(),
            "bank": { "id": BANK_A },
            "owner": { "name": "Owner 1", "taxId": cpf(1).as_str() },
            "funds": { "available": "7.00", "held": "3.00", "total": "10.00" },
            "limits": { "perTransfer": null, "perDay": null },
        })
    );
}

#[tokio::test]
async fn what_is_not_there_and_what_is_another_bank_s_is_null() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 0).await;
    let account = |id: &str| format!("{{ account(id: \"{id}\") {{ number }} }}");
    let absent = served.ask(bank(BANK_A), &account(&account_id(77).to_string())).await;
    assert_eq!(Served::data(&absent)["account"], Value::Null);
    let stranger = served.ask(bank(BANK_B), &account(&id(&ana))).await;
    assert_eq!(Served::data(&stranger)["account"], Value::Null);
    assert_eq!(stranger["data"]["account"], Value::Null);
    let malformed = served.ask(Caller::Operator, &account("7")).await;
    assert_eq!(refusals(&malformed), [("account_id_shape", "id")]);
    let nobody = served.graph.execute(account(&id(&ana))).await;
    assert_eq!(refusals(&serde_json::to_value(&nobody).unwrap())[0].0, "token_missing");
    let unseen = format!(
        "{{ accountTransfer(id: \"E0000000120261120120000000000001\", accountId: \"{}\") \
         {{ state }} }}",
        id(&ana)
    );
    let absent = served.ask(bank(BANK_A), &unseen).await;
    assert_eq!(Served::data(&absent)["accountTransfer"], Value::Null);
}

#[tokio::test]
async fn one_account_that_is_not_shown_takes_no_other_with_it() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 500).await;
    let bia = served.stage.account(BANK_B, 2, 0).await;
    let ids = [id(&ana), id(&bia), account_id(77).to_string(), "7".to_owned()];
    served.stage.memory.asked();
    let query = entities(&ids, "id number funds { total } bank { id } holds { nodes { amount } }");
    let answer = served.ask(bank(BANK_A), &query).await;
    let shown = &answer["data"]["_entities"];
    assert_eq!(shown[0]["funds"]["total"], "5.00");
    assert_eq!(shown[0]["holds"]["nodes"], json!([]));
    // One is another bank's, the other's books are kept elsewhere.
    for (shown, id) in [(&shown[1], &ids[1]), (&shown[2], &ids[2])] {
        assert_eq!(shown["id"], *id);
        let fields = ["number", "funds", "bank", "holds"];
        assert!(fields.iter().all(|field| shown[field].is_null()), "{shown}");
    }
    assert_eq!(shown[3], Value::Null, "no id at all");
    assert_eq!(refusals(&answer), []);
    assert_eq!(served.stage.memory.asked(), ["accounts", "holds_of"]);
}

#[tokio::test]
async fn fifty_accounts_cost_one_read_of_each_kind() {
    let served = Served::new().await;
    let mut accounts = Vec::new();
    for owner in 1..=50 {
        accounts.push(served.stage.account(BANK_A, owner, 1_000).await);
    }
    served.stage.account(BANK_B, 99, 0).await;
    for account in &accounts {
        served.stage.pay(account, 99, 100).await.unwrap();
    }
    let fields = "number owner { name } bank { primaryColor secondaryColor } \
                  holds(first: 1) { nodes { amount transfer { id } } } \
                  orders(first: 1) { nodes { state counterpartyBank { primaryColor } } } \
                  postings(first: 1) { nodes { kind } }";
    let one_of_each = ["accounts", "banks", "banks", "holds_of", "statements", "transfers_of"];
    served.stage.memory.asked();
    let ids: Vec<String> = accounts.iter().map(id).collect();
    let answer = served.ask(bank(BANK_A), &entities(&ids, fields)).await;
    let shown = Served::data(&answer)["_entities"].as_array().unwrap();
    assert!(shown.iter().all(|it| it["holds"]["nodes"][0]["amount"] == "1.00"), "{answer}");
    assert!(shown.iter().all(|it| it["orders"]["nodes"][0]["state"] == "REQUESTED"), "{answer}");
    assert!(shown.iter().all(|it| it["bank"]["primaryColor"] != Value::Null), "{answer}");
    // Banks are named at two depths: those of the accounts, and those of the transfers' other side.
    assert_eq!(served.stage.memory.asked(), one_of_each);

    let listed =
        format!("{{ accounts(ispb: \"{BANK_A}\", first: 50) {{ nodes {{ {fields} }} }} }}");
    let answer = served.ask(bank(BANK_A), &listed).await;
    assert_eq!(Served::data(&answer)["accounts"]["nodes"].as_array().unwrap().len(), 50);
    let listed = ["accounts_of", "banks", "banks", "holds_of", "statements", "transfers_of"];
    assert_eq!(served.stage.memory.asked(), listed, "what is listed is known already");
}

#[tokio::test]
async fn lists_go_on_behind_their_cursors() {
    let served = Served::new().await;
    for owner in 1..=3 {
        served.stage.account(BANK_A, owner, 0).await;
    }
    let page = async |arguments: &str| {
        let query = format!(
            "{{ accounts(ispb: \"{BANK_A}\", {arguments}) {{ nodes {{ number }} \
             pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"
        );
        served.ask(bank(BANK_A), &query).await
    };
    let first = page("first: 2").await;
    let first = &Served::data(&first)["accounts"];
    assert_eq!(first["nodes"], json!([{ "number": "10001" }, { "number": "10002" }]));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap();
    let last = page(&format!("first: 2, after: \"{cursor}\"")).await;
    let last = &Served::data(&last)["accounts"];
    assert_eq!(last["nodes"], json!([{ "number": "10003" }]));
    assert_eq!(last["pageInfo"]["hasNextPage"], false);
    assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(refusals(&page("first: 201").await), [("page_size_range", "first")]);
    assert_eq!(refusals(&page("after: \"x\"").await), [("page_token_shape", "after")]);
    let query = format!("{{ accounts(ispb: \"{BANK_A}\") {{ nodes {{ id }} }} }}");
    let stranger = served.ask(bank(BANK_B), &query).await;
    assert_eq!(refusals(&stranger), [("caller_may_not_act_for_bank", "ispb")]);
}

#[tokio::test]
async fn lists_are_narrowed_by_their_arguments() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 1_000).await;
    served.stage.account(BANK_A, 2, 0).await;
    served.stage.account(BANK_B, 3, 0).await;
    served.stage.pay(&ana, 3, 100).await.unwrap();
    served.stage.pay(&ana, 2, 100).await.unwrap();
    let fields = "all: orders { nodes { state } } \
        out: orders(direction: OUTGOING) { nodes { state } } \
        settled: orders(state: SETTLED) { nodes { state } } \
        later: orders(from: \"9000-01-01T00:00:00Z\") { nodes { state } } \
        earlier: orders(to: \"9000-01-01T00:00:00Z\", direction: BOOK) { nodes { state } } \
        went: postings(direction: DEBIT) { nodes { kind } }";
    let answer = served.ask(bank(BANK_A), &entities(&[id(&ana)], fields)).await;
    let shown = &Served::data(&answer)["_entities"][0];
    let count = |list: &str| shown[list]["nodes"].as_array().unwrap().len();
    let counts = ["all", "out", "settled", "later", "earlier"].map(count);
    assert_eq!(counts, [2, 1, 1, 0, 1], "{answer}");
    let period =
        "orders(from: \"2026-01-02T00:00:00Z\", to: \"2026-01-01T00:00:00Z\") { nodes { state } }";
    let refused = served.ask(bank(BANK_A), &entities(&[id(&ana)], period)).await;
    assert_eq!(refusals(&refused), [("period_order", "to")]);
    for (status, found) in [("ACTIVE", 2), ("BLOCKED", 0)] {
        let query =
            format!("{{ accounts(ispb: \"{BANK_A}\", status: {status}) {{ nodes {{ id }} }} }}");
        let answer = served.ask(bank(BANK_A), &query).await;
        let nodes = Served::data(&answer)["accounts"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), found, "{status}");
    }
}

#[tokio::test]
async fn a_bank_s_colours_are_no_secret_and_its_accounts_are() {
    let served = Served::new().await;
    served.stage.account(BANK_A, 1, 0).await;
    let query = |id: &str| {
        format!(
            "{{ _entities(representations: [{{__typename: \"Bank\", id: \"{id}\"}}]) {{ \
             ... on Bank {{ id primaryColor accounts {{ nodes {{ number }} }} }} }} }}"
        )
    };
    let own = served.ask(bank(BANK_A), &query(BANK_A)).await;
    let own = &Served::data(&own)["_entities"][0];
    assert_eq!(own["accounts"]["nodes"], json!([{ "number": "10001" }]));
    let other = served.ask(bank(BANK_B), &query(BANK_A)).await;
    assert_eq!(other["data"]["_entities"][0]["primaryColor"], own["primaryColor"]);
    assert_eq!(other["data"]["_entities"][0]["accounts"], Value::Null);
    assert_eq!(refusals(&other), [("caller_may_not_act_for_bank", "ispb")]);
    let elsewhere = served.ask(Caller::Operator, &query("00000009")).await;
    let elsewhere = &Served::data(&elsewhere)["_entities"][0];
    assert_eq!(elsewhere["primaryColor"], Value::Null);
    let malformed = served.ask(Caller::Operator, &query("1")).await;
    assert_eq!(Served::data(&malformed)["_entities"], json!([null]));
}

#[tokio::test]
async fn an_account_lives_from_opening_to_closing() {
    let served = Served::new().await;
    let act = async |command: &str, input: &str, fields: &str| {
        let query = format!(
            "mutation {{ {command}(input: {{ {input} }}) {{ account {{ id {fields} }} }} }}"
        );
        served.ask(bank(BANK_A), &query).await
    };
    let owner = cpf(1);
    let opening = format!(
        "idempotencyKey: \"o\", ispb: \"{BANK_A}\", ownerName: \"Ana\", ownerTaxId: \"{}\"",
        owner.as_str()
    );
    let opened = act("openAccount", &opening, "number").await;
    assert_eq!(act("openAccount", &opening, "number").await, opened, "a repeat");
    let account = &Served::data(&opened)["openAccount"]["account"];
    assert_eq!(account["number"], "10001");
    let account = format!("accountId: {}", account["id"]);
    let money = |key: &str, amount: &str| {
        format!("{account}, idempotencyKey: \"{key}\", amount: \"{amount}\"")
    };
    let state = "status funds { total } limits { perTransfer perDay }";
    let steps = [
        ("deposit", money("d", "7.00"), json!("7.00"), "ACTIVE"),
        ("withdraw", money("w", "6.00"), json!("1.00"), "ACTIVE"),
        ("blockAccount", account.clone(), json!("1.00"), "BLOCKED"),
        ("unblockAccount", account.clone(), json!("1.00"), "ACTIVE"),
    ];
    for (command, input, total, status) in steps {
        let answer = act(command, &input, state).await;
        let after = &Served::data(&answer)[command]["account"];
        assert_eq!((&after["funds"]["total"], &after["status"]), (&total, &json!(status)));
    }
    let limits = format!("{account}, limitPerTransfer: \"5.00\"");
    let limited = act("setAccountLimits", &limits, state).await;
    let limited = &Served::data(&limited)["setAccountLimits"]["account"]["limits"];
    assert_eq!(limited, &json!({ "perTransfer": "5.00", "perDay": null }));

    let refused = act("closeAccount", &account, state).await;
    assert_eq!(refusals(&refused)[0].0, "account_not_empty");
    let refused = act("withdraw", &money("x", "1.01"), state).await;
    assert_eq!(refusals(&refused), [("insufficient_funds", "amount")]);
    let refused = act("deposit", &money("y", "0.00"), state).await;
    assert_eq!(refusals(&refused)[0].0, "amount_out_of_range");
    let refused = act("deposit", &money("d", "7.01"), state).await;
    assert_eq!(refusals(&refused)[0].0, "idempotency_key_reused");
    let negative = format!("{account}, limitPerDay: \"-1.00\"");
    let refused = act("setAccountLimits", &negative, state).await;
    assert_eq!(refusals(&refused), [("limit_negative", "limitPerDay")]);
    Served::data(&act("withdraw", &money("z", "1.00"), state).await);
    let closed = act("closeAccount", &account, state).await;
    assert_eq!(Served::data(&closed)["closeAccount"]["account"]["status"], "CLOSED");
}

#[tokio::test]
async fn commands_name_what_is_absent_or_forbidden() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 1_000).await;
    let pay = async |caller, account: &str, key: &str| {
        let query = format!(
            "mutation {{ requestTransfer(input: {{ idempotencyKey: \"p\", \
             accountId: \"{account}\", payeeKey: \"{key}\", amount: \"1.00\" }}) \
             {{ order {{ state }} }} }}"
        );
        served.ask(caller, &query).await
    };
    let own = id(&ana);
    let nobody = account_id(77).to_string();
    let refused = pay(bank(BANK_A), &own, "9@example.com").await;
    assert_eq!(refusals(&refused), [("key_not_found", "payeeKey")]);
    let refused = pay(bank(BANK_A), &nobody, "9@example.com").await;
    assert_eq!(refusals(&refused), [("account_not_found", "accountId")]);
    let refused = pay(bank(BANK_B), &own, "1@example.com").await;
    assert_eq!(refusals(&refused), [("account_not_found", "accountId")]);
    let refused = pay(bank(BANK_A), "7", "9@example.com").await;
    assert_eq!(refusals(&refused), [("account_id_shape", "accountId")]);
    assert_eq!(served.stage.funds(&ana), (1_000, 0));
}

#[tokio::test]
async fn an_order_is_seen_from_both_sides_and_a_book_transfer_has_no_hub() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 1_000).await;
    let bia = served.stage.account(BANK_A, 2, 0).await;
    let caio = served.stage.account(BANK_B, 3, 0).await;
    let fields = "endToEndId direction state amount payeeKey description reason { code } \
                  counterpartyName account { id } transfer { id } counterpartyBank { id } \
                  counterpartyAccount { id }";
    let pay = async |owner: u32| {
        let query = format!(
            "mutation {{ requestTransfer(input: {{ idempotencyKey: \"{owner}\", \
             accountId: \"{}\", payeeKey: \"{owner}@example.com\", amount: \"1.00\", \
             description: \"rent\" }}) {{ order {{ {fields} }} }} }}",
            id(&ana)
        );
        let answer = served.ask(bank(BANK_A), &query).await;
        Served::data(&answer)["requestTransfer"]["order"].clone()
    };
    let out = pay(3).await;
    assert_eq!(
        out,
        json!({
            "endToEndId": out["endToEndId"], "direction": "OUTGOING", "state": "REQUESTED",
            "amount": "1.00", "payeeKey": "3@example.com", "description": "rent", "reason": null,
            "counterpartyName": "Owner 3", "account": { "id": id(&ana) },
            "transfer": { "id": out["endToEndId"] }, "counterpartyBank": { "id": BANK_B },
            "counterpartyAccount": null,
        })
    );
    let booked = pay(2).await;
    assert_eq!((&booked["state"], &booked["transfer"]), (&json!("SETTLED"), &Value::Null));
    assert_eq!(booked["counterpartyAccount"]["id"], id(&bia));

    let seen_by = async |caller, order: &Value, account: &OnAccount| {
        let query = format!(
            "{{ accountTransfer(id: {}, accountId: \"{}\") {{ {fields} }} }}",
            order["endToEndId"],
            id(account)
        );
        let answer = served.ask(caller, &query).await;
        Served::data(&answer)["accountTransfer"].clone()
    };
    assert_eq!(seen_by(bank(BANK_A), &booked, &ana).await, booked);
    let by_payee = seen_by(bank(BANK_A), &booked, &bia).await;
    assert_eq!(by_payee["account"]["id"], id(&bia));
    assert_eq!(by_payee["counterpartyAccount"]["id"], id(&ana));
    assert_eq!(by_payee["counterpartyName"], "Owner 1");

    let end_to_end_id = out["endToEndId"].as_str().unwrap().parse().unwrap();
    let pending = served.stage.said(BANK_B, end_to_end_id, HubWord::Pending);
    served.stage.hear(&[pending]).await;
    let by_payee = seen_by(bank(BANK_B), &out, &caio).await;
    assert_eq!(
        (&by_payee["direction"], &by_payee["state"]),
        (&json!("INCOMING"), &json!("REQUESTED"))
    );
    assert_eq!(by_payee["counterpartyBank"]["id"], BANK_A);
}

#[tokio::test]
async fn an_order_is_followed_by_its_events_until_it_is_final() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 1_000).await;
    served.stage.account(BANK_B, 2, 0).await;
    let id = served.stage.pay(&ana, 2, 300).await.unwrap().end_to_end_id;
    let query = format!(
        "subscription {{ orderUpdated(id: \"{id}\", accountId: \"{}\") \
         {{ state account {{ funds {{ total held }} }} }} }}",
        ana.account_id
    );
    let follow = |caller| served.graph.execute_stream(Request::new(&query).data(caller));
    let mut states = Box::pin(follow(bank(BANK_A)));
    let next = async |states: &mut _| {
        let states: &mut std::pin::Pin<Box<_>> = states;
        let answer = StreamExt::next(states).await.map(|it| serde_json::to_value(&it).unwrap());
        answer.map(|answer| Served::data(&answer)["orderUpdated"].clone())
    };
    let held = json!({
        "state": "REQUESTED", "account": { "funds": { "total": "10.00", "held": "3.00" } }
    });
    assert_eq!(next(&mut states).await, Some(held));
    let settled = served.stage.said(BANK_A, id, HubWord::Confirmed);
    served.stage.hear(&[settled]).await;
    served.changes.changed(&ana.account_id.to_string());
    let debited = json!({
        "state": "SETTLED", "account": { "funds": { "total": "7.00", "held": "0.00" } }
    });
    assert_eq!(next(&mut states).await, Some(debited));
    assert_eq!(next(&mut states).await, None, "nothing follows a final state");

    let refused = Box::pin(follow(bank(BANK_B))).next().await;
    let refused = serde_json::to_value(&refused).unwrap();
    assert_eq!(refusals(&refused), [("account_not_found", "accountId")]);
}

#[tokio::test]
async fn who_follows_an_order_is_let_go_when_the_process_stops() {
    let served = Served::new().await;
    let ana = served.stage.account(BANK_A, 1, 1_000).await;
    served.stage.account(BANK_B, 2, 0).await;
    let id = served.stage.pay(&ana, 2, 300).await.unwrap().end_to_end_id;
    let account_id = ana.account_id;
    let query = format!(
        "subscription {{ orderUpdated(id: \"{id}\", accountId: \"{account_id}\") {{ state }} }}"
    );
    let states = served.graph.execute_stream(Request::new(query).data(bank(BANK_A)));
    let mut states = Box::pin(states);
    assert!(states.next().await.is_some_and(|held| held.is_ok()));
    served.stop.stop();
    assert!(states.next().await.is_none(), "though the feed is there");
}

#[tokio::test]
async fn everything_that_is_owned_here_is_described() {
    let served = Served::new().await;
    let found = undocumented(&served.graph, &["Bank", "Transfer"]).await;
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_sdl_is_written_without_servers_and_composes_by_keys() {
    let sdl = sdl();
    for part in [
        "type Account @key(fields: \"id\")",
        "type Bank @key(fields: \"id\")",
        "type Transfer @key(fields: \"id\", resolvable: false)",
        "type Subscription {",
    ] {
        assert!(sdl.contains(part), "{part}");
    }
    let bank = sdl.split("type Bank @key").nth(1).and_then(|rest| rest.split("\n}").next());
    let fields = bank.unwrap().lines().filter(|line| line.contains(": "));
    let required: Vec<&str> = fields.filter(|line| line.trim_end().ends_with('!')).collect();
    assert_eq!(required, ["\tid: ID!"], "what is added to a foreign entity may be null");
}
