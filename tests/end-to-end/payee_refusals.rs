//! What hub and payee's bank refuse: the payer's hold is released, with the reason in words.

use codepix::client::banking::TransferState as Shown;
use codepix::client::pix_keys::{EnrolAccountRequest, PixKeyKind};
use codepix::client::transfers::TransferState;
use serde_json::json;
use shared_kernel::domain::ReasonCode;

use crate::support::log::{ACCOUNTS, BANK_MESSAGES, PARTICIPANTS, event};
use crate::support::scene::{enrolment, opening};
use crate::support::{Account, Log, Scene, Split, TestHub, at_rest, people, unique};

/// The transfer was rejected for this reason, the payer reads it, and the hold is gone.
async fn rejected(scene: &Scene, payer: &Account, id: &str, reason: ReasonCode) {
    let at_hub = scene.reaches(id, TransferState::Rejected).await;
    let told = at_hub.reason.unwrap();
    assert_eq!((&*told.code, &*told.sentence), (reason.code(), reason.sentence_en()));
    assert!(at_hub.confirmed_at.is_none() && at_hub.finished_at.is_some());
    let shown = scene.shows(payer, id, Shown::Rejected).await.reason.unwrap();
    assert_eq!((&*shown.code, &*shown.sentence), (reason.code(), reason.sentence_en()));
    scene.has(payer, 10_000, 0).await;
}

/// The directory's own account: it knows it, whether its bank does or not.
fn enrolled(ispb: &str, tax_id: &str) -> EnrolAccountRequest {
    EnrolAccountRequest {
        account_id: uuid(),
        ispb: ispb.to_owned(),
        branch: "0001".to_owned(),
        number: "77".to_owned(),
        owner_name: "Caio Nunes".to_owned(),
        owner_tax_id: tax_id.to_owned(),
    }
}

fn uuid() -> String {
    use shared_kernel::application::Ids as _;
    shared_kernel::infrastructure::system::SystemIds.random().to_string()
}

/// Enrols the account with a key; answers both.
async fn with_key(scene: &Scene, asked: EnrolAccountRequest) -> (Account, String) {
    let ask = async || scene.directory.pix_keys().enrol_account(asked.clone()).await;
    let known = crate::support::scene::patiently(&["participant_not_found"], ask).await;
    let known = known.account.unwrap();
    let account = Account {
        id: known.account_id,
        ispb: known.ispb,
        owner_name: known.owner_name,
        tax_id: known.owner_tax_id,
    };
    let key = scene.key(&account).await;
    (account, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_blocked_before_the_bank_is_asked_refuses() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;
    split.kill_hub();
    let id = split.scene.send(&ana, &key, 100).await.end_to_end_id;
    split.scene.has(&ana, 9_900, 100).await;
    split.scene.block(&bia).await;
    split.restart_hub().await;
    rejected(&split.scene, &ana, &id, ReasonCode::Ac06).await;
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_closed_before_the_bank_is_asked_refuses() {
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;
    split.kill_hub();
    let id = split.scene.send(&ana, &key, 10_000).await.end_to_end_id;
    split.scene.has(&ana, 0, 10_000).await;
    split.scene.close(&bia).await.unwrap();
    split.restart_hub().await;
    rejected(&split.scene, &ana, &id, ReasonCode::Ac07).await;
    at_rest(&split.hub, &split.scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_its_bank_does_not_have_refuses() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let (_, key) = with_key(&scene, enrolled(&two, &people::cpf())).await;
    let id = scene.send(&ana, &key, 100).await.end_to_end_id;
    rejected(&scene, &ana, &id, ReasonCode::Ac03).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_another_owner_than_the_directory_names_refuses() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let (known, key) = with_key(&scene, enrolled(&two, &people::cpf())).await;
    let mut other = opening(&two, "Davi Melo", people::cpf());
    other.account_id.clone_from(&known.id);
    let other = scene.open(other, 0).await;
    assert_eq!(other.id, known.id);
    let letters = Log::of(&hub.servers).letters(ACCOUNTS, 1).await;
    assert_eq!(letters[0].header("dlq_code"), Some("account_id_taken"));
    let id = scene.send(&ana, &key, 100).await.end_to_end_id;
    rejected(&scene, &ana, &id, ReasonCode::Be01).await;
    scene.has(&other, 0, 0).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_over_its_position_limit_pays_no_more() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let limited = codepix::client::transfers::EnrolParticipantRequest {
        position_limit_centavos: Some(5_000),
        ..enrolment("001")
    };
    let one = scene.enrol_with(limited).await;
    let two = scene.enrol("002").await;
    let ana = scene.account(&one, "Ana Souza", 15_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let (ana_key, bia_key) = (scene.key(&ana).await, scene.key(&bia).await);
    let first = scene.send(&ana, &bia_key, 5_000).await.end_to_end_id;
    scene.reaches(&first, TransferState::Completed).await;
    scene.has(&ana, 10_000, 0).await;
    let over = scene.send(&ana, &bia_key, 1).await.end_to_end_id;
    rejected(&scene, &ana, &over, ReasonCode::Am04).await;
    assert_eq!(scene.positions().await[&one], (-5_000, 0), "nothing is reserved for it");
    // What comes in makes room for as much to go out.
    let back = scene.send(&bia, &ana_key, 2_000).await.end_to_end_id;
    scene.reaches(&back, TransferState::Completed).await;
    let again = scene.send(&ana, &bia_key, 2_000).await.end_to_end_id;
    scene.reaches(&again, TransferState::Completed).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_the_hub_does_not_know_is_no_payee() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let one = scene.enrol("001").await;
    let ana = scene.account(&one, "Ana Souza", 10_000).await;

    // Others hear of a bank that the hub itself has never enrolled.
    let log = Log::of(&hub.servers);
    log.put(&[event(
        PARTICIPANTS,
        "codepix.transfers.ParticipantEnrolled.v1",
        "00000009",
        &json!({
            "ispb": "00000009", "code": "009", "name": "Bank 009", "protocol": "classic",
            "position_limit": null, "enrolled_at": "2026-01-02T03:04:05Z",
        }),
    )])
    .await;
    let (_, key) = with_key(&scene, enrolled("00000009", &people::cpf())).await;
    let id = scene.send(&ana, &key, 100).await.end_to_end_id;
    rejected(&scene, &ana, &id, ReasonCode::Ds27).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_of_the_same_bank_is_refused_before_anything_is_held() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let one = scene.enrol("001").await;
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let eva = scene.account(&one, "Eva Reis", 0).await;
    let email = format!("{}@example.com", unique("eva"));
    let key = scene.key_of_kind(&eva, PixKeyKind::Email, &email).await;
    scene.block(&eva).await;
    let order = crate::support::scene::order(&ana, &key, 100);
    let answer = scene.bank(&one).request_transfer(order).await;
    let refused = crate::support::refused(answer);
    assert_eq!(
        refused,
        crate::support::Refused::new(
            tonic::Code::FailedPrecondition,
            "payee_account_blocked",
            "payee_key"
        )
    );
    scene.has(&ana, 10_000, 0).await;
    let log = Log::of(&hub.servers);
    assert!(log.records(BANK_MESSAGES).await.is_empty(), "the hub was never asked");
    at_rest(&hub, &scene).await;
}
