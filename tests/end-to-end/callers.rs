//! Who may do what: a bank's token acts for its own bank, none acts without one.

use codepix::client::banking::{DepositRequest, GetAccountRequest, ListAccountsRequest};
use codepix::client::pix_keys::{FindKeyRequest, PixKeyKind};
use codepix::client::transfers::{
    GetTransferRequest, ListParticipantsRequest, ListTransfersRequest, TransferState,
    WatchTransferRequest,
};
use codepix::client::{Hub, banking};
use tonic::Code;

use crate::support::balances::balance;
use crate::support::binary::run;
use crate::support::hub::{ADDRESSES, serve};
use crate::support::scene::{enrolment, opening, order, registration};
use crate::support::{
    Account, HubOptions, Refused, Scene, TestHub, at_rest, people, refused, unique,
};

/// Tokens of the operator and of two banks.
const TOKENS: &str = "operator=the-operator-s-token,\
    00000001=token-of-the-first-bank,00000002=token-of-the-second-bank";

/// A hub that asks for tokens, with two customers; the operator's scene.
async fn guarded() -> (TestHub, Scene, Account, Account) {
    let hub = TestHub::with(HubOptions {
        tokens: TOKENS,
        token: Some("the-operator-s-token"),
        ..HubOptions::default()
    })
    .await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 10_000).await;
    let bia = scene.account(&two, "Bia Lima", 10_000).await;
    (hub, scene, ana, bia)
}

fn deposit(account: &Account) -> DepositRequest {
    DepositRequest {
        idempotency_key: unique("deposit"),
        account_id: account.id.clone(),
        amount_centavos: 500,
    }
}

/// Every service refuses this caller so, reading and writing.
async fn locked_out(hub: &Hub, ana: &Account, expected: &Refused) {
    let get = GetAccountRequest { account_id: ana.id.clone() };
    assert_eq!(refused(hub.banking().get_account(get).await), *expected);
    assert_eq!(refused(hub.banking().deposit(deposit(ana)).await), *expected);
    let asked = opening(&ana.ispb, "Nina Alves", people::cpf());
    assert_eq!(refused(hub.banking().open_account(asked).await), *expected);
    assert_eq!(refused(hub.banking().list_banks(banking::ListBanksRequest {}).await), *expected);
    let key = registration(ana, PixKeyKind::Evp, "");
    assert_eq!(refused(hub.pix_keys().register_key(key).await), *expected);
    let transfers = || hub.transfers();
    assert_eq!(refused(transfers().enrol_participant(enrolment("003")).await), *expected);
    let all = ListParticipantsRequest {};
    assert_eq!(refused(transfers().list_participants(all).await), *expected);
    assert_eq!(refused(balance(hub, &ana.id).await), *expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_without_a_token_or_with_a_wrong_one() {
    let (hub, scene, ana, _) = guarded().await;
    let unknown = |reason| Refused::new(Code::Unauthenticated, reason, "authorization");
    let nobody = hub.client_with(None).await;
    locked_out(&nobody, &ana, &unknown("token_missing")).await;
    let stranger = hub.client_with(Some("a-token-of-nobody-here")).await;
    locked_out(&stranger, &ana, &unknown("token_unknown")).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_acts_for_itself_alone() {
    let (hub, scene, ana, bia) = guarded().await;
    let bank = hub.client_with(Some("token-of-the-first-bank")).await;
    let foreign =
        |field: &str| Refused::new(Code::PermissionDenied, "caller_may_not_act_for_bank", field);
    bank.banking().deposit(deposit(&ana)).await.unwrap();
    let get = |account: &Account| GetAccountRequest { account_id: account.id.clone() };
    bank.banking().get_account(get(&ana)).await.unwrap();
    let code = |refusal: Refused| (refusal.code, refusal.reason);
    let expected = code(foreign(""));
    // A stranger's account is as if it were not there.
    let hidden = (Code::NotFound, "account_not_found".to_owned());
    assert_eq!(code(refused(bank.banking().get_account(get(&bia)).await)), hidden);
    assert_eq!(code(refused(bank.banking().deposit(deposit(&bia)).await)), hidden);
    let asked = opening(&bia.ispb, "Nina Alves", people::cpf());
    assert_eq!(code(refused(bank.banking().open_account(asked).await)), expected);
    let list = |ispb: &str| ListAccountsRequest {
        ispb: ispb.to_owned(),
        page_size: 0,
        page_token: String::new(),
    };
    let own = bank.banking().list_accounts(list(&ana.ispb)).await.unwrap().into_inner();
    assert_eq!(own.accounts.len(), 1);
    assert_eq!(code(refused(bank.banking().list_accounts(list(&bia.ispb)).await)), expected);
    let key = registration(&bia, PixKeyKind::Evp, "");
    assert_eq!(code(refused(bank.pix_keys().register_key(key).await)), hidden);
    let find = FindKeyRequest {
        key: scene.key(&bia).await,
        requester_ispb: bia.ispb.clone(),
        payer_tax_id: String::new(),
        end_to_end_id: String::new(),
    };
    let answer = bank.pix_keys().find_key(find.clone()).await;
    assert_eq!(refused(answer), foreign("requester_ispb"));
    // Every bank may look every key up, in its own name.
    let find = FindKeyRequest { requester_ispb: String::new(), ..find };
    bank.pix_keys().find_key(find).await.unwrap();
    let hidden = (Code::NotFound, "balance_unknown".to_owned());
    assert_eq!(code(refused(balance(&bank, &bia.id).await)), hidden);
    let answer = bank.transfers().enrol_participant(enrolment("003")).await;
    assert_eq!(code(refused(answer)), (Code::PermissionDenied, "operator_only".to_owned()));
    scene_is_paid(&scene).await;
    at_rest(&hub, &scene).await;
}

/// The deposit by the bank's own token counts too.
async fn scene_is_paid(scene: &Scene) {
    assert_eq!(scene.total_money().await, scene.deposited().saturating_add(500));
    scene.also_deposited(500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_sees_the_transfers_that_it_takes_part_in() {
    let (hub, scene, ana, bia) = guarded().await;
    scene.enrol("003").await;
    let key = scene.key(&bia).await;
    let bank = hub.client_with(Some("token-of-the-first-bank")).await;
    let asked = order(&ana, &key, 100);
    let sent = bank.banking().request_transfer(asked).await.unwrap().into_inner();
    let id = sent.transfer.unwrap().end_to_end_id;
    scene.reaches(&id, TransferState::Completed).await;
    let get = GetTransferRequest { end_to_end_id: id.clone(), ..Default::default() };
    bank.transfers().get_transfer(get.clone()).await.unwrap();
    let list = |ispb: &str| ListTransfersRequest {
        ispb: ispb.to_owned(),
        state: 0,
        page_size: 0,
        page_token: String::new(),
    };
    let own = bank.transfers().list_transfers(list(&ana.ispb)).await.unwrap().into_inner();
    assert_eq!(own.transfers.len(), 1);
    let foreign = refused(bank.transfers().list_transfers(list(&bia.ispb)).await);
    assert_eq!(foreign.code, Code::PermissionDenied);
    let everyone = refused(bank.transfers().list_transfers(list("")).await);
    assert_eq!(everyone.code, Code::PermissionDenied);
    let order = order(&bia, &key, 100);
    let answer = bank.banking().request_transfer(order).await;
    assert_eq!(refused(answer).reason, "account_not_found");
    let nobody = hub.client_with(None).await;
    let watch = WatchTransferRequest { end_to_end_id: id };
    let refusal = nobody.transfers().watch_transfer(watch).await.unwrap_err();
    assert_eq!(Refused::of(&refusal).reason, "token_missing");
    assert_eq!(refused(nobody.transfers().get_transfer(get).await).code, Code::Unauthenticated);
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_others_reach_needs_tokens() {
    let hub = TestHub::start().await;
    for name in ADDRESSES {
        let mut command = serve(&hub.servers, &HubOptions::default(), &[]);
        command.env(name, "0.0.0.0:0");
        let ran = run(command).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        for word in [name, "0.0.0.0:0", "CODEPIX_TOKENS", "--insecure"] {
            assert!(ran.said.contains(word), "{word}: {}", ran.said);
        }
        assert!(ran.printed.is_empty(), "it never served: {ran:?}");
    }
    let short = HubOptions { tokens: "operator=short", ..HubOptions::default() };
    let ran = run(serve(&hub.servers, &short, &[])).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.said.contains("16 characters") && !ran.said.contains("=short"), "{}", ran.said);
}
