//! The read side on a real database.

use transfers::application::ports::{PageKey, TransferFilter, TransfersReads};
use transfers::domain::{Side, Transfer, TransferState};

use crate::harness::{
    BBX, CTER, Hub, NLB, accepted, id_of, ispb, refused, requested, settled_by_payee,
    settled_by_payer,
};

/// 60 transfers between three banks, in every state, some registered in the same instant.
async fn populated() -> (Hub, Vec<Transfer>) {
    let hub = Hub::new().await;
    let routes = [(BBX, CTER), (CTER, BBX), (NLB, BBX), (CTER, NLB)];
    let mut ids = Vec::new();
    for number in 0..60_usize {
        let (from, to) = routes[number % 4];
        let id = id_of(from, number);
        let mut said = vec![requested(id, to, 100)];
        match (number / 4) % 5 {
            0 => {}
            1 => said.push(accepted(id, to)),
            2 => said.extend([accepted(id, to), settled_by_payee(id, to), settled_by_payer(id)]),
            3 => said.push(refused(id, to, "AC03")),
            _ => {
                hub.hear(&said).await;
                said.clear();
                let late = hub.transfer(id).await.unwrap().terms().deadline;
                let late = late.saturating_add(std::time::Duration::from_secs(1));
                assert_eq!(hub.handle(&[accepted(id, to).read(0, late)]).await.unwrap(), []);
            }
        }
        assert_eq!(hub.hear(&said).await, []);
        if number % 3 == 0 {
            hub.pass(1);
        }
        ids.push(id);
    }
    let mut all = Vec::new();
    for id in ids {
        all.push(hub.transfer(id).await.unwrap());
    }
    all.sort_by_key(|transfer| {
        std::cmp::Reverse((transfer.terms().registered_at, transfer.order().end_to_end_id))
    });
    (hub, all)
}

async fn pages(hub: &Hub, filter: TransferFilter, limit: u16) -> Vec<Transfer> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = hub.sessions.page(filter, after, limit).await.unwrap();
        let Some(last) = page.last() else { return seen };
        after = Some(PageKey {
            registered_at: last.terms().registered_at,
            end_to_end_id: last.order().end_to_end_id,
        });
        seen.extend(page);
    }
}

#[tokio::test]
async fn every_filter_gives_exactly_its_transfers_newest_first() {
    let (hub, all) = populated().await;
    let banks = [None, Some(BBX), Some(CTER), Some(NLB), Some("00000009")];
    let states = TransferState::ALL.into_iter().map(Some).chain([None]);
    for state in states {
        for bank in banks {
            let filter = TransferFilter { bank: bank.map(ispb), state };
            let wanted = |transfer: &&Transfer| {
                let ends = [Side::Payer, Side::Payee].map(|side| transfer.bank(side));
                filter.bank.is_none_or(|bank| ends.contains(&bank))
                    && state.is_none_or(|state| transfer.standing().state == state)
            };
            let expected: Vec<Transfer> = all.iter().filter(wanted).cloned().collect();
            for limit in [1, 7, 200] {
                assert_eq!(pages(&hub, filter, limit).await, expected, "{filter:?} {limit}");
            }
        }
    }
}

#[tokio::test]
async fn participants_and_positions_come_by_ispb() {
    let hub = Hub::new().await;
    let banks: Vec<_> = hub.sessions.participants().await.unwrap();
    assert_eq!(banks.iter().map(|bank| bank.ispb.as_str()).collect::<Vec<_>>(), [BBX, CTER, NLB]);
    let all = hub.sessions.positions(None).await.unwrap();
    assert_eq!(
        all.iter().map(|position| position.ispb.as_str()).collect::<Vec<_>>(),
        [BBX, CTER, NLB]
    );
    assert_eq!(hub.sessions.positions(Some(ispb(CTER))).await.unwrap().len(), 1);
    assert!(hub.sessions.positions(Some(ispb("00000009"))).await.unwrap().is_empty());
}
