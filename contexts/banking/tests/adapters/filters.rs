//! Lists that are narrowed, over real tables: what is left out, and that pages still meet.

use std::time::Duration;

use banking::application::account_command::OnAccount;
use banking::application::command::{BlockAccount, Withdraw};
use banking::application::hub::HubWord;
use banking::application::page::{
    AccountAt, AccountsOf, Part, PostingDirection, PostingPlace, PostingsOf, TransferPlace,
    TransfersOf,
};
use banking::application::views::{Direction, ShownState, TransferView};
use banking::domain::AccountStatus;
use shared_kernel::application::{PageSize, Period};
use shared_kernel::domain::ReasonCode;

use crate::world::{BANK_A, BANK_B, World, amount, ispb};

fn part<K, P>(of: K, size: i64, after: Option<P>) -> Part<K, P> {
    Part { of, size: PageSize::asked(size).unwrap(), after }
}

fn at(on: &OnAccount) -> AccountAt {
    AccountAt { ispb: on.ispb, id: on.account_id }
}

/// All pages of a list of transfers, two rows at a time.
async fn all(world: &World, of: TransfersOf) -> Vec<TransferView> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let read = world.ports.reads.transfers_of(&[part(of, 1, after)]).await.unwrap().remove(0);
        let Some(last) = read.last() else { return seen };
        after = Some(TransferPlace::from(last));
        seen.extend(read);
    }
}

/// An account with transfers that go every way, in every state that it is shown.
async fn busy() -> (World, OnAccount) {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    world.account(BANK_A, 222_333_444, 0, "bia@example.com").await;
    let caio = world.account(BANK_B, 333_444_555, 1_000, "caio@example.com").await;
    let (gone, refused) = (ReasonCode::Ab03, ReasonCode::Ac06);
    for word in [
        None,
        Some(HubWord::Confirmed),
        Some(HubWord::Rejected(refused)),
        Some(HubWord::Expired(gone)),
    ] {
        let out = world.pay(&ana, "caio@example.com", 10).await.unwrap().end_to_end_id;
        let back = world.pay(&caio, "ana@example.com", 10).await.unwrap().end_to_end_id;
        let pending = world.said(BANK_A, back, HubWord::Pending).await;
        world.hear(&[pending]).await;
        if let Some(word) = word {
            let said = [world.said(BANK_A, out, word).await, world.said(BANK_A, back, word).await];
            world.hear(&said).await;
        }
        world.pay(&ana, "bia@example.com", 1).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    (world, ana)
}

#[tokio::test]
async fn transfers_are_narrowed_to_a_way_a_state_and_a_part_of_time() {
    let (world, ana) = busy().await;
    let usual = TransfersOf::from(at(&ana));
    let every = all(&world, usual).await;
    assert_eq!(every.len(), 12);
    let middle = Some(every[6].requested_at);
    let periods = [(None, None), (middle, None), (None, middle)];
    let states =
        [ShownState::Requested, ShownState::Settled, ShownState::Rejected, ShownState::Expired];
    let states = states.map(Some).into_iter().chain([None]);
    let ways = [Direction::Outgoing, Direction::Incoming, Direction::Book].map(Some);
    let ways = ways.into_iter().chain([None]);
    let mut lengths = Vec::new();
    for ((state, direction), (from, to)) in states
        .flat_map(|state| ways.clone().map(move |way| (state, way)))
        .flat_map(|wish| periods.map(|period| (wish, period)))
    {
        let of = TransfersOf { direction, state, period: Period { from, to }, ..usual };
        let wanted: Vec<_> = every.iter().filter(|view| of.holds(view)).cloned().collect();
        lengths.push(wanted.len());
        assert_eq!(all(&world, of).await, wanted, "{of:?}");
    }
    let empty = lengths.iter().filter(|length| **length == 0).count();
    assert!(empty < 30, "most lists have something: {lengths:?}");
}

#[tokio::test]
async fn postings_are_narrowed_to_what_came_or_went() {
    let (world, ana) = busy().await;
    let cash = Withdraw { on: ana.clone(), idempotency_key: "w".into(), amount: amount(30) };
    world.on(cash).await.unwrap();
    let read = async |direction, after| {
        let of = PostingsOf { at: at(&ana), direction };
        let lines = world.ports.reads.statements(&[part(of, 200, after)]).await.unwrap().remove(0);
        lines.into_iter().map(|it| (it.version, it.amount.centavos())).collect::<Vec<_>>()
    };
    let every = read(None, None).await;
    for (direction, is_credit) in
        [(PostingDirection::Credit, true), (PostingDirection::Debit, false)]
    {
        let is_one = |line: &&(i64, i64)| (line.1 > 0) == is_credit;
        let wanted: Vec<_> = every.iter().filter(is_one).copied().collect();
        assert!(wanted.len() > 1, "{every:?}");
        assert_eq!(read(Some(direction), None).await, wanted);
        let behind = Some(PostingPlace(wanted[0].0));
        assert_eq!(read(Some(direction), behind).await, wanted[1..]);
    }
}

#[tokio::test]
async fn accounts_are_narrowed_to_a_status() {
    let world = World::fresh().await;
    let mut opened = Vec::new();
    for owner in 1..6 {
        opened.push(world.account(BANK_A, owner, 0, "none").await);
    }
    for on in [&opened[1], &opened[3]] {
        world.on(BlockAccount { on: on.clone() }).await.unwrap();
    }
    let ids = async |status, size, after| {
        let of = AccountsOf { ispb: ispb(BANK_A), status };
        let read = world.ports.reads.accounts_of(&[part(of, size, after)]).await.unwrap();
        read[0].iter().map(|account| account.state().id).collect::<Vec<_>>()
    };
    let of = |places: &[usize]| places.iter().map(|it| opened[*it].account_id).collect::<Vec<_>>();
    assert_eq!(ids(Some(AccountStatus::Blocked), 9, None).await, of(&[1, 3]));
    assert_eq!(ids(Some(AccountStatus::Active), 9, None).await, of(&[0, 2, 4]));
    assert_eq!(ids(Some(AccountStatus::Closed), 9, None).await, []);
    assert_eq!(ids(None, 9, None).await.len(), 5);
    assert_eq!(ids(Some(AccountStatus::Active), 1, None).await, of(&[0, 2]), "and one more");
}
