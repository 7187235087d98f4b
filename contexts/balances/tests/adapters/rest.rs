//! REST over a real listener, on real servers.

use std::net::SocketAddr;

use serde_json::{Value, json};
use shared_kernel::domain::AccountId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bank::{World, account};
use crate::process::{BANK, OPERATOR, Process};

/// An answer as it came over the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status, code and field of a problem, after a look at what every problem has.
    fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(body["status"], self.status);
        assert_eq!(text("type"), format!("urn:codepix:problem:{}", text("code")));
        assert!(!text("title").is_empty() && !text("detail").is_empty(), "{body}");
        (self.status, text("code"), text("field"))
    }
}

async fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Answer { status, headers: lines.map(header).collect(), body: body.to_owned() }
}

/// As the operator.
async fn get(process: &Process, path: &str) -> Answer {
    let token = format!("Bearer {OPERATOR}");
    send(process.rest, "GET", path, &[("authorization", &token)]).await
}

/// A process that has seen versions 1 to 3 of account 1 and the opening of account 2.
async fn known(world: &World) -> Process {
    let process = Process::start(&world.servers).await;
    let mut records: Vec<_> = (1..=3).map(|version| world.stated(account(1), version)).collect();
    records.push(world.stated_by("00000002", account(2), 1));
    world.servers.write(&records).await;
    process.arrived(account(1), 3).await;
    process.arrived(account(2), 1).await;
    process
}

fn path(account: AccountId, rest: &str) -> String {
    format!("/balances/{account}{rest}")
}

#[tokio::test]
async fn a_balance_is_in_wallet_cores_shape_and_ours() {
    let world = World::fresh().await;
    let process = known(&world).await;
    let answer = get(&process, &path(account(1), "")).await;
    assert_eq!(answer.status, 200);
    let expected = format!(
        "{{\"account_id\":\"{}\",\"balance\":3.03,\"available\":3.00,\"held\":0.03,\"total\":3.03,\
         \"version\":3,\"updated_at\":\"2026-11-20T12:00:03.000000Z\",\
         \"external\":false}}",
        account(1)
    );
    assert_eq!(answer.body, expected);
    let tag = answer.header("etag").unwrap().to_owned();
    assert_eq!(answer.header("last-event-id"), Some("3"));
    let token = format!("Bearer {OPERATOR}");
    let again = async |tag: &str| {
        let headers = [("authorization", token.as_str()), ("if-none-match", tag)];
        send(process.rest, "GET", &path(account(1), ""), &headers).await
    };
    let same = again(&tag).await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert_eq!(same.header("etag"), Some(tag.as_str()));
    assert_eq!(again("\"3\"").await.status, 200);
    // What is known of a time that has passed may change without another version.
    world.execute("UPDATE balances.account_balance SET updated_at = updated_at + '1 second'").await;
    assert_eq!(again(&tag).await.status, 200);
    process.stop().await;
}

#[tokio::test]
async fn any_past_instant_can_be_asked_for() {
    let world = World::fresh().await;
    let process = known(&world).await;
    let then = async |at: &str| get(&process, &path(account(1), &format!("?at={at}"))).await;
    assert_eq!(then("2026-11-20T12:00:02.5Z").await.json()["balance"], json!(2.02));
    assert_eq!(then("2026-11-20T09:00:01-03:00").await.json()["version"], 1);
    assert_eq!(then("2026-11-20T13:00:01%2B01:00").await.json()["version"], 1);
    assert_eq!(then("2999-01-01T00:00:00Z").await.json()["version"], 3);
    let before = then("2026-11-20T12:00:00Z").await;
    assert_eq!(before.problem(), (404, "account_not_open_then".into(), "at".into()));
    assert_eq!(before.json()["account_id"], json!(account(1)));
    process.stop().await;
}

#[tokio::test]
async fn a_statement_is_read_in_pages_and_periods() {
    let world = World::fresh().await;
    let process = known(&world).await;
    let read = async |rest: &str| {
        let answer = get(&process, &path(account(1), &format!("/statement{rest}"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let versions = |page: &Value| {
        let lines = page["lines"].as_array().unwrap().iter();
        lines.map(|line| line["version"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let first = read("?first=1").await;
    assert_eq!(versions(&first), [3]);
    let line = &first["lines"][0];
    assert_eq!((&line["kind"], &line["direction"]), (&json!("deposit"), &json!("credit")));
    assert_eq!((&line["amount"], &line["balance"]), (&json!(1.01), &json!(3.03)));
    let next = first["next"].as_str().unwrap();
    let second = read(&format!("?first=1&after={next}")).await;
    assert_eq!((versions(&second), &second["next"]), (vec![2], &Value::Null));
    let from = read("?from=2026-11-20T12:00:03Z&to=2026-11-20T12:00:04Z").await;
    assert_eq!(versions(&from), [3]);
    process.stop().await;
}

#[tokio::test]
async fn several_balances_are_one_question() {
    let world = World::fresh().await;
    let process = known(&world).await;
    let ids = format!("/balances?ids={},{},{}", account(2), account(9), account(1));
    let answer = get(&process, &ids).await;
    let found = answer.json();
    let seen: Vec<_> = found["balances"].as_array().unwrap().iter().collect();
    assert_eq!(seen[0]["account_id"], json!(account(2)));
    assert_eq!((&seen[1]["version"], seen.len()), (&json!(3), 2));
    let absent = &found["absent"];
    assert_eq!(absent[0]["account_id"], json!(account(9)));
    assert_eq!(absent[0]["code"], "balance_unknown");
    let past = get(&process, &format!("{ids}&at=2026-11-20T12:00:02Z")).await.json();
    assert_eq!(past["balances"][1]["version"], 2);
    // A bank sees its own among them.
    let token = format!("Bearer {BANK}");
    let own = send(process.rest, "GET", &ids, &[("authorization", &token)]).await.json();
    assert_eq!(own["balances"].as_array().unwrap().len(), 1);
    let codes: Vec<_> = own["absent"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, ["balance_unknown"; 2]);
    process.stop().await;
}

#[tokio::test]
async fn bad_input_is_a_problem_that_says_what_was_expected() {
    let world = World::fresh().await;
    let process = known(&world).await;
    let one = path(account(1), "");
    let cases = [
        (path(account(9), ""), (404, "balance_unknown", "account_id")),
        (path(account(9), "/statement"), (404, "balance_unknown", "account_id")),
        ("/balances/one".into(), (400, "account_id_shape", "account_id")),
        ("/balances/%FF".into(), (400, "account_id_shape", "account_id")),
        (format!("{one}?at=yesterday"), (400, "time_shape", "at")),
        (format!("{one}?min_version=new"), (400, "account_version_shape", "min_version")),
        (format!("{one}?min_version=0"), (400, "account_version_range", "min_version")),
        (format!("{one}/statement?after=x"), (400, "page_token_shape", "after")),
        (format!("{one}/statement?first=201"), (400, "page_size_range", "first")),
        (format!("{one}/statement?first=few"), (400, "page_size_range", "first")),
        (format!("{one}/statement?from=x"), (400, "time_shape", "from")),
        (
            format!("{one}/statement?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"),
            (400, "period_order", "to"),
        ),
        ("/balances".into(), (400, "ids_count", "ids")),
        ("/balances?ids=1".into(), (400, "account_id_shape", "ids")),
        (format!("{one}?at=1&at=2"), (400, "query_shape", "query")),
        (format!("{one}?At=2026-11-20T12:00:00Z"), (400, "query_shape", "query")),
        (format!("{one}/statement?at=2026-11-20T12:00:00Z"), (400, "query_shape", "query")),
        ("/balances?ids=1&min_version=9".into(), (400, "query_shape", "query")),
        ("/nowhere".into(), (404, "route_unknown", "")),
    ];
    for (path, (status, code, field)) in cases {
        let answer = get(&process, &path).await;
        assert_eq!(answer.problem(), (status, code.into(), field.into()), "{path}");
    }
    let unknown = get(&process, &path(account(9), "")).await.json();
    assert_eq!(unknown["account_id"], json!(account(9)));
    assert!(unknown["detail"].as_str().unwrap().contains(&account(9).to_string()));
    let posted = send(process.rest, "POST", &one, &[]).await;
    assert_eq!(posted.problem().1, "method_not_allowed");
    process.stop().await;
}

#[tokio::test]
async fn a_token_sees_what_is_its_banks() {
    let world = World::fresh().await;
    let process = known(&world).await;
    let ask = async |token: &str, number| {
        let token = format!("Bearer {token}");
        send(process.rest, "GET", &path(account(number), ""), &[("authorization", &token)]).await
    };
    assert_eq!(ask(BANK, 1).await.status, 200);
    let denied = ask(BANK, 2).await.problem();
    assert_eq!(denied, (404, "balance_unknown".into(), "account_id".into()));
    assert_eq!(ask("nobody-nobody-nobody", 1).await.problem().1, "token_unknown");
    let missing = send(process.rest, "GET", &path(account(1), ""), &[]).await;
    assert_eq!(missing.problem().0, 401);
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    process.stop().await;
}

#[tokio::test]
async fn who_waits_for_a_version_reads_it_when_it_is_committed() {
    let world = World::fresh().await;
    // Two processes: whichever commits the version, both hear of it.
    let (one, two) = tokio::join!(Process::start(&world.servers), Process::start(&world.servers));
    world.servers.write(&[world.stated(account(1), 1)]).await;
    one.arrived(account(1), 1).await;
    let wanted = path(account(1), "?min_version=2");
    let statement = path(account(1), "/statement?min_version=2");
    let write = async { world.servers.write(&[world.stated(account(1), 2)]).await };
    let (first, second, third, ()) =
        tokio::join!(get(&one, &wanted), get(&two, &wanted), get(&two, &statement), write);
    for answer in [first, second] {
        assert_eq!((answer.status, &answer.json()["version"]), (200, &json!(2)));
    }
    assert_eq!(third.json()["lines"][0]["version"], 2);
    let behind = get(&one, &path(account(1), "?min_version=9")).await;
    assert_eq!(behind.problem(), (504, "balance_behind".into(), "min_version".into()));
    assert_eq!(behind.json()["account_id"], json!(account(1)));
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn the_service_describes_itself_with_assets_of_its_own() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    let document = get(&process, "/openapi.json").await.json();
    for path in ["/balances/{account_id}", "/balances", "/balances/{account_id}/statement"] {
        assert!(document["paths"][path]["get"]["responses"]["200"].is_object(), "{path}");
    }
    assert_eq!(document["components"]["schemas"]["Money"]["type"], "number");
    assert!(document["components"]["schemas"]["Problem"]["properties"]["code"].is_object());
    assert_eq!(get(&process, "/docs").await.header("location"), Some("/docs/"));
    let page = get(&process, "/docs/").await;
    assert_eq!(page.header("content-type"), Some("text/html"));
    let assets: Vec<&str> = page
        .body
        .split(['"', '\''])
        .filter(|word| [Some("js"), Some("css")].contains(&word.rsplit_once('.').map(|it| it.1)))
        .collect();
    assert!(assets.len() >= 4, "{}", page.body);
    for asset in assets {
        let local = asset.strip_prefix("./").unwrap_or(asset);
        assert!(!local.contains("//"), "{asset} comes from elsewhere");
        assert_eq!(get(&process, &format!("/docs/{local}")).await.status, 200, "{asset}");
    }
    assert_eq!(get(&process, "/docs/none.js").await.status, 404);
    process.stop().await;
}
