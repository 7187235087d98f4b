//! The subgraph on real servers: commands, lists of many accounts, an order followed by the log.

use async_graphql::Request as Question;
use banking::domain::Party;
use banking::infrastructure::grpc::proto;
use banking::infrastructure::grpc::proto::banking_service_server::BankingService;
use futures::StreamExt;
use serde_json::{Value, json};
use shared_kernel::application::Caller;
use shared_kernel::infrastructure::graphql::{each_together, together};
use tonic::Request;

use crate::process::{Process, Word};
use crate::world::{BANK_A, BANK_B, cpf, ispb};

/// Asks as bank A; every answer must be whole.
async fn ask(process: &Process, question: &str) -> Value {
    let caller = Caller::Bank(ispb(BANK_A));
    let question = Question::new(question).data(caller);
    let answer = together(process.running.graph.execute(question)).await;
    let answer = serde_json::to_value(&answer).unwrap();
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

fn entities(accounts: &[&Party], fields: &str) -> String {
    let named =
        |party: &&Party| format!("{{__typename: \"Account\", id: \"{}\"}}", party.account_id);
    let named: Vec<String> = accounts.iter().map(named).collect();
    let named = named.join(", ");
    format!("{{ _entities(representations: [{named}]) {{ ... on Account {{ {fields} }} }} }}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_moves_by_the_graph_and_is_listed_by_it() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let bia = process.account(BANK_A, 222_333_444, 0, "bia@example.com").await;
    process.account(BANK_B, 333_444_555, 0, "caio@example.com").await;
    let opened = ask(
        &process,
        &format!(
            "mutation {{ openAccount(input: {{ idempotencyKey: \"o\", ispb: \"{BANK_A}\", \
             ownerName: \"Ana\", ownerTaxId: \"{}\" }}) {{ account {{ id number }} }} }}",
            cpf(111_222_333).as_str()
        ),
    )
    .await;
    let account = &opened["openAccount"]["account"];
    assert_eq!(account["number"], "10002");
    let id = account["id"].as_str().unwrap();
    let paid = ask(
        &process,
        &format!(
            "mutation {{ \
             deposit(input: {{ accountId: \"{id}\", idempotencyKey: \"d\", amount: \"10.00\" }}) \
             {{ account {{ funds {{ total }} }} }} \
             book: requestTransfer(input: {{ accountId: \"{id}\", idempotencyKey: \"b\", \
             payeeKey: \"bia@example.com\", amount: \"1.00\", description: \"rent\" }}) \
             {{ order {{ state endToEndId account {{ funds {{ total }} }} }} }} \
             out: requestTransfer(input: {{ accountId: \"{id}\", idempotencyKey: \"t\", \
             payeeKey: \"caio@example.com\", amount: \"2.00\" }}) \
             {{ order {{ state endToEndId account {{ funds {{ total held }} }} }} }} }}"
        ),
    )
    .await;
    assert_eq!(paid["deposit"]["account"]["funds"], json!({ "total": "10.00" }));
    let (book, out) = (&paid["book"]["order"], &paid["out"]["order"]);
    assert_eq!((&book["state"], &out["state"]), (&json!("SETTLED"), &json!("REQUESTED")));
    assert_eq!(out["account"]["funds"], json!({ "total": "9.00", "held": "2.00" }));

    let ana = Party { account_id: id.parse().unwrap(), ..bia.clone() };
    let fields = "holds { nodes { amount transfer { id } } } \
                  orders { nodes { state direction counterpartyName transfer { id } } } \
                  postings { nodes { kind amount balanceAfter counterpartyName description } } \
                  bank { id accounts(first: 1) { nodes { id } pageInfo { hasNextPage } } }";
    let shown = ask(&process, &entities(&[&ana, &bia], fields)).await;
    let shown = &shown["_entities"];
    let order = json!({ "id": out["endToEndId"] });
    assert_eq!(shown[0]["holds"]["nodes"], json!([{ "amount": "2.00", "transfer": order }]));
    assert_eq!(shown[1]["holds"]["nodes"], json!([]));
    assert_eq!(
        shown[0]["orders"]["nodes"],
        json!([
            { "state": "REQUESTED", "direction": "OUTGOING", "transfer": order,
              "counterpartyName": "Owner 333444555" },
            { "state": "SETTLED", "direction": "BOOK", "transfer": null,
              "counterpartyName": "Owner 222333444" },
        ])
    );
    assert_eq!(
        shown[0]["postings"]["nodes"],
        json!([
            { "kind": "BOOK_DEBIT", "amount": "-1.00", "balanceAfter": "9.00",
              "counterpartyName": "Owner 222333444", "description": "rent" },
            { "kind": "DEPOSIT", "amount": "10.00", "balanceAfter": "10.00",
              "counterpartyName": "", "description": "" },
        ])
    );
    assert_eq!(shown[1]["postings"]["nodes"][0]["kind"], "BOOK_CREDIT");
    assert_eq!(shown[1]["orders"]["nodes"][0]["counterpartyName"], "Ana");
    let accounts = json!({
        "nodes": [{ "id": bia.account_id.to_string() }], "pageInfo": { "hasNextPage": true }
    });
    assert_eq!(shown[0]["bank"], json!({ "id": BANK_A, "accounts": accounts }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_one_transport_is_one_of_the_other() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A]).await;
    for owner in [111_222_333, 222_333_444, 333_444_555] {
        process.account(BANK_A, owner, 0, "none").await;
    }
    let request = proto::ListAccountsRequest {
        ispb: BANK_A.into(),
        page_size: 2,
        ..proto::ListAccountsRequest::default()
    };
    let page = process.services().list_accounts(Request::new(request)).await.unwrap().into_inner();
    let question = format!(
        "{{ accounts(ispb: \"{BANK_A}\", first: 2) {{ pageInfo {{ endCursor }} }} \
         rest: accounts(ispb: \"{BANK_A}\", after: \"{}\") {{ nodes {{ number }} }} }}",
        page.next_page_token
    );
    let shown = ask(&process, &question).await;
    assert_eq!(shown["accounts"]["pageInfo"]["endCursor"], page.next_page_token);
    assert_eq!(shown["rest"]["nodes"], json!([{ "number": "10003" }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_followed_by_the_log() {
    let process = Process::start(&[]).await;
    process.enrol(&[BANK_A, BANK_B]).await;
    let ana = process.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    let bia = process.account(BANK_B, 222_333_444, 0, "bia@example.com").await;
    let id = process.pay(&ana, "bia@example.com", 250).await.end_to_end_id;
    let question = format!(
        "subscription {{ orderUpdated(id: \"{id}\", accountId: \"{}\") \
         {{ state reason {{ code }} account {{ funds {{ available held }} }} }} }}",
        ana.account_id
    );
    let question = Question::new(question).data(Caller::Bank(ispb(BANK_A)));
    let mut states = each_together(process.running.graph.execute_stream(question).boxed());
    let mut next = async || {
        let answer = serde_json::to_value(&states.next().await?).unwrap();
        assert_eq!(answer.get("errors"), None, "{answer}");
        Some(answer["data"]["orderUpdated"].clone())
    };
    let held = json!({ "funds": { "available": "7.50", "held": "2.50" } });
    let requested = json!({ "state": "REQUESTED", "reason": null, "account": held });
    assert_eq!(next().await, Some(requested));
    let name = "codepix.transfers.TransferRejected.v1";
    let reason = Some("AC06");
    let word = Word { name, id: &id, payer: &ana, payee: &bia, amount: "2.50", reason };
    process.servers.write(&[process.word(BANK_A, &word)]).await;
    let released = json!({ "funds": { "available": "10.00", "held": "0.00" } });
    let rejected =
        json!({ "state": "REJECTED", "reason": { "code": "AC06" }, "account": released });
    assert_eq!(next().await, Some(rejected));
    assert_eq!(next().await, None, "nothing follows a final state");
}
