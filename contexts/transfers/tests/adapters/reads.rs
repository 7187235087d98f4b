//! The read side on a real database.

use shared_kernel::application::Period;
use transfers::application::TransfersOf;
use transfers::application::ports::{ParticipantRun, TransferPlace, TransferRun, TransfersReads};
use transfers::domain::{Participant, Protocol, Side, Transfer, TransferState};

use crate::harness::{
    BBX, CTER, Hub, NLB, accepted, account_of, id_of, ispb, refused, requested, settled_by_payee,
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

/// Every list that can be asked for.
fn lists() -> Vec<TransferRun> {
    let banks = [BBX, CTER, NLB, "00000009"];
    let mut of = vec![TransfersOf::All];
    for bank in banks {
        for side in [None, Some(Side::Payer), Some(Side::Payee)] {
            of.push(TransfersOf::Bank { ispb: ispb(bank), side });
            let account_id = account_of(bank);
            let at = [None, Some(ispb(bank)), Some(ispb("00000009"))];
            of.extend(at.map(|at| TransfersOf::Account { account_id, at, side }));
        }
    }
    let states: Vec<_> = TransferState::ALL.into_iter().map(Some).chain([None]).collect();
    let (period, after, rows) = (Period::default(), None, 0);
    let run = |of| {
        let run = move |state: &_| TransferRun { of, state: *state, period, after, rows };
        states.iter().map(run)
    };
    of.into_iter().flat_map(run).collect()
}

fn is_in(transfer: &Transfer, run: &TransferRun) -> bool {
    run.of.holds(transfer.order())
        && run.state.is_none_or(|state| transfer.standing().state == state)
        && run.period.holds(transfer.terms().registered_at)
}

/// All pages of these lists, read together: so many rows of each list at a time.
async fn pages(
    hub: &Hub,
    mut runs: Vec<TransferRun>,
    rows: impl Fn(usize) -> i64,
) -> Vec<Vec<Transfer>> {
    for (place, run) in runs.iter_mut().enumerate() {
        run.rows = rows(place);
    }
    let mut seen: Vec<Vec<Transfer>> = runs.iter().map(|_| Vec::new()).collect();
    loop {
        let read = hub.sessions.runs(&runs).await.unwrap();
        assert_eq!(read.len(), runs.len());
        let mut is_end = true;
        for ((run, seen), page) in runs.iter_mut().zip(&mut seen).zip(read) {
            assert!(page.len() <= usize::try_from(run.rows).unwrap());
            let Some(last) = page.last() else { continue };
            run.after = Some(TransferPlace::from(last));
            is_end = false;
            seen.extend(page);
        }
        if is_end {
            return seen;
        }
    }
}

#[tokio::test]
async fn every_list_has_exactly_its_transfers_newest_first() {
    let (hub, all) = populated().await;
    let expected = among(&all, &lists());
    assert_eq!(pages(&hub, lists(), |_| 200).await, expected);
    // Lists of one read may be of different lengths.
    assert_eq!(pages(&hub, lists(), |place| if place % 2 == 0 { 7 } else { 3 }).await, expected);
    assert!(hub.sessions.runs(&[]).await.unwrap().is_empty());
}

/// What each list must have.
fn among(all: &[Transfer], lists: &[TransferRun]) -> Vec<Vec<Transfer>> {
    let list = |run| all.iter().filter(|transfer| is_in(transfer, run)).cloned().collect();
    lists.iter().map(list).collect()
}

#[tokio::test]
async fn a_list_of_a_part_of_time_has_its_transfers_and_no_others() {
    let (hub, all) = populated().await;
    let at = |place: usize| Some(all[place].terms().registered_at);
    let periods = [(at(30), None), (None, at(30)), (at(40), at(20)), (at(59), at(0))];
    let of_period = |(from, to)| {
        let period = Period { from, to };
        lists().into_iter().map(move |run| TransferRun { period, ..run })
    };
    let lists: Vec<TransferRun> = periods.into_iter().flat_map(of_period).collect();
    let expected = among(&all, &lists);
    let some = expected.iter().filter(|list| !list.is_empty()).count();
    assert!(some > 40, "{some}");
    assert_eq!(pages(&hub, lists, |_| 4).await, expected);
}

#[tokio::test]
async fn participants_and_positions_come_by_ispb() {
    let hub = Hub::new().await;
    let run = |protocol, after: Option<&str>, rows| {
        let after = after.map(ispb);
        ParticipantRun { after, protocol, rows }
    };
    let banks = async |runs: &[ParticipantRun]| {
        let read = hub.sessions.participants(runs).await.unwrap();
        let ispbs = |banks: &Vec<Participant>| banks.iter().map(|bank| bank.ispb).collect();
        read.iter().map(ispbs).collect::<Vec<Vec<_>>>()
    };
    let (native, classic) = (Some(Protocol::Native), Some(Protocol::Classic));
    let runs = [
        run(None, Some(CTER), Some(2)),
        run(None, None, None),
        run(native, None, Some(2)),
        run(classic, None, None),
        run(None, Some(NLB), None),
        run(None, None, Some(1)),
        run(native, Some(BBX), Some(1)),
        run(None, None, Some(0)),
    ];
    let expected: [&[&str]; 8] =
        [&[NLB], &[BBX, CTER, NLB], &[BBX, CTER], &[], &[], &[BBX], &[CTER], &[]];
    let expected = expected.map(|banks| banks.iter().map(|bank| ispb(bank)).collect::<Vec<_>>());
    assert_eq!(banks(&runs).await, expected);
    for (run, expected) in runs.into_iter().zip(expected) {
        assert_eq!(banks(&[run]).await, [expected], "{run:?}");
    }
    assert!(banks(&[]).await.is_empty());
    let of = hub.sessions.participants_of(&[CTER, "00000009"].map(ispb)).await.unwrap();
    assert_eq!(of.iter().map(|bank| bank.ispb).collect::<Vec<_>>(), [ispb(CTER)]);
    let all = hub.sessions.positions().await.unwrap();
    assert_eq!(all.iter().map(|it| it.ispb).collect::<Vec<_>>(), [BBX, CTER, NLB].map(ispb));
    let of = hub.sessions.positions_of(&["00000009", CTER].map(ispb)).await.unwrap();
    assert_eq!(of.iter().map(|it| it.ispb).collect::<Vec<_>>(), [ispb(CTER)]);
}
