//! The first journey of docs/classic.md: demo data, `CODEPIX_CLASSIC_BANKS=001,002`, and the
//! programs of both banks with the fixtures that they have anyway. They write keys with the
//! punctuation of forms, look them up by that very text, and have committed offsets of their own.

use codepix::client::transfers::TransferState;
use serde_json::{Value, json};

use crate::support::operator::{doctor, operate_json};
use crate::support::program::{PACKAGE, PixKey, PixKeyInfo, Program, Reading, call};
use crate::support::{HubOptions, TestHub, eventually};

/// User BBX 1 and User CTER 1.
const ONE: (&str, &str) = ("001", "6e4635ce-88d1-4e58-9597-d13fc446ee47");
const TWO: (&str, &str) = ("002", "103cc632-78e7-4476-ab63-d5ad3a562d26");

/// CPFs that are not those of the fixtures, as their customers type them.
const CPF_OF_ONE: &str = "529.982.247-25";
const CPF_OF_TWO: &str = "111.444.777-35";

/// The hub of the document.
async fn documented_hub() -> TestHub {
    let variables = vec![
        ("CODEPIX_DEMO_DATA", "true".to_owned()),
        ("CODEPIX_CLASSIC_BANKS", "001,002".to_owned()),
    ];
    TestHub::with(HubOptions { variables, ..HubOptions::default() }).await
}

/// What a program is told: of which order, what, and to which key.
fn told(message: &Value) -> (&str, &str, &str) {
    let text = |field: &str| message[field].as_str().unwrap_or_default();
    (text("id"), text("status"), text("pixKeyTo"))
}

async fn completed(hub: &TestHub, count: usize) {
    let scene = hub.scene();
    eventually(async || {
        let completed = scene.transfers_in(TransferState::Completed).await.len();
        if completed == count { Ok(()) } else { Err(completed) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_with_fixtures_and_offsets_of_their_own_pay_each_other_by_the_keys_they_wrote() {
    let hub = documented_hub().await;
    let one = Program::of_fixture(&hub, ONE, CPF_OF_ONE).await;
    let two = Program::of_fixture(&hub, TWO, CPF_OF_TWO).await;
    for text in ["11144477735", CPF_OF_TWO] {
        let asked = PixKey { kind: "cpf".to_owned(), key: text.to_owned() };
        let found: PixKeyInfo = call(hub.client(), PACKAGE, "Find", asked).await.unwrap();
        let account = found.account.unwrap();
        assert_eq!((found.key.as_str(), account.account_number.as_str()), (CPF_OF_TWO, "3333"));
        assert_eq!((account.bank_id.as_str(), account.owner_name.as_str()), ("002", "User CTER 1"));
    }

    // Each bank reads the key as it writes it.
    let (of_one, of_two) = (Reading::start(&hub, "001"), Reading::start(&hub, "002"));
    let first = one.order("12.34", "11144477735").await;
    let pending = of_two.next().await;
    assert_eq!(told(&pending), (first.as_str(), "pending", CPF_OF_TWO));
    assert_eq!((&pending["pixKeyKindTo"], &pending["amount"]), (&json!("cpf"), &json!(12.34)));
    two.confirm(&first, "confirmed").await;
    assert_eq!(told(&of_one.next().await), (first.as_str(), "confirmed", "11144477735"));
    one.confirm(&first, "completed").await;
    completed(&hub, 1).await;

    // A program that was away goes on where it was: it finds what came, and nothing twice.
    drop(of_two);
    let second = one.order("5", CPF_OF_TWO).await;
    two.hears(&second, "pending").await;
    let of_two = Reading::start(&hub, "002");
    assert_eq!(told(&of_two.next().await), (second.as_str(), "pending", CPF_OF_TWO));
    two.confirm(&second, "confirmed").await;
    assert_eq!(told(&of_one.next().await), (second.as_str(), "confirmed", CPF_OF_TWO));
    one.confirm(&second, "completed").await;

    // The other way.
    let back = two.order("7.5", "52998224725").await;
    assert_eq!(told(&of_one.next().await), (back.as_str(), "pending", CPF_OF_ONE));
    one.confirm(&back, "confirmed").await;
    assert_eq!(told(&of_two.next().await), (back.as_str(), "confirmed", "52998224725"));
    two.confirm(&back, "completed").await;
    completed(&hub, 3).await;

    // From a bank of this hub.
    let scene = hub.scene();
    let three = scene.enrol("003").await;
    let ana = scene.account(&three, "Ana", 10_000).await;
    scene.send(&ana, "11144477735", 2_000).await;
    let pending = of_two.next().await;
    let (id, status, key) = told(&pending);
    assert_eq!((status, key), ("pending", CPF_OF_TWO));
    two.confirm(id, "confirmed").await;
    scene.has(&ana, 8_000, 0).await;
    completed(&hub, 4).await;

    // An operator finds each by the id that its banks speak of.
    let url = hub.url();
    for order in [first.as_str(), back.as_str(), id] {
        let words = ["transfer", "show", order, "--hub", &url, "--json"];
        let shown = operate_json(&hub.servers, &words).await.remove(0);
        assert_eq!((&shown["order_id"], &shown["state"]), (&json!(order), &json!("completed")));
    }
    doctor(&hub.servers).await;
}
