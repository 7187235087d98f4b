//! What the doctor is told.

use shared_kernel::domain::{Amount, EndToEndId, Money};
use transfers::domain::TransferState;
use transfers::infrastructure::audit::AuditedTransfer;

use crate::harness::{
    BBX, CTER, Hub, accepted, account_of, enrolment, id_of, ispb, requested, settled_by_payee,
    whole_life,
};

#[tokio::test]
async fn a_quiet_hub_is_sound() {
    let hub = Hub::new().await;
    let found = hub.audit().hub(hub.now()).await.unwrap();
    assert!(found.is_sound() && found.is_quiet(), "{found:?}");
    assert_eq!(found.banks.len(), 3);
}

#[tokio::test]
async fn sums_tell_what_is_posted_and_what_is_not() {
    let hub = Hub::empty().await;
    hub.enrol(enrolment("001", Some(100_000))).await.unwrap();
    hub.enrol(enrolment("002", None)).await.unwrap();
    hub.hear(&whole_life(id_of(BBX, 1), CTER, 100)).await;
    let (half, open) = (id_of(BBX, 2), id_of(BBX, 3));
    hub.hear(&[requested(half, CTER, 20), accepted(half, CTER), settled_by_payee(half, CTER)])
        .await;
    hub.hear(&[requested(open, CTER, 3)]).await;
    hub.hear(&[requested(id_of(CTER, 4), BBX, 7), accepted(id_of(CTER, 4), BBX)]).await;
    let found = hub.audit().hub(hub.now()).await.unwrap();
    assert!(found.is_sound() && !found.is_quiet(), "{found:?}");
    assert_eq!((found.open, found.positions_sum), (3, Money::ZERO));
    let bbx = found.banks[0];
    let sums = [
        bbx.position,
        bbx.reserved,
        bbx.pending_reserved,
        bbx.paid_reported,
        bbx.paid_unreported,
        bbx.received_reported,
        bbx.received_unreported,
    ];
    assert_eq!(sums.map(Money::centavos), [-113, 3, 3, 100, 20, 0, 7]);
    assert_eq!(bbx.reported().unwrap().centavos(), -100);
    assert_eq!(found.banks[1].reported().unwrap().centavos(), 120);
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_found() {
    let hub = Hub::new().await;
    let (pending, confirmed) = (id_of(BBX, 1), id_of(BBX, 2));
    hub.hear(&[requested(pending, CTER, 1)]).await;
    hub.hear(&[requested(confirmed, CTER, 1), accepted(confirmed, CTER)]).await;
    let audit = hub.audit();
    hub.pass(10);
    assert!(audit.hub(hub.now()).await.unwrap().is_sound());
    hub.pass(1);
    let found = audit.hub(hub.now()).await.unwrap();
    assert_eq!((found.unreported.count, found.unreported.named), (1, vec![confirmed]));
    assert_eq!(found.overdue.count, 0);
    hub.pass(35);
    let found = audit.hub(hub.now()).await.unwrap();
    assert_eq!((found.overdue.count, found.overdue.named.clone()), (1, vec![pending]));
    assert!(!found.is_sound());

    hub.sql("DELETE FROM transfers.open_transfer WHERE resend_at IS NULL").await;
    let found = audit.hub(hub.now()).await.unwrap();
    assert_eq!((found.misfiled.count, found.misfiled.named.clone()), (1, vec![pending]));

    hub.sql("UPDATE transfers.position SET amount = amount + 1 WHERE ispb = '00000001'").await;
    let found = audit.hub(hub.now()).await.unwrap();
    assert_eq!(found.positions_sum, Money::from_centavos(1));
    assert!(!found.banks[0].is_sound() && found.banks[1].is_sound());
}

#[tokio::test]
async fn what_waits_to_be_handed_over_for_too_long_is_found() {
    let hub = Hub::new().await;
    let (audit, late) = (hub.audit(), id_of(BBX, 1));
    let store = async |id: EndToEndId| {
        let now = hub.now();
        let row = format!("0, '{id}', 'bank002', '{id}', '{{}}', 't', '{now}'");
        let text = "INSERT INTO transfers.hand_over \
             (shard, end_to_end_id, topic, key, payload, trace, stored_at) VALUES";
        hub.sql(&format!("{text} ({row})")).await;
    };
    store(late).await;
    hub.pass(30);
    assert!(audit.hub(hub.now()).await.unwrap().is_sound());
    hub.pass(1);
    store(id_of(BBX, 2)).await;
    let found = audit.hub(hub.now()).await.unwrap();
    assert_eq!((found.waiting.count, found.waiting.named.clone()), (1, vec![late]));
    assert!(!found.is_sound());
}

#[tokio::test]
async fn one_that_was_overdue_and_is_confirmed_is_under_way_again() {
    let hub = Hub::new().await;
    hub.hear(&[requested(id_of(BBX, 1), CTER, 1)]).await;
    let audit = hub.audit();
    hub.sql("UPDATE transfers.open_transfer SET overdue = true").await;
    assert_eq!(audit.hub(hub.now()).await.unwrap().open, 0, "it waits for its bank");
    hub.sql("UPDATE transfers.open_transfer SET resend_at = now()").await;
    assert_eq!(audit.hub(hub.now()).await.unwrap().open, 1);
}

#[tokio::test]
async fn every_transfer_is_read_page_by_page() {
    let hub = Hub::new().await;
    let said: Vec<_> =
        (0..250).flat_map(|number| whole_life(id_of(BBX, number), CTER, 5)).collect();
    hub.hear(&said).await;
    let audit = hub.audit();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = audit.transfers(after, 100).await.unwrap();
        after = page.last().map(|transfer| transfer.end_to_end_id);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    let expected: Vec<AuditedTransfer> = (0..250)
        .map(|number| AuditedTransfer {
            end_to_end_id: id_of(BBX, number),
            state: TransferState::Completed,
            amount: Amount::from_centavos(5).unwrap(),
            payer_ispb: ispb(BBX),
            payer_account_id: account_of(BBX),
            payee_ispb: ispb(CTER),
            payee_account_id: account_of(CTER),
            payer_reported: true,
            payee_reported: true,
            payer_outside: false,
            payee_outside: false,
            finished_at: None,
        })
        .collect();
    assert!(seen.iter().all(|transfer| transfer.finished_at.is_some()));
    let timeless = |transfer| AuditedTransfer { finished_at: None, ..transfer };
    assert_eq!(seen.into_iter().map(timeless).collect::<Vec<_>>(), expected);
}
