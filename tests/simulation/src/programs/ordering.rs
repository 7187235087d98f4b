//! Customers of a bank whose program is not ours: their program debits, then orders. It orders
//! again when it is not sure, and some programs use an id twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::Ids as _;
use shared_kernel::domain::{AccountId, Ispb, Money};
use transfers::domain::OrderId;
use transfers::infrastructure::classic::published::ORDERS;

use super::Ordered;
use super::messages::Order;
use crate::checks::Intent;
use crate::city::City;
use crate::executor::WORLD;
use crate::workload::Population;
use crate::world::SeededIds;

/// What a broken program writes as an amount; such an order is refused.
const NO_AMOUNTS: [&str; 6] = ["0", "-5", "1.001", "\"x\"", "99999999999.99", "null"];

/// The day of the customers of one bank.
pub(crate) async fn customer(city: Arc<City>, population: Population, ispb: Ispb) {
    let classic = city.world.plan.classic;
    for _ in 0..classic.orders {
        let pause = city.world.chance.time(Duration::ZERO, city.world.plan.load.pause);
        city.world.executor.sleep(pause).await;
        if let Some(order) = city.any_program_order(ispb, &population) {
            city.order(ispb, order).await;
        }
    }
    city.journal().at_work -= 1;
}

impl City {
    fn any_program_order(&self, ispb: Ispb, population: &Population) -> Option<Order> {
        let chance = &self.world.chance;
        let accounts = self.program(ispb, |it| it.accounts.clone())?;
        let known = population.keys.get(chance.place(population.keys.len()));
        let known = known.map(|(_, key)| key.as_str().to_owned());
        let key = if chance.below(20) == 0 { "nobody@example.com".into() } else { known? };
        let centavos = chance.between(1, chance.one_of(&[10, 2_000, 40_000])?);
        let amount = match chance.below(25) {
            0 => (*NO_AMOUNTS.get(chance.place(NO_AMOUNTS.len()))?).to_owned(),
            1..6 => format!("{}", centavos / 100 + 1),
            _ => format!("{}.{:02}", centavos / 100, centavos % 100),
        };
        Some(Order {
            id: OrderId::from_uuid(SeededIds::new(&self.world).random()),
            account: chance.one_of(&accounts)?,
            amount,
            key,
            description: "rent",
        })
    }

    /// The program debits and orders, as often as it likes.
    async fn order(self: &Arc<Self>, ispb: Ispb, order: Order) {
        let (chance, habits) = (&self.world.chance, self.world.plan.classic.habits);
        self.debit(ispb, &order);
        if self.world.unlucky(habits.hasty) {
            self.errs(ispb, || format!("will say too early that {} is completed", order.id));
            self.program(ispb, |it| it.ordered.get_mut(&order.id).map(|it| it.is_hasty = true));
            let most = chance.one_of(&[100, 5_000]).unwrap_or(100);
            let after = chance.time(Duration::ZERO, Duration::from_millis(most));
            self.say_later(ispb, order.id, "completed", after);
        }
        if self.world.unlucky(habits.same_id) {
            self.rival(ispb, &order);
        }
        self.write(ispb, ORDERS.address, order.body(chance)).await;
        if self.world.unlucky(habits.repeat) {
            self.errs(ispb, || format!("will give its order {} again", order.id));
            for _ in 0..chance.between(1, 3) {
                let most = chance.one_of(&[50, 3_000, 90_000]).unwrap_or(50);
                let after = chance.time(Duration::ZERO, Duration::from_millis(most));
                self.order_later(ispb, order.clone(), after);
            }
        }
    }

    fn debit(&self, ispb: Ispb, order: &Order) {
        let centavos = Money::from_json_number(&order.amount).map_or(0, Money::centavos);
        let intent = Intent {
            payer: order.account,
            amount: centavos,
            key: order.key.clone(),
            description: order.description.to_owned(),
        };
        self.world.oracle().program_orders(order.id, intent);
        let line = || {
            let Order { id, account, amount, key, .. } = order;
            format!("program of {ispb}: debits {account} and orders {id}: {amount} to {key}")
        };
        self.world.say(WORLD, "program", line);
        self.program(ispb, |it| {
            let told = BTreeSet::new();
            let (centavos, error) = (vec![centavos], None);
            let new =
                Ordered { centavos: Vec::new(), told, error, is_hasty: false, has_rival: false };
            it.ordered.entry(order.id).or_insert(new).centavos.extend(centavos);
        });
    }

    fn order_later(self: &Arc<Self>, ispb: Ispb, order: Order, after: Duration) {
        let city = Arc::clone(self);
        self.later(ispb, after, async move {
            let body = order.body(&city.world.chance);
            city.write(ispb, ORDERS.address, body).await;
        });
    }

    /// Another order under the same id, about the same time: of this program, or of another's. One
    /// of them is the first.
    fn rival(self: &Arc<Self>, ispb: Ispb, order: &Order) {
        let others: Vec<Ispb> =
            self.programs().keys().copied().filter(|other| *other != ispb).collect();
        let other = self.world.chance.one_of(&others);
        let other = other.filter(|_| self.world.chance.below(2) == 0).unwrap_or(ispb);
        let account: Option<AccountId> =
            self.program(other, |it| it.accounts.first().copied()).flatten();
        let Some(account) = account else { return };
        let account = if other == ispb { order.account } else { account };
        self.errs(other, || format!("gives another order under the id {}", order.id));
        let rival = Order { account, ..order.clone() };
        let rival = match self.world.whim.below(3) {
            0 => Order { description: "loot", ..rival },
            1 => Order { amount: "0.07".to_owned(), ..rival },
            _ => Order { key: "nobody@example.com".to_owned(), ..rival },
        };
        self.debit(other, &rival);
        for bank in [ispb, other] {
            self.program(bank, |it| it.ordered.get_mut(&order.id).map(|it| it.has_rival = true));
        }
        let after = self.world.chance.time(Duration::ZERO, Duration::from_secs(2));
        self.order_later(other, rival, after);
    }
}
