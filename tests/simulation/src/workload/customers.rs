//! Customers: they pay, mostly, and now and then do something else that may come in between.

use std::sync::Arc;
use std::time::Duration;

use banking::application::account_command::OnAccount;
use banking::application::command::{
    BlockAccount, CloseAccount, Deposit, RequestTransfer, SetAccountLimits, UnblockAccount,
    Withdraw,
};
use banking::domain::{Description, Limits, PayeeKey};
use futures::future::join_all;
use pix_keys::domain::PixKey;
use shared_kernel::application::{Caller, TraceParent};
use shared_kernel::domain::{Amount, Money};

use super::Population;
use super::journal::Told;
use super::order::Order;
use crate::city::City;
use crate::executor::WORLD;
use crate::world::SeededIds;

/// Refused: the key was used before with other content.
const REUSED: &str = "idempotency_key_reused";

impl City {
    fn any_account(&self, population: &Population) -> Option<OnAccount> {
        let (ispb, account_id) = self.world.chance.one_of(&population.accounts)?;
        let trace = TraceParent::begin(&SeededIds::new(&self.world));
        Some(OnAccount { caller: Caller::Operator, trace, ispb, account_id })
    }

    fn any_amount(&self) -> Option<Amount> {
        let most = self.world.chance.one_of(&[10, 2_000, 40_000])?;
        let centavos = self.world.chance.between(1, most);
        Amount::from_centavos(i64::try_from(centavos).ok()?).ok()
    }

    fn payment(&self, population: &Population) -> Option<Order> {
        let chance = &self.world.chance;
        let place = chance.place(population.keys.len());
        let known = population.keys.get(place).map(|(_, key)| key.as_str().to_owned());
        let key = if chance.below(20) == 0 { "nobody@example.com".into() } else { known? };
        Some(Order::Pay(RequestTransfer {
            on: self.any_account(population)?,
            idempotency_key: self.journal().key(),
            payee_key: PayeeKey::parse(&key).ok()?,
            amount: self.any_amount()?,
            description: Description::parse("rent").ok()?,
        }))
    }

    /// Something that a customer or an operator wants.
    fn any_order(&self, population: &Population) -> Option<Order> {
        let chance = &self.world.chance;
        let on = self.any_account(population)?;
        let account_id = on.account_id;
        let (shared, own) = (chance.below(3), chance.place(population.keys.len()));
        let key = || PixKey::infer(&format!("shared{shared}@example.com")).ok();
        let idempotency_key = || self.journal().key();
        Some(match chance.below(100) {
            0..4 => Order::Deposit(Deposit {
                on,
                idempotency_key: idempotency_key(),
                amount: self.any_amount()?,
            }),
            4..8 => Order::Withdraw(Withdraw {
                on,
                idempotency_key: idempotency_key(),
                amount: self.any_amount()?,
            }),
            8..12 => Order::Block(BlockAccount { on }),
            12..18 => Order::Unblock(UnblockAccount { on }),
            18..21 => Order::Close(CloseAccount { on }),
            21..24 => {
                let limit = Some(Money::from_centavos(i64::try_from(chance.below(9_000)).ok()?));
                let limits = Limits::new(limit, None).ok()?;
                Order::Limit(SetAccountLimits { on, limits })
            }
            24..30 => Order::Register { request_id: idempotency_key(), account_id, key: key()? },
            30..33 => Order::Remove { request_id: idempotency_key(), account_id, key: key()? },
            33..35 => {
                let (account_id, key) = population.keys.get(own)?.clone();
                Order::Remove { request_id: idempotency_key(), account_id, key }
            }
            _ => self.payment(population)?,
        })
    }

    /// Asks again what was answered before: the same must come back. The same key with other
    /// content must be refused.
    async fn insist_on(self: &Arc<Self>, order: &Order, told: &Told) {
        let chance = &self.world.chance;
        if !order.is_remembered() || !matches!(told, Told::Accepted(_)) {
            return;
        }
        if chance.below(5) == 0 {
            let again = self.learn(order).await;
            if again != *told {
                let words = order.words();
                self.world.fail(format!("{words}: first {told:?}, and on a repeat {again:?}"));
            }
        }
        if chance.below(5) == 0
            && let Some(other) = order.altered()
        {
            let answer = self.learn(&other).await;
            if answer != Told::Refused(REUSED.into()) {
                let words = other.words();
                self.world.fail(format!("{words}: a key used before, and answered {answer:?}"));
            }
        }
    }
}

impl City {
    /// Several want the same at the same time: one key for many accounts, the money of one account
    /// for many payments, or an account to be closed or blocked that is about to be paid.
    fn crowd(&self, population: &Population) -> Vec<Order> {
        let chance = &self.world.chance;
        let key = PixKey::infer(&format!("crowded{}@example.com", chance.below(1_000))).ok();
        let (payer, payee) = (self.any_account(population), self.any_account(population));
        let kind = chance.below(3);
        let want = |_| match kind {
            0 => {
                let account_id = self.any_account(population)?.account_id;
                let request_id = self.journal().key();
                Some(Order::Register { request_id, account_id, key: key.clone()? })
            }
            1 => {
                let Order::Pay(payment) = self.payment(population)? else { return None };
                Some(Order::Pay(RequestTransfer { on: payer.clone()?, ..payment }))
            }
            _ if chance.below(2) == 0 => Some(Order::Block(BlockAccount { on: payee.clone()? })),
            _ => Some(Order::Close(CloseAccount { on: payee.clone()? })),
        };
        let mut orders: Vec<Order> = (0..chance.between(2, 5)).filter_map(want).collect();
        if kind == 2 {
            let payee = payee.map(|on| on.account_id);
            let own = population.keys.iter().find(|(account, _)| Some(*account) == payee);
            let key = own.and_then(|(_, key)| PayeeKey::parse(key.as_str()).ok());
            if let (Some(payee_key), Some(Order::Pay(payment))) = (key, self.payment(population)) {
                orders.push(Order::Pay(RequestTransfer { payee_key, ..payment }));
            }
        }
        orders
    }

    /// Lets a crowd in; most come at once, some a little later.
    async fn rush(self: &Arc<Self>, orders: Vec<Order>) {
        self.world.say(WORLD, "crowd", || format!("{} customers come at once", orders.len()));
        let learn = |order: Order| async move {
            let most = self.world.chance.one_of(&[0, 5, 50, 500]).unwrap_or(0);
            let late = self.world.chance.time(Duration::ZERO, Duration::from_millis(most));
            self.world.executor.sleep(late).await;
            let told = self.learn(&order).await;
            self.journal().note(order, told);
        };
        join_all(orders.into_iter().map(|order| Box::pin(learn(order)))).await;
    }
}

/// The day of a customer.
pub(crate) async fn customer(city: Arc<City>, mut population: Population, number: u64) {
    for shared in 0..3 {
        // Keys that several accounts fight for.
        let key = PixKey::infer(&format!("shared{shared}@example.com")).ok();
        let owner = population.accounts.first().map(|(_, id)| *id);
        population.keys.extend(owner.zip(key));
    }
    let load = city.world.plan.load;
    for _ in 0..load.orders_per_customer {
        let pause = city.world.chance.time(Duration::ZERO, load.pause);
        city.world.executor.sleep(pause).await;
        if city.world.chance.below(8) == 0 {
            let orders = city.crowd(&population);
            city.rush(orders).await;
        }
        let Some(order) = city.any_order(&population) else { continue };
        city.world.say(WORLD, "order", || format!("customer {number}: {}", order.words()));
        let told = city.learn(&order).await;
        city.journal().note(order.clone(), told.clone());
        city.insist_on(&order, &told).await;
    }
    city.journal().at_work -= 1;
}

/// Asks once more for everything that was ever answered, now that all is quiet: what was accepted
/// is answered alike, and what was refused gets its final answer.
pub(crate) async fn reconcile(city: Arc<City>) {
    let entries = city.journal().entries().to_vec();
    for (place, entry) in entries.into_iter().enumerate() {
        if !entry.order.is_remembered() {
            continue;
        }
        let told = city.learn(&entry.order).await;
        match &entry.told {
            Told::Accepted(_) if told != entry.told => {
                let (words, first) = (entry.order.words(), &entry.told);
                city.world.fail(format!("{words}: first {first:?}, and in the end {told:?}"));
            }
            Told::Accepted(_) => {}
            Told::Refused(_) => {
                // Asked with two contents at once, the other one may have been first.
                let other = entry.order.altered();
                let other = other.filter(|_| told == Told::Refused(REUSED.into()));
                city.journal().amend(place, told);
                if let Some(other) = other {
                    let told = city.learn(&other).await;
                    city.journal().note(other, told);
                }
            }
        }
    }
    city.journal().at_work -= 1;
}
