//! The schema over a directory in memory: what it answers, what it refuses, how often it reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_graphql::{Request, Response, Value, Variables};
use async_trait::async_trait;
use serde_json::json;
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::application::{Caller, StoreError};
use shared_kernel::domain::{AccountId, Ispb};
use shared_kernel::infrastructure::graphql::together;
use shared_kernel::testing::{CountedIds, undocumented};

use super::{GraphSchema, schema, sdl};
use crate::application::command::{EnrolAccountHandler, RegisterKeyHandler, RemoveKeyHandler};
use crate::application::memory::{MemoryDirectory, account_id, enrolled, queue, runner};
use crate::application::query::{FindAccountExecutor, FindKeyExecutor};
use crate::application::{
    AccountView, Desk, DeskPorts, DirectoryReads, DirectoryStore, EntryView, PixKeys,
};
use crate::domain::PixKey;

const BBX: &str = "00000001";
const CTER: &str = "00000002";
const MARIA: &str = "12345678909";
const ANA: &str = "52998224725";

/// Reads that are counted.
#[derive(Clone)]
struct Counting {
    inner: MemoryDirectory,
    calls: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    is_away: Arc<AtomicBool>,
}

impl Counting {
    fn count(&self, call: &'static str) {
        let mut calls = self.calls.lock().unwrap();
        let count = calls.entry(call).or_default();
        *count = count.saturating_add(1);
    }
}

#[async_trait]
impl DirectoryReads for Counting {
    async fn entries(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        self.count("entries");
        if self.is_away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the store is away".into()));
        }
        self.inner.entries(keys).await
    }

    async fn look_up(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        self.count("look_up");
        self.inner.look_up(keys).await
    }

    async fn entries_of(&self, accounts: &[AccountId]) -> Result<Vec<EntryView>, StoreError> {
        self.count("entries_of");
        self.inner.entries_of(accounts).await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, StoreError> {
        self.count("accounts");
        self.inner.accounts(ids).await
    }

    async fn has_participant(&self, ispb: Ispb) -> Result<bool, StoreError> {
        self.inner.has_participant(ispb).await
    }
}

/// A schema over a directory with accounts 1 (of BBX, Maria's) and 2 (of CTER, Ana's), each with
/// keys; it works until it is dropped.
struct Setting {
    graph: GraphSchema,
    reads: Counting,
    _stop: StopHandle,
}

fn setting() -> Setting {
    let directory = MemoryDirectory::with_participants(&[BBX, CTER]);
    directory.add(enrolled(1, BBX, MARIA));
    directory.add(enrolled(2, CTER, ANA));
    for (number, text) in [(1, MARIA), (1, "maria@example.com"), (2, "ana@example.com")] {
        directory.give(number, text);
    }
    let (handle, stop) = stop_pair();
    let counting =
        Counting { inner: directory.clone(), calls: Arc::default(), is_away: Arc::default() };
    let reads: Arc<dyn DirectoryReads> = Arc::new(counting.clone());
    let store: Arc<dyn DirectoryStore> = Arc::new(directory.clone());
    let (clock, ids) = (directory.clock(), directory.ids());
    let find_account = queue(FindAccountExecutor::new(Arc::clone(&reads)), &stop);
    let find_key = queue(FindKeyExecutor::new(Arc::clone(&reads)), &stop);
    let registers = RegisterKeyHandler::new(Arc::clone(&store), clock.clone(), ids);
    let removes = RemoveKeyHandler::new(Arc::clone(&store), clock.clone());
    let desk = Desk::new(DeskPorts {
        reads: Arc::clone(&reads),
        clock,
        find_account: find_account.clone(),
        register_key: queue(runner(registers, &directory), &stop),
        remove_key: queue(runner(removes, &directory), &stop),
        enrol_account: queue(runner(EnrolAccountHandler::new(store), &directory), &stop),
    });
    let pix_keys = PixKeys::new(desk, find_key, find_account, &reads);
    let graph = schema(&pix_keys, Arc::new(CountedIds::default()));
    Setting { graph, reads: counting, _stop: handle }
}

fn bank(text: &str) -> Caller {
    Caller::Bank(Ispb::parse(text).unwrap())
}

impl Setting {
    async fn ask(&self, caller: Caller, query: &str) -> Response {
        together(self.graph.execute(Request::new(query).data(caller))).await
    }

    /// The answer to a question that is not refused.
    async fn answer(&self, caller: Caller, query: &str) -> serde_json::Value {
        let response = self.ask(caller, query).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    async fn entities(
        &self,
        caller: Caller,
        representations: serde_json::Value,
        selection: &str,
    ) -> (serde_json::Value, Vec<(String, String)>) {
        let query =
            format!("query($of: [_Any!]!) {{ _entities(representations: $of) {{ {selection} }} }}");
        let variables = Variables::from_json(json!({ "of": representations }));
        let request = Request::new(query).variables(variables).data(caller);
        let response = together(self.graph.execute(request)).await;
        let refused = refusals(&response);
        (response.data.into_json().unwrap()["_entities"].clone(), refused)
    }

    fn calls(&self) -> Vec<(&'static str, usize)> {
        std::mem::take(&mut *self.reads.calls.lock().unwrap()).into_iter().collect()
    }
}

/// Code and field of each error.
fn refusals(response: &Response) -> Vec<(String, String)> {
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

fn pair(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

fn account(number: u128) -> String {
    account_id(number).to_string()
}

#[tokio::test]
async fn everything_is_described() {
    let Setting { graph, _stop, .. } = setting();
    assert_eq!(undocumented(&graph, &["Account", "Bank"]).await, Vec::<String>::new());
}

#[test]
fn entities_are_in_the_sdl() {
    let sdl = sdl();
    for line in [
        "type PixKey @key(fields: \"id\") {",
        "type Account @key(fields: \"id\") {",
        "type Bank @key(fields: \"id\", resolvable: false) {",
    ] {
        assert!(sdl.lines().any(|it| it == line), "{line}");
    }
}

#[tokio::test]
async fn every_bank_looks_keys_up_and_says_for_whom() {
    let setting = setting();
    let query = "{ pixKey(key: \"maria@example.com\", payerTaxId: \"52998224725\", \
         endToEndId: \"E00000002202611201200abcdefghijk\") { id key kind entryId ownerName \
         ownerTaxId createdAt ownedSince registeredAs bank { id } \
         account { id listing { branch number ownerName ownerTaxId status bank { id } } } } }";
    let found = setting.answer(bank(CTER), query).await;
    let expected = json!({
        "id": "maria@example.com", "key": "maria@example.com", "kind": "EMAIL",
        "entryId": account(2), "ownerName": "Owner", "ownerTaxId": MARIA,
        "createdAt": "1970-01-01T00:00:00.000000Z", "ownedSince": "1970-01-01T00:00:00.000000Z",
        "registeredAs": "maria@example.com", "bank": { "id": BBX },
        "account": { "id": account(1), "listing": {
            "branch": "0001", "number": "1111", "ownerName": "Owner", "ownerTaxId": MARIA,
            "status": "ACTIVE", "bank": { "id": BBX },
        }},
    });
    assert_eq!(found["pixKey"], expected);
    // The account came with the key.
    assert_eq!(setting.calls(), [("look_up", 1)]);
    let ask = async |caller, arguments: &str| {
        let query = format!("{{ pixKey({arguments}) {{ id }} }}");
        let response = setting.ask(caller, &query).await;
        let refused = refusals(&response).pop();
        (response.data.into_json().unwrap(), refused)
    };
    let (none, refused) = ask(bank(CTER), "key: \"nobody@example.com\"").await;
    assert_eq!((none, refused), (json!({ "pixKey": null }), None));
    let known = "key: \"ana@example.com\"";
    let for_bank = format!("{known}, requesterIspb: \"{BBX}\"");
    assert_eq!(ask(Caller::Operator, &for_bank).await.1, None);
    let cases = [
        (Caller::Operator, known.to_owned(), pair("requester_ispb_missing", "requesterIspb")),
        (bank(CTER), for_bank, pair("caller_may_not_act_for_bank", "requesterIspb")),
        (bank(CTER), "key: \"?\"".to_owned(), pair("key_shape", "key")),
        (bank(CTER), format!("{known}, payerTaxId: \"1\""), pair("tax_id_length", "")),
        (bank(CTER), format!("{known}, endToEndId: \"E1\""), pair("end_to_end_id_length", "")),
    ];
    for (caller, arguments, expected) in cases {
        assert_eq!(ask(caller, &arguments).await.1, Some(expected), "{arguments}");
    }
    let nobody = setting.graph.execute(query).await;
    assert_eq!(refusals(&nobody), [pair("token_missing", "authorization")]);
}

#[tokio::test]
async fn a_key_as_an_entity_is_for_the_bank_that_it_leads_to() {
    let setting = setting();
    let of = ["maria@example.com", "ana@example.com", "nobody@example.com", "?", MARIA]
        .map(|id| json!({ "__typename": "PixKey", "id": id }));
    let selection = "... on PixKey { key account { id } }";
    let told = |text: &str, number| json!({ "key": text, "account": { "id": account(number) } });
    let (seen, refused) = setting.entities(bank(BBX), json!(of), selection).await;
    let maria = (told("maria@example.com", 1), told(MARIA, 1));
    assert_eq!(seen, json!([maria.0, null, null, null, maria.1]));
    assert_eq!((refused, setting.calls()), (vec![], vec![("entries", 1)]));
    let (seen, _) = setting.entities(Caller::Operator, json!(of), selection).await;
    assert_eq!(seen[1], told("ana@example.com", 2));
}

#[tokio::test]
async fn a_store_that_is_away_makes_each_key_null_and_no_list() {
    let setting = setting();
    setting.reads.is_away.store(true, Ordering::Relaxed);
    let of = ["maria@example.com", "ana@example.com"]
        .map(|id| json!({ "__typename": "PixKey", "id": id }));
    let selection = "... on PixKey { ownerName }";
    let (seen, refused) = setting.entities(Caller::Operator, json!(of), selection).await;
    assert_eq!(seen, json!([null, null]));
    assert_eq!(refused, [pair("temporarily_unavailable", ""), pair("temporarily_unavailable", "")]);
}

#[tokio::test]
async fn a_listed_account_is_found_by_its_id_by_one_read() {
    let setting = setting();
    let ask = async |caller, id: &str| {
        let query = format!(
            "{{ listedAccount(id: \"{id}\") {{ id listing {{ number bank {{ id }} }} }} }}"
        );
        let response = setting.ask(caller, &query).await;
        let refused = refusals(&response);
        (response.data.into_json().unwrap(), refused)
    };
    let listing = |number: Option<&str>| {
        let listing = json!({ "number": number, "bank": { "id": BBX } });
        json!({ "listedAccount": { "id": account(1), "listing": listing } })
    };
    let (own, _) = ask(Caller::Operator, &account(1)).await;
    let (foreign, _) = ask(bank(CTER), &account(1)).await;
    assert_eq!([own, foreign], [listing(Some("1111")), listing(None)]);
    assert_eq!(setting.calls(), [("accounts", 2)]);
    let (unknown, _) = ask(Caller::Operator, &account(9)).await;
    assert_eq!(unknown, json!({ "listedAccount": null }));
    let (_, refused) = ask(Caller::Operator, "9").await;
    assert_eq!(refused, [pair("account_id_shape", "id")]);
}

#[tokio::test]
async fn the_keys_of_many_accounts_are_one_read_and_for_their_own_bank() {
    let setting = setting();
    let ids = [account(1), account(2), account(9), "?".to_owned()];
    let of = ids.map(|id| json!({ "__typename": "Account", "id": id }));
    let selection = "... on Account { id listing { number bank { id } } keys { nodes { key } } \
         emails: keys(kind: EMAIL, first: 1) { nodes { key } pageInfo { hasNextPage } } }";
    let (told, refused) = setting.entities(bank(BBX), json!(of), selection).await;
    let listing = |ispb: &str| json!({ "number": "1111", "bank": { "id": ispb } });
    let maria = json!({
        "id": account(1), "listing": listing(BBX),
        "keys": { "nodes": [{ "key": MARIA }, { "key": "maria@example.com" }] },
        "emails": {
            "nodes": [{ "key": "maria@example.com" }], "pageInfo": { "hasNextPage": false },
        },
    });
    assert_eq!(told[0], maria);
    // Of another bank's account, its bank alone.
    let foreign = json!({ "number": null, "bank": { "id": CTER } });
    assert_eq!((&told[1]["listing"], &told[1]["keys"]), (&foreign, &json!(null)));
    let unknown = json!({ "id": account(9), "listing": null, "keys": null, "emails": null });
    assert_eq!((&told[2], &told[3]), (&unknown, &json!(null)));
    assert_eq!(refused, []);
    // Accounts for the listings, accounts and entries for the keys.
    assert_eq!(setting.calls(), [("accounts", 2), ("entries_of", 1)]);
    // The next page begins behind the cursor.
    let selection = "... on Account { keys(first: 1) { edges { cursor node { key } } } }";
    let (first, _) = setting.entities(Caller::Operator, json!([of[0]]), selection).await;
    let edge = &first[0]["keys"]["edges"][0];
    assert_eq!(edge["node"]["key"], json!(MARIA));
    let cursor = edge["cursor"].as_str().unwrap();
    let selection = format!("... on Account {{ keys(after: \"{cursor}\") {{ nodes {{ key }} }} }}");
    let (second, _) = setting.entities(Caller::Operator, json!([of[0]]), &selection).await;
    assert_eq!(second[0]["keys"]["nodes"], json!([{ "key": "maria@example.com" }]));
    let selection = "... on Account { keys(first: 201) { nodes { key } } }";
    let (_, refused) = setting.entities(Caller::Operator, json!([of[0]]), selection).await;
    assert_eq!(refused, [pair("page_size_range", "first")]);
}

#[tokio::test]
async fn keys_are_registered_and_removed() {
    let setting = setting();
    let register = |request: &str, more: &str| {
        format!(
            "mutation {{ registerPixKey(input: {{ requestId: \"{request}\", \
             accountId: \"{}\", {more} }}) {{ pixKey {{ id kind account {{ id }} }} }} }}",
            account(1)
        )
    };
    let query = register("r1", "kind: EVP");
    let first = setting.answer(bank(BBX), &query).await;
    let key = first["registerPixKey"]["pixKey"]["id"].as_str().unwrap().to_owned();
    assert_eq!((key.len(), &first["registerPixKey"]["pixKey"]["kind"]), (36, &json!("EVP")));
    assert_eq!(setting.answer(bank(BBX), &query).await, first);
    let remove = |request: &str, key: &str| {
        format!(
            "mutation {{ removePixKey(input: {{ requestId: \"{request}\", key: \"{key}\", \
             accountId: \"{}\", reason: FRAUD }}) {{ key removedAt }} }}",
            account(1)
        )
    };
    let cases = [
        (BBX, register("r1", "kind: CPF, key: \"x\""), pair("cpf_shape", "key")),
        (BBX, register("r1", &format!("kind: EVP, key: \"{key}\"")), pair("evp_key_given", "key")),
        (
            BBX,
            register("r1", "kind: EMAIL, key: \"a@x\""),
            pair("idempotency_key_reused", "requestId"),
        ),
        (BBX, register("", "kind: EVP"), pair("idempotency_key_shape", "requestId")),
        (CTER, register("r2", "kind: EVP"), pair("account_not_found", "accountId")),
        (
            BBX,
            register("r3", "kind: EMAIL, key: \"ana@example.com\""),
            pair("key_owned_by_another_person", "key"),
        ),
        (CTER, remove("d1", &key), pair("account_not_found", "accountId")),
        (BBX, remove("d1", "ana@example.com"), pair("key_not_found", "key")),
        (BBX, remove("d1", "?"), pair("key_shape", "key")),
        (
            BBX,
            register("r4", "kind: EVP").replace(&account(1), "1"),
            pair("account_id_shape", "accountId"),
        ),
    ];
    for (caller, query, expected) in cases {
        assert_eq!(refusals(&setting.ask(bank(caller), &query).await), [expected], "{query}");
    }
    let removed = setting.answer(bank(BBX), &remove("d1", &key)).await;
    assert_eq!(removed["removePixKey"]["key"], json!(key));
    assert_eq!(setting.answer(bank(BBX), &remove("d1", &key)).await, removed);
}

#[tokio::test]
async fn operators_enrol_accounts() {
    let setting = setting();
    let enrol = |number: &str, tax_id: &str| {
        format!(
            "mutation {{ enrolAccount(input: {{ accountId: \"{}\", ispb: \"{CTER}\", \
             number: \"{number}\", ownerName: \"User\", ownerTaxId: \"{tax_id}\" }}) {{ \
             account {{ id listing {{ branch number status }} keys {{ nodes {{ key }} }} }} }} }}",
            account(5)
        )
    };
    let enrolled = setting.answer(Caller::Operator, &enrol("3333", ANA)).await;
    let expected = json!({
        "id": account(5), "keys": { "nodes": [] },
        "listing": { "branch": "", "number": "3333", "status": "ACTIVE" },
    });
    assert_eq!(enrolled["enrolAccount"]["account"], expected);
    let cases = [
        (bank(CTER), enrol("3333", ANA), pair("operator_only", "caller")),
        (Caller::Operator, enrol("4444", ANA), pair("account_id_taken", "accountId")),
        (Caller::Operator, enrol("?", ANA), pair("account_number_shape", "number")),
        (Caller::Operator, enrol("3333", "1"), pair("tax_id_length", "")),
    ];
    for (caller, query, expected) in cases {
        assert_eq!(refusals(&setting.ask(caller, &query).await), [expected], "{query}");
    }
}
