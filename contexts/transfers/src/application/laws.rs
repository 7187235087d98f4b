//! What holds whatever the banks say, in whatever order, however often, however it is cut into
//! batches, and whenever the sweepers look.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use shared_kernel::application::{Clock, Progress, Sweep, TopicPartition};
use shared_kernel::domain::{EndToEndId, Money, ReasonCode};
use shared_kernel::testing::FixedClock;

use super::message::{BankMessage, TransferAccepted, TransferSettled};
use super::testing::{Bench, accepted, refused, requested, settled};
use super::{ExpireOverdue, RepeatConfirmations, TransfersSettings};
use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, native, order};
use crate::domain::{Description, Order, Participant, Side, Standing, Transfer, TransferState};

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// Banks say these things, heard at the present second less a delay, in one batch.
    Hear { said: Vec<BankMessage>, delay: u64 },
    /// Time passes.
    Wait(u64),
    /// The sweepers look, the log being read to its end.
    Sweep,
}

const TRANSFERS: u64 = 3;

fn message() -> impl Strategy<Value = BankMessage> {
    let number = 1..=TRANSFERS;
    let order_again = number.clone().prop_map(|number| requested(order(number)));
    let other_content = number.clone().prop_map(|number| {
        let description = Description::parse("other").unwrap();
        requested(Order { description, ..order(number) })
    });
    let impostor = number.clone().prop_map(|number| {
        let end_to_end_id = order(number).end_to_end_id;
        BankMessage::Accepted(TransferAccepted { sender: ispb(PAYER_BANK), end_to_end_id })
    });
    let swapped = number.clone().prop_map(|number| {
        let end_to_end_id = order(number).end_to_end_id;
        BankMessage::SettledByPayer(TransferSettled { sender: ispb(PAYEE_BANK), end_to_end_id })
    });
    prop_oneof![
        4 => order_again,
        4 => number.clone().prop_map(accepted),
        2 => number.clone().prop_map(|number| refused(number, ReasonCode::Ac06)),
        4 => number.clone().prop_map(|number| settled(number, Side::Payee)),
        4 => number.prop_map(|number| settled(number, Side::Payer)),
        1 => other_content,
        1 => impostor,
        1 => swapped,
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let said = proptest::collection::vec(message(), 1..8);
    prop_oneof![
        6 => (said, 0_u64..3).prop_map(|(said, delay)| Step::Hear { said, delay }),
        2 => (1_u64..30).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ]
}

/// The hub with both sweepers.
struct World {
    bench: Bench,
    progress: Arc<Progress>,
    expire: ExpireOverdue,
    repeat: RepeatConfirmations,
    seconds: u64,
}

impl World {
    fn new(limit: Option<i64>) -> Self {
        let position_limit = limit.map(Money::from_centavos);
        let payer = Participant { position_limit, ..native(PAYER_BANK) };
        let bench = Bench::with([payer, native(PAYEE_BANK)]);
        let partition = TopicPartition { topic: "t".into(), partition: 0 };
        let progress = Arc::new(Progress::default());
        progress.assigned([&partition]);
        progress.caught_up(&partition);
        let (store, settings) = (Arc::new(bench.store.clone()), TransfersSettings::default());
        let clock = || -> Arc<dyn Clock> { Arc::<FixedClock>::clone(&bench.clock) };
        let expire = ExpireOverdue::new(store.clone(), Arc::clone(&progress), clock(), settings);
        let repeat = RepeatConfirmations::new(store, clock(), settings);
        Self { bench, progress, expire, repeat, seconds: 0 }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Hear { said, delay } => {
                self.bench.hear(self.seconds.saturating_sub(delay), said).await;
            }
            Step::Wait(seconds) => {
                self.seconds = self.seconds.saturating_add(seconds);
                self.bench.clock.advance(Duration::from_secs(seconds));
            }
            Step::Sweep => {
                self.progress.looked(at(self.seconds));
                self.expire.sweep().await.unwrap();
                self.repeat.sweep().await.unwrap();
            }
        }
    }

    fn transfers(&self) -> BTreeMap<EndToEndId, Transfer> {
        let tables = self.bench.store.tables();
        tables.transfers.iter().map(|(id, row)| (*id, row.transfer.clone())).collect()
    }
}

const fn may_follow(before: TransferState, after: TransferState) -> bool {
    match before {
        TransferState::Pending => true,
        TransferState::Confirmed => {
            matches!(after, TransferState::Confirmed | TransferState::Completed)
        }
        TransferState::Completed => matches!(after, TransferState::Completed),
        TransferState::Rejected => matches!(after, TransferState::Rejected),
        TransferState::Expired => matches!(after, TransferState::Expired),
    }
}

fn never_backwards(before: &Standing, after: &Standing) {
    assert!(may_follow(before.state, after.state), "{before:?} {after:?}");
    assert!(before.version <= after.version);
    assert!(after.payer_reported || !before.payer_reported);
    assert!(after.payee_reported || !before.payee_reported);
    if before.state.is_final() {
        assert_eq!(before, after);
    }
}

/// Positions are what was settled, reservations what is pending, and all of it sums to zero.
fn money_is_conserved(world: &World) {
    let (mut settled, mut reserved) = (0_i64, 0_i64);
    for transfer in world.transfers().values() {
        let amount = transfer.order().amount.centavos();
        match transfer.standing().state {
            TransferState::Confirmed | TransferState::Completed => {
                settled = settled.saturating_add(amount);
            }
            TransferState::Pending if transfer.reserves() => {
                reserved = reserved.saturating_add(amount);
            }
            TransferState::Pending | TransferState::Rejected | TransferState::Expired => {}
        }
    }
    assert_eq!(world.bench.positions(), (settled.saturating_neg(), settled, reserved));
}

/// On the hub's topic each version of a transfer is told once, in order.
fn told_once(world: &World) {
    let mut versions: BTreeMap<EndToEndId, Vec<i64>> = BTreeMap::new();
    for (id, notice) in &world.bench.store.tables().told {
        if notice.audience.everyone {
            versions.entry(*id).or_default().push(notice.standing.version);
        }
    }
    for (id, transfer) in world.transfers() {
        let expected: Vec<i64> = (1..=transfer.standing().version).collect();
        assert_eq!(versions.get(&id), Some(&expected));
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What honest banks say of one transfer, in order.
fn whole_way(number: u64) -> Vec<BankMessage> {
    let by = |side| settled(number, side);
    vec![requested(order(number)), accepted(number), by(Side::Payee), by(Side::Payer)]
}

proptest! {
    #[test]
    fn every_history_is_sound(
        history in proptest::collection::vec(step(), 1..40),
        limit in proptest::option::of(0_i64..700),
    ) {
        block_on(async {
            let mut world = World::new(limit);
            for step in history {
                let before = world.transfers();
                world.take(step).await;
                let after = world.transfers();
                for (id, transfer) in &before {
                    never_backwards(transfer.standing(), after[id].standing());
                }
                money_is_conserved(&world);
            }
            told_once(&world);
        });
    }

    #[test]
    fn how_messages_are_cut_into_batches_makes_no_difference(
        said in proptest::collection::vec(message(), 1..30),
        limit in proptest::option::of(0_i64..700),
    ) {
        block_on(async {
            let (at_once, one_by_one) = (World::new(limit), World::new(limit));
            let mut codes = Vec::new();
            for message in said.clone() {
                codes.extend(one_by_one.bench.hear(0, vec![message]).await);
            }
            assert_eq!(at_once.bench.hear(0, said).await, codes);
            assert_eq!(at_once.transfers(), one_by_one.transfers());
            assert_eq!(at_once.bench.positions(), one_by_one.bench.positions());
            let per_transfer = |world: &World| {
                let mut told = world.bench.store.tables().told.clone();
                told.sort_by_key(|(id, _)| *id);
                told
            };
            assert_eq!(per_transfer(&at_once), per_transfer(&one_by_one));
        });
    }

    #[test]
    fn with_every_message_repeated_each_transfer_still_ends_once(
        seed in proptest::collection::vec(any::<prop::sample::Index>(), 60),
    ) {
        block_on(async {
            let world = World::new(None);
            // What honest banks say, each thing three times, in any order that they might come in.
            let mut open: Vec<BankMessage> = (1..=TRANSFERS)
                .flat_map(whole_way)
                .flat_map(|message| vec![message; 3])
                .collect();
            for index in seed {
                if !open.is_empty() {
                    let message = open.swap_remove(index.index(open.len()));
                    world.bench.hear(0, vec![message]).await;
                }
            }
            // Banks repeat what got no answer: in the end every transfer completes.
            for number in 1..=TRANSFERS {
                world.bench.hear(0, whole_way(number)).await;
                assert_eq!(world.bench.state(number), TransferState::Completed);
            }
            money_is_conserved(&world);
            told_once(&world);
        });
    }
}
