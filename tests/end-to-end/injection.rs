//! Everything that was ever said is said again, twice and out of order: nothing moves.

use codepix::client::banking::SetAccountLimitsRequest;
use codepix::client::pix_keys::{EnrolAccountRequest, PixKeyKind, RemoveKeyRequest};
use codepix::client::transfers::TransferState;

use crate::support::log::{
    ACCOUNTS, BANK_MESSAGES, KEYS, PARTICIPANTS, Raw, TRANSFERS, again, bank_topic,
};
use crate::support::scene::patiently;
use crate::support::{
    Account, Chance, HubOptions, Log, Scene, Split, TestHub, at_rest, people, unique,
};

/// A hub that hosts two banks; a third one takes part and is hosted by nobody.
async fn hub_of_two_banks() -> TestHub {
    TestHub::with(HubOptions {
        bank: "00000001,00000002",
        deadline: "15s",
        ..HubOptions::default()
    })
    .await
}

/// An account of which only the directory knows; answers its key.
async fn listed(scene: &Scene, ispb: &str) -> String {
    let asked = EnrolAccountRequest {
        account_id: {
            use shared_kernel::application::Ids as _;
            shared_kernel::infrastructure::system::SystemIds.random().to_string()
        },
        ispb: ispb.to_owned(),
        branch: "0001".to_owned(),
        number: "77".to_owned(),
        owner_name: "Caio Nunes".to_owned(),
        owner_tax_id: people::cpf(),
    };
    let ask = async || scene.directory.pix_keys().enrol_account(asked.clone()).await;
    let known = patiently(&["participant_not_found"], ask).await.account.unwrap();
    let account = Account {
        id: known.account_id,
        ispb: known.ispb,
        owner_name: known.owner_name,
        tax_id: known.owner_tax_id,
    };
    scene.key(&account).await
}

/// Something of everything: states of accounts, keys that come and go, every end of a transfer.
async fn live(scene: &Scene) -> (Account, Account, String) {
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let three = scene.enrol("003").await;
    let ana = scene.account(&one, "Ana Souza", 100_000).await;
    let bia = scene.account(&two, "Bia Lima", 50_000).await;
    let eva = scene.account(&one, "Eva Reis", 0).await;
    let gone = scene.account(&two, "Gil Prado", 0).await;
    scene.key(&gone).await;
    scene.close(&gone).await.unwrap();
    let limits = SetAccountLimitsRequest {
        account_id: eva.id.clone(),
        limit_per_transfer_centavos: Some(9_000),
        limit_per_day_centavos: None,
    };
    scene.bank(&one).set_account_limits(limits).await.unwrap();
    let (ana_key, bia_key) = (scene.key(&ana).await, scene.key(&bia).await);
    let eva_key = scene.key(&eva).await;
    let removed = scene.key_of_kind(&bia, PixKeyKind::Evp, "").await;
    let remove = RemoveKeyRequest {
        request_id: unique("remove"),
        key: removed,
        account_id: bia.id.clone(),
        reason: 0,
    };
    scene.directory.pix_keys().remove_key(remove).await.unwrap();

    let mut ends = Vec::new();
    for amount in [100, 2_000, 30_000] {
        let there = scene.send(&ana, &bia_key, amount).await.end_to_end_id;
        let back = scene.send(&bia, &ana_key, amount).await.end_to_end_id;
        ends.extend([(there, TransferState::Completed), (back, TransferState::Completed)]);
    }
    scene.send(&ana, &eva_key, 5_000).await;
    let unknown = listed(scene, &two).await;
    ends.push((scene.send(&ana, &unknown, 700).await.end_to_end_id, TransferState::Rejected));
    let silent = listed(scene, &three).await;
    ends.push((scene.send(&ana, &silent, 800).await.end_to_end_id, TransferState::Expired));
    for (id, wanted) in ends {
        scene.reaches(&id, wanted).await;
    }
    scene.block(&eva).await;
    (ana, bia, bia_key)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_may_be_said_again_twice_and_in_any_order() {
    let mut chance = Chance::of_this_run();
    let hub = hub_of_two_banks().await;
    let scene = hub.scene();
    let (ana, bia, bia_key) = live(&scene).await;
    at_rest(&hub, &scene).await;
    let log = Log::of(&hub.servers);
    log.read_to_the_end().await;
    let before = scene.snapshot().await;

    let prefix = &hub.servers.kafka.topic_prefix;
    let mut topics = vec![PARTICIPANTS, KEYS, ACCOUNTS, BANK_MESSAGES, TRANSFERS];
    let banks = [bank_topic(&ana.ispb), bank_topic(&bia.ispb)];
    topics.extend(banks.iter().map(String::as_str));
    for topic in topics {
        let said = log.records(topic).await;
        assert!(!said.is_empty(), "nothing was ever said on {topic}");
        let said: Vec<Raw> = said.iter().map(|record| again(record, prefix)).collect();
        let mut shuffled = said.clone();
        chance.shuffle(&mut shuffled);
        log.put(&[said.clone(), said, shuffled].concat()).await;
    }
    log.read_to_the_end().await;
    at_rest(&hub, &scene).await;
    log.read_to_the_end().await;
    assert_eq!(scene.snapshot().await, before, "nothing has moved");
    let letters = log.dead_letters().await;
    assert!(letters.is_empty(), "a repetition is no fault: {letters:?}");

    let id = scene.send(&ana, &bia_key, 10).await.end_to_end_id;
    scene.reaches(&id, TransferState::Completed).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repetitions_that_wait_for_their_reader_have_one_effect() {
    let mut chance = Chance::of_this_run();
    let mut split = Split::start("").await;
    let (ana, bia) = split.customers(10_000).await;
    let key = split.scene.key(&bia).await;
    let log = Log::of(&split.hub.servers);
    let prefix = split.hub.servers.kafka.topic_prefix.clone();

    // Orders, while the hub is down; then questions, while the payee's bank is.
    split.kill_hub();
    split.kill_two();
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(split.scene.send(&ana, &key, 1_000).await.end_to_end_id);
    }
    let requested = "codepix.banking.TransferRequested.v1";
    repeat(&log, &mut chance, &prefix, (BANK_MESSAGES, requested, &sent)).await;
    split.restart_hub().await;
    let (topic, pending) = (bank_topic(&bia.ispb), "codepix.transfers.TransferPending.v1");
    repeat(&log, &mut chance, &prefix, (&topic, pending, &sent)).await;
    split.kill_hub();
    split.restart_two().await;
    let accepted = "codepix.banking.TransferAccepted.v1";
    repeat(&log, &mut chance, &prefix, (BANK_MESSAGES, accepted, &sent)).await;
    split.restart_hub().await;

    for id in &sent {
        split.scene.reaches(id, TransferState::Completed).await;
    }
    split.scene.has(&ana, 5_000, 0).await;
    split.scene.has(&bia, 5_000, 0).await;
    log.read_to_the_end().await;
    at_rest(&split.hub, &split.scene).await;
    assert_eq!(split.scene.positions().await[&ana.ispb], (-5_000, 0));
    assert_eq!(split.scene.statement(&bia.ispb, &bia.id).await.len(), 5);
}

/// Waits for an event of each transfer, then puts all of them in again, twice and shuffled.
async fn repeat(
    log: &Log,
    chance: &mut Chance,
    prefix: &str,
    (topic, ce_type, ids): (&str, &str, &[String]),
) {
    let mut again_and_again = Vec::new();
    for id in ids {
        let record = again(&log.event(topic, id, ce_type).await, prefix);
        again_and_again.extend([record.clone(), record]);
    }
    chance.shuffle(&mut again_and_again);
    log.put(&again_and_again).await;
}
