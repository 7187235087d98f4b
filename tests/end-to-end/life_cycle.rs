//! Money on its way between banks, from the customer's order to both statements.

use codepix::client::pix_keys::PixKeyKind;
use codepix::client::{banking, transfers};

use crate::support::scene::{opening, registration};
use crate::support::{Account, Scene, TestHub, at_rest, people, unique};

/// Two banks with a customer each.
struct Two {
    hub: TestHub,
    scene: Scene,
    ana: Account,
    bia: Account,
}

async fn two_customers() -> Two {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    assert_eq!((one.as_str(), two.as_str()), ("00000001", "00000002"));
    let ana = scene.account(&one, "Ana Souza", 100_000).await;
    let bia = scene.account(&two, "Bia Lima", 50_000).await;
    Two { hub, scene, ana, bia }
}

/// What a statement says: kind, amount, balance after, transfer.
async fn lines(scene: &Scene, account: &Account) -> Vec<(String, i64, i64, String)> {
    let entries = scene.statement(&account.ispb, &account.id).await;
    let line = |entry: banking::StatementEntry| {
        let banking::StatementEntry { kind, amount_centavos, end_to_end_id, .. } = entry;
        (kind, amount_centavos, entry.balance_after_centavos, end_to_end_id)
    };
    entries.into_iter().map(line).collect()
}

fn line(kind: &str, amount: i64, after: i64, id: &str) -> (String, i64, i64, String) {
    (kind.to_owned(), amount, after, id.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_both_ways_and_stands_in_both_statements() {
    let Two { hub, scene, ana, bia } = two_customers().await;
    let (ana_key, bia_key) = (scene.key(&ana).await, scene.key(&bia).await);

    let there = scene.send(&ana, &bia_key, 12_345).await;
    assert_eq!(there.direction(), banking::TransferDirection::Outgoing);
    assert_eq!(there.state(), banking::TransferState::Requested);
    let there = there.end_to_end_id;
    let at_hub = scene.reaches(&there, transfers::TransferState::Completed).await;
    assert_eq!(at_hub.amount_centavos, 12_345);
    let party = |account: &Account| transfers::Party {
        ispb: account.ispb.clone(),
        account_id: account.id.clone(),
        owner_name: account.owner_name.clone(),
        owner_tax_id: account.tax_id.clone(),
    };
    assert_eq!((at_hub.payer, at_hub.payee), (Some(party(&ana)), Some(party(&bia))));
    assert_eq!((at_hub.payee_key.as_str(), at_hub.description.as_str()), (&*bia_key, "dinner"));
    assert_eq!(at_hub.reason, None);

    let back = scene.send(&bia, &ana_key, 2_345).await.end_to_end_id;
    scene.reaches(&back, transfers::TransferState::Completed).await;

    assert_eq!(
        lines(&scene, &ana).await,
        [
            line("transfer_credit", 2_345, 90_000, &back),
            line("transfer_debit", -12_345, 87_655, &there),
            line("deposit", 100_000, 100_000, ""),
        ]
    );
    assert_eq!(
        lines(&scene, &bia).await,
        [
            line("transfer_debit", -2_345, 60_000, &back),
            line("transfer_credit", 12_345, 62_345, &there),
            line("deposit", 50_000, 50_000, ""),
        ]
    );
    let positions = scene.positions().await;
    assert_eq!(positions[&ana.ispb], (-10_000, 0));
    assert_eq!(positions[&bia.ispb], (10_000, 0));
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_sees_the_same_transfer_as_its_own() {
    let Two { hub, scene, ana, bia } = two_customers().await;
    let key = scene.key(&bia).await;
    let id = scene.send(&ana, &key, 700).await.end_to_end_id;
    scene.reaches(&id, transfers::TransferState::Completed).await;
    let paid = scene.shows(&ana, &id, banking::TransferState::Settled).await;
    let got = scene.shows(&bia, &id, banking::TransferState::Settled).await;
    assert_eq!(paid.direction(), banking::TransferDirection::Outgoing);
    assert_eq!(got.direction(), banking::TransferDirection::Incoming);
    assert_eq!((paid.account_id.as_str(), got.account_id.as_str()), (&*ana.id, &*bia.id));
    assert_eq!(paid.counterparty_name, "Bia Lima");
    assert_eq!(got.counterparty_name, "Ana Souza");
    assert_eq!(
        (paid.counterparty_ispb.as_str(), got.counterparty_ispb.as_str()),
        (&*bia.ispb, &*ana.ispb)
    );
    for side in [&paid, &got] {
        assert_eq!((side.amount_centavos, &side.payee_key), (700, &key));
        assert_eq!(side.description, "dinner");
        assert!(side.reason.is_none() && side.finished_at.is_some());
    }
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_every_kind_is_registered_found_and_paid() {
    let Two { hub, scene, ana, bia } = two_customers().await;
    let company = opening(&bia.ispb, "Padaria Lima", people::cnpj());
    let company = scene.open(company, 0).await;
    let wanted = [
        (&bia, PixKeyKind::Cpf, bia.tax_id.clone()),
        (&company, PixKeyKind::Cnpj, company.tax_id.clone()),
        (&bia, PixKeyKind::Email, format!("{}@example.com", unique("bia"))),
        (&bia, PixKeyKind::Phone, people::phone()),
        (&company, PixKeyKind::Evp, String::new()),
    ];
    let mut paid = Vec::new();
    for (owner, kind, text) in wanted {
        let key = scene.key_of_kind(owner, kind, &text).await;
        assert!(key == text || kind == PixKeyKind::Evp && key.len() == 36, "{key}");
        let asked = codepix::client::pix_keys::FindKeyRequest {
            key: key.clone(),
            requester_ispb: ana.ispb.clone(),
            payer_tax_id: String::new(),
            end_to_end_id: String::new(),
        };
        let found = scene.directory.pix_keys().find_key(asked).await.unwrap().into_inner();
        let entry = found.entry.unwrap();
        assert_eq!((entry.kind(), &entry.key), (kind, &key));
        let account = entry.account.unwrap();
        assert_eq!((&account.account_id, &account.owner_name), (&owner.id, &owner.owner_name));
        assert_eq!(
            (&*account.ispb, &*account.bank_code, &*account.bank_name),
            ("00000002", "002", "Bank 002")
        );
        paid.push(scene.send(&ana, &key, 1_000).await.end_to_end_id);
    }
    for id in &paid {
        scene.reaches(id, transfers::TransferState::Completed).await;
    }
    scene.has(&bia, 53_000, 0).await;
    scene.has(&company, 2_000, 0).await;
    scene.has(&ana, 95_000, 0).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_at_the_same_bank_is_paid_at_once_and_without_the_hub() {
    let Two { hub, scene, ana, .. } = two_customers().await;
    let eva = scene.account(&ana.ispb, "Eva Reis", 0).await;
    let key = scene.key(&eva).await;
    let booked = scene.send(&ana, &key, 25_000).await;
    assert_eq!(booked.direction(), banking::TransferDirection::Book);
    assert_eq!(booked.state(), banking::TransferState::Settled);
    assert_eq!(booked.counterparty_account_id, eva.id);
    let id = booked.end_to_end_id;
    let seen = scene.seen_by(&eva, &id).await.unwrap();
    assert_eq!(seen.direction(), banking::TransferDirection::Book);
    let now = (scene.now(&ana).await.balance_centavos, scene.now(&eva).await.balance_centavos);
    assert_eq!(now, (75_000, 25_000));
    assert_eq!(lines(&scene, &ana).await[0], line("book_debit", -25_000, 75_000, &id));
    assert_eq!(lines(&scene, &eva).await[0], line("book_credit", 25_000, 25_000, &id));
    assert_eq!(scene.at_hub(&id).await, None);
    assert!(scene.positions().await.values().all(|position| *position == (0, 0)));
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_is_answered_as_the_first_time_and_paid_once() {
    let Two { hub, scene, ana, bia } = two_customers().await;
    let key = scene.key(&bia).await;
    let order = crate::support::scene::order(&ana, &key, 4_000);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = scene.bank(&ana.ispb).request_transfer(order.clone()).await.unwrap();
        answers.push(answer.into_inner().transfer.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    scene.reaches(&answers[0].end_to_end_id, transfers::TransferState::Completed).await;
    let answer = scene.bank(&ana.ispb).request_transfer(order).await.unwrap();
    assert_eq!(answer.into_inner().transfer.unwrap().end_to_end_id, answers[0].end_to_end_id);
    let asked = registration(&bia, PixKeyKind::Evp, "");
    let mut keys = Vec::new();
    for _ in 0..2 {
        let answer = scene.directory.pix_keys().register_key(asked.clone()).await.unwrap();
        keys.push(answer.into_inner().entry.unwrap());
    }
    assert_eq!(keys[0], keys[1], "a random key too is made once");
    scene.has(&ana, 96_000, 0).await;
    scene.has(&bia, 54_000, 0).await;
    at_rest(&hub, &scene).await;
}
