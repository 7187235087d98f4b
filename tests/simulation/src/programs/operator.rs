//! The operator of the hub: looks through what is overdue, asks the payee's bank, and decides; not
//! always rightly, and not always before the bank has read what it was asked about.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::{Caller, TraceParent};
use shared_kernel::domain::EndToEndId;
use transfers::application::{AcknowledgeCredit, ResolveTransfer};
use transfers::domain::{Resolution, Side, Transfer, TransferState};

use crate::city::City;
use crate::executor::WORLD;
use crate::workload::Order;
use crate::world::SeededIds;

/// Works for ever.
pub(super) async fn run(city: Arc<City>) {
    let mut taken: BTreeSet<EndToEndId> = BTreeSet::new();
    let mut noted: BTreeSet<(EndToEndId, bool)> = BTreeSet::new();
    while !city.world.is_over() {
        let pause = city.world.chance.time(Duration::from_secs(1), Duration::from_secs(5));
        city.world.executor.sleep(pause).await;
        let is_overdue = |it: &&Transfer| {
            let standing = it.standing();
            standing.state == TransferState::Pending && standing.overdue_at.is_some()
        };
        let overdue: Vec<EndToEndId> = city.transfers.look(|it| {
            let overdue = it.tables.transfers.values().filter(is_overdue);
            overdue.map(|it| it.order().end_to_end_id).collect()
        });
        for id in overdue {
            if taken.insert(id) {
                city.world.executor.spawn(WORLD, resolve(Arc::clone(&city), id));
            }
        }
        for (id, is_contradicted) in city.refused_by_operators() {
            // Some note what is no contradiction yet, and are refused.
            let is_due = is_contradicted || city.world.whim.below(8) == 0;
            if is_due && noted.insert((id, is_contradicted)) {
                city.journal().at_work += 1;
                let noting = acknowledge(Arc::clone(&city), id, noted.len());
                city.world.executor.spawn(WORLD, noting);
            }
        }
    }
}

/// Notes that the banks have settled it between them; sometimes with other words once more.
async fn acknowledge(city: Arc<City>, id: EndToEndId, number: usize) {
    for words in ["paid back", "paid back on Monday"] {
        let order = Order::Acknowledge(AcknowledgeCredit {
            caller: Caller::Operator,
            end_to_end_id: id,
            reason: format!("{words}, note {number}"),
        });
        let world = Arc::clone(&city.world);
        let told = world.speaking("operator".to_owned(), city.learn(&order)).await;
        city.journal().note(order, told);
        if city.world.whim.below(2) == 0 {
            break;
        }
    }
    city.journal().at_work -= 1;
}

/// Until it is resolved: what has not left yet is not resolved as refused.
async fn resolve(city: Arc<City>, id: EndToEndId) {
    while city.is_pending(id) {
        try_to_resolve(&city, id).await;
    }
}

async fn try_to_resolve(city: &Arc<City>, id: EndToEndId) {
    let world = Arc::clone(&city.world);
    let most = world.chance.one_of(&[2, 20, 90]).unwrap_or(30);
    let pause = world.chance.time(Duration::from_millis(100), Duration::from_secs(most));
    world.executor.sleep(pause).await;
    let Some(resolution) = city.verdict(id) else { return };
    world.say(WORLD, "operator", || format!("operator: resolves {id} as {}", resolution.as_str()));
    let order = Order::Resolve(ResolveTransfer {
        caller: Caller::Operator,
        trace: TraceParent::begin(&SeededIds::new(&world)),
        end_to_end_id: id,
        resolution,
        reason: "asked the bank".into(),
    });
    Arc::clone(&world).speaking("operator".to_owned(), city.learn(&order)).await;
}

impl City {
    /// What operators resolved as refused, and whether the payee's program has contradicted it.
    fn refused_by_operators(&self) -> Vec<(EndToEndId, bool)> {
        let refused = |it: &Transfer| {
            let standing = it.standing();
            let is_refused = standing.state == TransferState::Rejected && it.is_handed_over();
            let id = it.order().end_to_end_id;
            is_refused.then_some((id, standing.contradicted_at.is_some()))
        };
        self.transfers.look(|it| it.tables.transfers.values().filter_map(refused).collect())
    }

    fn is_pending(&self, id: EndToEndId) -> bool {
        self.transfers.look(|it| {
            let transfer = it.tables.transfers.get(&id);
            transfer.is_some_and(|it| it.standing().state == TransferState::Pending)
        })
    }

    /// What the operator believes, after asking the payee's bank.
    fn verdict(&self, id: EndToEndId) -> Option<Resolution> {
        let known = self.transfers.look(|it| {
            let transfer = it.tables.transfers.get(&id)?;
            Some((transfer.ends().order_id?, transfer.bank(Side::Payee)))
        });
        let (order_id, payee) = known?;
        let credited = self.program(payee, |it| it.credited.contains_key(&order_id))?;
        let is_mistaken = self.world.unlucky(self.world.plan.classic.habits.mistaken);
        if is_mistaken {
            self.world.fault(WORLD, || {
                format!("the operator decides {id} against what the books of {payee} say")
            });
        }
        Some(if credited == is_mistaken { Resolution::Refused } else { Resolution::Credited })
    }
}
