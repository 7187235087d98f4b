//! Customers: they pay, mostly, and now and then do something else that may come in between.

use std::sync::Arc;
use std::time::Duration;

use banking::application::account_command::OnAccount;
use banking::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, PayAccount, RequestTransfer,
    SetAccountLimits, UnblockAccount, Withdraw,
};
use banking::domain::{AccountNumber, Description, Limits, OwnerName, PayeeKey};
use futures::future::join_all;
use pix_keys::domain::{PixKey, RemovalReason};
use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, Amount, Ispb, Money};
use transfers::domain::{LimitWish, Protocol};

use super::Population;
use super::founding::{Enrolled, Place, cpf, enrolment};
use super::intruders::REUSED;
use super::journal::{Told, apart};
use super::order::{KeyWish, Order};
use crate::city::City;
use crate::executor::WORLD;
use crate::words::Words as _;

impl City {
    fn any_account(&self, population: &Population) -> Option<OnAccount> {
        Some(self.on(self.world.chance.one_of(&population.accounts)?))
    }

    fn on(&self, (ispb, account_id): Place) -> OnAccount {
        OnAccount { caller: Caller::Operator, trace: self.trace(), ispb, account_id }
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

    /// Limits of an account: per transfer, per day, both or none.
    fn any_limits(&self) -> Option<Limits> {
        let chance = &self.world.chance;
        let limit = |most: u64| {
            let centavos = i64::try_from(chance.below(most)).ok();
            centavos.map(Money::from_centavos).filter(|_| chance.below(3) > 0)
        };
        Limits::new(limit(9_000), limit(30_000)).ok()
    }

    /// A bank may owe another amount from now on, whatever it owes already, or has another name.
    /// What is not said stays as it is.
    fn enrolment_again(&self, population: &Population) -> Option<Order> {
        let (chance, whim) = (&self.world.chance, &self.world.whim);
        let (ours, others) = (self.world.plan.banks().count(), population.outside.len());
        let place = chance.place(ours + others);
        let protocol = if place < ours { Protocol::Native } else { Protocol::Classic };
        let limit = chance.one_of(&[None, Some(0), Some(5_000), Some(30_000), Some(200_000)])?;
        let limit = limit.map(Money::from_centavos).map_or(LimitWish::Without, LimitWish::Most);
        let number = u64::try_from(place).ok()? + 1;
        let name = Enrolled::name(number);
        let bank = Enrolled {
            name: if whim.below(2) == 0 { name } else { format!("{name} {}", whim.below(9)) },
            protocol: Some(protocol).filter(|_| whim.below(2) == 0),
            position_limit: if whim.below(3) == 0 { LimitWish::AsItIs } else { limit },
        };
        enrolment(number, &bank, self.trace())
    }

    /// A payment to an account that is named itself; of the same bank, mostly.
    fn payment_to_account(&self, population: &Population, on: OnAccount) -> Option<Order> {
        let chance = &self.world.chance;
        let is_stray = chance.below(6) == 0;
        let payees = population.accounts.iter().filter(|(ispb, _)| is_stray || *ispb == on.ispb);
        let payees: Vec<Place> = payees.copied().collect();
        Some(Order::PayAccount(PayAccount {
            on,
            idempotency_key: self.journal().key(),
            payee_account_id: chance.one_of(&payees)?.1,
            amount: self.any_amount()?,
            description: Description::parse("rent").ok()?,
        }))
    }

    /// One more account: of a newcomer, or of somebody who has one.
    fn opening(&self, ispb: Ispb) -> Option<OpenAccount> {
        let number = self.world.chance.between(1, 5);
        let wanted = self.world.chance.below(2) == 0;
        let wanted = wanted.then(|| AccountNumber::parse(&format!("{}", 20_000 + number)).ok());
        // Now and then somebody is given another name than the bank knows.
        let other = if self.world.whim.below(3) == 0 { " the younger" } else { "" };
        let name = format!("Newcomer {number}{other}");
        Some(OpenAccount {
            caller: Caller::Operator,
            trace: self.trace(),
            idempotency_key: self.journal().key(),
            ispb,
            owner_name: OwnerName::parse(&name).ok()?,
            owner_tax_id: cpf(90_000 + number)?,
            branch: None,
            number: wanted.flatten(),
            account_id: None,
        })
    }

    /// Something that a customer or an operator wants.
    fn any_order(&self, population: &Population) -> Option<Order> {
        let chance = &self.world.chance;
        let on = self.any_account(population)?;
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
            21..25 => {
                let limits = self.any_limits()?;
                Order::Limit(SetAccountLimits { on, limits })
            }
            25..30 => Order::Register(KeyWish { on, request_id: idempotency_key(), key: key()? }),
            30..33 => {
                let wish = KeyWish { on, request_id: idempotency_key(), key: key()? };
                Order::Remove(wish, RemovalReason::UserRequested)
            }
            33..35 => {
                let (place, key) = population.keys.get(own)?.clone();
                let wish = KeyWish { on: self.on(place), request_id: idempotency_key(), key };
                Order::Remove(wish, RemovalReason::UserRequested)
            }
            35..37 => Order::Open(self.opening(on.ispb)?),
            37..39 => self.enrolment_again(population)?,
            39..46 => self.payment_to_account(population, on)?,
            _ => self.payment(population)?,
        })
    }

    /// Asks again what was answered before: the same must come back. The same key with other
    /// content must be refused.
    async fn insist_on(self: &Arc<Self>, order: &Order, told: &Told) {
        let chance = &self.world.chance;
        if order.scope().is_none() || !matches!(told, Told::Accepted(_)) {
            return;
        }
        if chance.below(5) == 0 {
            self.world.tell(WORLD, || format!("{}: asks again", self.world.speaker()));
            let again = self.learn(order).await;
            if again != *told {
                let (words, answers) = (order.words(), apart(told, &again));
                self.world.fail(format!("{words}: on a repeat another answer: {answers}"));
            }
        }
        if chance.below(5) == 0
            && let Some(other) = self.varied(order)
        {
            self.world.tell(WORLD, || {
                format!("{}: wants something else under the same key", self.world.speaker())
            });
            let answer = self.learn(&other).await;
            if answer != Told::Refused(REUSED.into()) {
                let words = other.words();
                let answer = answer.words();
                self.world.fail(format!("{words}: a key used before, and answered: {answer}"));
            }
        }
        if chance.below(8) == 0 {
            self.intrude(order).await;
        }
    }
}

impl City {
    /// A key of any kind: made by the directory, a tax id, a number that several want. Every other
    /// one is for the same account, which comes to have as many as it may.
    fn any_key_order(&self, population: &Population) -> Option<Order> {
        let whim = &self.world.whim;
        let first = population.accounts.first().copied().filter(|_| whim.below(2) == 0);
        let place = first.or_else(|| whim.one_of(&population.accounts))?;
        let (on, request_id) = (self.on(place), self.journal().key());
        let tax_id_of =
            |account: AccountId| PixKey::infer(population.owners.get(&account)?.as_str()).ok();
        let key = match whim.below(8) {
            0..3 => return Some(Order::Make(on, request_id)),
            3..5 => tax_id_of(on.account_id)?,
            5 => tax_id_of(whim.one_of(&population.accounts)?.1)?,
            6 => PixKey::infer(&format!("+551180000000{}", whim.below(3))).ok()?,
            _ => {
                let key = tax_id_of(on.account_id)?;
                let wish = KeyWish { on, request_id, key };
                return Some(Order::Remove(wish, RemovalReason::UserRequested));
            }
        };
        Some(Order::Register(KeyWish { on, request_id, key }))
    }

    /// Just what is on an account, or just what it may send at once; a limit is reached and not
    /// exceeded.
    fn exact_amount(&self, on: &OnAccount) -> Option<Amount> {
        let whim = &self.world.whim;
        if !self.world.plan.load.has_exact_amounts || whim.below(3) > 0 {
            return None;
        }
        let money = self.banking.look(|it| {
            let state = it.tables.accounts.get(&on.account_id)?.state();
            let limit = state.limits.per_transfer.filter(|_| whim.below(2) == 0);
            Some(limit.unwrap_or_else(|| state.funds.available()))
        });
        Amount::from_centavos(money?.centavos()).ok()
    }

    /// The order with an exact amount, now and then.
    fn exactly(&self, mut order: Order) -> Order {
        if let Order::Pay(RequestTransfer { on, amount, .. })
        | Order::PayAccount(PayAccount { on, amount, .. })
        | Order::Withdraw(Withdraw { on, amount, .. }) = &mut order
            && let Some(exact) = self.exact_amount(on)
        {
            *amount = exact;
        }
        order
    }

    /// What a customer wants next.
    fn next_order(&self, population: &Population) -> Option<Order> {
        self.any_next_order(population).map(|order| self.exactly(order))
    }

    fn any_next_order(&self, population: &Population) -> Option<Order> {
        if self.world.plan.load.has_all_keys && self.world.whim.below(3) == 0 {
            return self.any_key_order(population);
        }
        self.any_order(population)
    }

    /// Several want the same at the same time: one key for many accounts, the money of one account
    /// for many payments, or an account to be closed or blocked that is about to be paid.
    fn crowd(&self, population: &Population) -> Vec<Order> {
        let chance = &self.world.chance;
        let key = PixKey::infer(&format!("crowded{}@example.com", chance.below(1_000))).ok();
        let (payer, payee) = (self.any_account(population), self.any_account(population));
        let kind = chance.below(3);
        let want = |_| match kind {
            0 => {
                let on = self.any_account(population)?;
                let request_id = self.journal().key();
                Some(Order::Register(KeyWish { on, request_id, key: key.clone()? }))
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
            let own = population.keys.iter().find(|((_, account), _)| Some(*account) == payee);
            let key = own.and_then(|(_, key)| PayeeKey::parse(key.as_str()).ok());
            if let (Some(payee_key), Some(Order::Pay(payment))) = (key, self.payment(population)) {
                orders.push(Order::Pay(RequestTransfer { payee_key, ..payment }));
            }
        }
        orders.into_iter().map(|order| self.as_given(order)).collect()
    }

    /// Lets a crowd in; most come at once, some a little later.
    async fn rush(self: &Arc<Self>, orders: Vec<Order>) {
        let speaker = self.world.speaker();
        self.world.say(WORLD, "crowd", || format!("{speaker}: brings a crowd of {}", orders.len()));
        let learn = |order: Order| async move {
            let most = self.world.chance.one_of(&[0, 5, 50, 500]).unwrap_or(0);
            let late = self.world.chance.time(Duration::ZERO, Duration::from_millis(most));
            self.world.executor.sleep(late).await;
            self.world.tell(WORLD, || format!("{}: {}", self.world.speaker(), order.words()));
            let told = self.learn(&order).await;
            self.journal().note(order, told);
        };
        let come = |(number, order): (u64, Order)| {
            let name = format!("{speaker}, crowd {number}");
            Box::pin(Arc::clone(&self.world).speaking(name, learn(order)))
        };
        join_all((1..).zip(orders).map(come)).await;
    }
}

/// The key that the directory has made for an account.
fn made(order: &Order, told: &Told) -> Option<(Place, PixKey)> {
    let (Order::Make(on, _), Told::Accepted(answer)) = (order, told) else { return None };
    let key = PixKey::infer(answer.get("key")?.as_str()?).ok()?;
    Some(((on.ispb, on.account_id), key))
}

/// The day of a customer.
pub(crate) async fn customer(city: Arc<City>, mut population: Population, number: u64) {
    for shared in 0..3 {
        // Keys that several accounts fight for.
        let key = PixKey::infer(&format!("shared{shared}@example.com")).ok();
        let owner = population.accounts.first().copied();
        population.keys.extend(owner.zip(key));
    }
    if city.world.plan.load.has_all_keys {
        let tax_ids = population.accounts.iter().filter_map(|place| {
            let tax_id = population.owners.get(&place.1)?;
            Some((*place, PixKey::infer(tax_id.as_str()).ok()?))
        });
        let tax_ids: Vec<_> = tax_ids.collect();
        population.keys.extend(tax_ids);
    }
    let load = city.world.plan.load;
    for _ in 0..load.orders_per_customer {
        let pause = city.world.chance.time(Duration::ZERO, load.pause);
        city.world.executor.sleep(pause).await;
        if city.world.chance.below(8) == 0 {
            let orders = city.crowd(&population);
            city.rush(orders).await;
        }
        let Some(order) = city.next_order(&population) else { continue };
        let order = city.as_given(order);
        if city.world.chance.below(8) == 0 {
            city.intrude(&order).await;
        }
        city.world.say(WORLD, "order", || format!("customer {number}: {}", order.words()));
        let told = city.learn(&order).await;
        city.journal().note(order.clone(), told.clone());
        city.insist_on(&order, &told).await;
        population.keys.extend(made(&order, &told));
    }
    city.journal().at_work -= 1;
}
