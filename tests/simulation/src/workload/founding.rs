//! Before customers come: banks, accounts, some money on them, and keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use banking::application::account_command::OnAccount;
use banking::application::command::{Deposit, OpenAccount};
use banking::domain::OwnerName;
use pix_keys::application::EnrolOrder;
use pix_keys::domain::{AccountDetails, AccountFields, PixKey};
use shared_kernel::application::{Caller, TraceParent};
use shared_kernel::domain::{AccountId, Amount, BankCode, Ispb, Money, TaxId};
use transfers::application::EnrolParticipant;
use transfers::domain::{LimitWish, ParticipantName, Protocol};

use super::customers::customer;
use super::elsewhere;
use super::journal::Told;
use super::order::{KeyWish, Order};
use crate::city::City;
use crate::executor::WORLD;
use crate::programs;
use crate::world::SeededIds;

/// An account, at its bank.
pub(crate) type Place = (Ispb, AccountId);

/// Who is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Population {
    pub(crate) accounts: Vec<Place>,
    pub(crate) keys: Vec<(Place, PixKey)>,
    /// Whose the accounts are.
    pub(crate) owners: BTreeMap<AccountId, TaxId>,
    /// Banks whose programs are not ours.
    pub(crate) outside: Vec<Ispb>,
}

/// A CPF with its check digits.
pub(super) fn cpf(number: u64) -> Option<TaxId> {
    let mut digits: Vec<u64> = format!("{:09}", 100_000_000 + number * 7_919)
        .bytes()
        .map(|digit| u64::from(digit) - u64::from(b'0'))
        .collect();
    for length in [9_u64, 10] {
        let weights = (2..=length + 1).rev();
        let sum: u64 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
        let rest = sum % 11;
        digits.push(if rest < 2 { 0 } else { 11 - rest });
    }
    let text: String = digits.iter().map(u64::to_string).collect();
    TaxId::parse(&text).ok()
}

fn code(number: u64) -> Option<BankCode> {
    BankCode::parse(&format!("{number:03}")).ok()
}

/// What is said of a bank when it is enrolled, or once more.
pub(super) struct Enrolled {
    pub(super) name: String,
    pub(super) protocol: Option<Protocol>,
    pub(super) position_limit: LimitWish,
}

impl Enrolled {
    pub(super) fn name(number: u64) -> String {
        format!("Bank {number}")
    }
}

pub(super) fn enrolment(number: u64, bank: &Enrolled, trace: TraceParent) -> Option<Order> {
    Some(Order::Enrol(EnrolParticipant {
        caller: Caller::Operator,
        trace,
        ispb: Ispb::parse(&format!("{number:08}")).ok(),
        code: code(number)?,
        name: ParticipantName::parse(&bank.name).ok()?,
        protocol: bank.protocol,
        position_limit: bank.position_limit,
    }))
}

impl City {
    pub(super) fn trace(&self) -> TraceParent {
        TraceParent::begin(&SeededIds::new(&self.world))
    }

    /// A bank takes part for the first time. What goes without saying is said, or is not.
    fn first_enrolment(
        &self,
        number: u64,
        protocol: Protocol,
        limit: Option<Money>,
    ) -> Option<Order> {
        let whim = &self.world.whim;
        let says = || whim.below(2) == 0;
        let unlimited = if says() { LimitWish::Without } else { LimitWish::AsItIs };
        let bank = Enrolled {
            name: Enrolled::name(number),
            protocol: Some(protocol).filter(|it| *it == Protocol::Classic || says()),
            position_limit: limit.map_or(unlimited, LimitWish::Most),
        };
        enrolment(number, &bank, self.trace())
    }

    /// Asks until it is accepted: what it needs may not have arrived yet.
    async fn insist(self: &Arc<Self>, order: Order) -> Option<serde_json::Value> {
        loop {
            let told = self.learn(&order).await;
            if let Told::Accepted(answer) = told.clone() {
                self.journal().note(order, told);
                return Some(answer);
            }
            let patience = std::time::Duration::from_millis(500);
            self.world.executor.sleep(patience).await;
        }
    }

    async fn open_account(self: &Arc<Self>, ispb: Ispb, owner: u64) -> Option<AccountId> {
        let order = Order::Open(OpenAccount {
            caller: Caller::Operator,
            trace: self.trace(),
            idempotency_key: self.journal().key(),
            ispb,
            owner_name: OwnerName::parse(&format!("Owner {owner}")).ok()?,
            owner_tax_id: cpf(owner)?,
            branch: None,
            number: None,
            account_id: None,
        });
        let opened = self.insist(order).await?;
        AccountId::parse(opened.get("id")?.as_str()?).ok()
    }

    /// Account number so much is opened, of that owner.
    async fn settle_in(
        self: &Arc<Self>,
        ispb: Ispb,
        (number, owner): (u64, u64),
    ) -> Option<(AccountId, PixKey)> {
        let account_id = self.open_account(ispb, owner).await?;
        let centavos = self.world.chance.between(1, 200_000);
        // Some have nothing, so that they can be closed.
        let is_poor = self.world.chance.below(5) == 0;
        let deposit = Order::Deposit(Deposit {
            on: OnAccount { caller: Caller::Operator, trace: self.trace(), ispb, account_id },
            idempotency_key: self.journal().key(),
            amount: Amount::from_centavos(i64::try_from(centavos).unwrap_or(1)).ok()?,
        });
        if !is_poor {
            self.insist(deposit).await?;
        }
        let key = PixKey::infer(&format!("owner{number}@example.com")).ok()?;
        self.register(ispb, account_id, key.clone()).await?;
        Some((account_id, key))
    }

    /// A phone number that nobody else will ever have.
    async fn found_phone(self: &Arc<Self>, place: Place, number: u64) -> Option<PixKey> {
        let phone = PixKey::infer(&format!("+55119{number:08}")).ok()?;
        self.register(place.0, place.1, phone.clone()).await?;
        Some(phone)
    }

    /// A key that nobody will register again.
    async fn register(
        self: &Arc<Self>,
        ispb: Ispb,
        account_id: AccountId,
        key: PixKey,
    ) -> Option<()> {
        self.world.oracle().founded(&key, account_id);
        let on = OnAccount { caller: Caller::Operator, trace: self.trace(), ispb, account_id };
        let request_id = self.journal().key();
        self.insist(Order::Register(KeyWish { on, request_id, key })).await.map(|_| ())
    }

    /// An account at a bank whose program is not ours.
    async fn enrol_account(
        self: &Arc<Self>,
        ispb: Ispb,
        number: u64,
    ) -> Option<(AccountId, PixKey)> {
        let account_id = AccountId::parse(&format!("c1a551c0-0000-4000-8000-{ispb}{number:04}"));
        let account_id = account_id.ok()?;
        let owner = cpf(number)?;
        let fields = AccountFields {
            branch: "",
            number: &number.to_string(),
            owner_name: &format!("Owner {number}"),
            owner_tax_id: owner.as_str(),
        };
        let details = AccountDetails::parse(fields).ok()?;
        let order = EnrolOrder { account_id, ispb, details };
        self.insist(Order::EnrolAccount(Caller::Operator, order)).await?;
        let key = PixKey::infer(&format!("owner{number}@example.com")).ok()?;
        self.register(ispb, account_id, key.clone()).await?;
        self.program(ispb, |it| it.accounts.push(account_id));
        Some((account_id, key))
    }

    /// Founds a bank whose program is not ours.
    async fn found_outside(self: &Arc<Self>, bank: u64, population: &mut Population) -> Option<()> {
        let limit = (self.world.chance.below(6) == 0).then(|| Money::from_centavos(30_000));
        let ispb = Ispb::parse(&format!("{bank:08}")).ok()?;
        self.insist(self.first_enrolment(bank, Protocol::Classic, limit)?).await?;
        self.start_program(ispb, &code(bank)?);
        for number in 0..self.world.plan.classic.accounts_per_bank {
            let enrolled = self.enrol_account(ispb, 100 * bank + number).await;
            population.keys.extend(enrolled.map(|(account_id, key)| ((ispb, account_id), key)));
        }
        population.outside.push(ispb);
        Some(())
    }
}

impl City {
    /// Founds a bank whose books are elsewhere, and lets its customers in.
    async fn found_elsewhere(self: &Arc<Self>, population: &Population) -> Option<()> {
        let order = self.first_enrolment(elsewhere::ELSEWHERE, Protocol::Native, None)?;
        self.insist(order).await?;
        self.journal().at_work += 1;
        let day = elsewhere::customers(Arc::clone(self), population.accounts.clone());
        self.world.executor.spawn(WORLD, day);
        Some(())
    }
}

/// Founds everything, then lets the customers in.
pub(crate) async fn found(city: Arc<City>) {
    let load = city.world.plan.load;
    let mut population = Population::default();
    let mut number = 0;
    for (bank, ispb) in (1..).zip(city.world.plan.banks()) {
        let limit = (city.world.chance.below(4) == 0).then(|| Money::from_centavos(30_000));
        let Some(order) = city.first_enrolment(bank, Protocol::Native, limit) else { continue };
        city.insist(order).await;
        for _ in 0..load.accounts_per_bank {
            number += 1;
            // Each owner has one account, or one at each bank.
            let is_elsewhere = load.has_all_keys && number > load.accounts_per_bank;
            let owner =
                if is_elsewhere { (number - 1) % load.accounts_per_bank + 1 } else { number };
            let settled = city.settle_in(ispb, (number, owner)).await;
            let Some((account_id, key)) = settled else { continue };
            population.accounts.push((ispb, account_id));
            population.owners.extend(cpf(owner).map(|owner| (account_id, owner)));
            population.keys.push(((ispb, account_id), key));
            if load.has_all_keys {
                let phone = city.found_phone((ispb, account_id), number).await;
                population.keys.extend(phone.map(|phone| ((ispb, account_id), phone)));
            }
        }
    }
    for bank in 1..=city.world.plan.classic.banks {
        city.found_outside(load.banks + bank, &mut population).await;
    }
    city.journal().accounts.clone_from(&population.accounts);
    if city.world.plan.load.has_bank_elsewhere {
        city.found_elsewhere(&population).await;
    }
    for ispb in population.outside.clone() {
        city.journal().at_work += 1;
        let population = population.clone();
        let day = programs::customer(Arc::clone(&city), population, ispb);
        city.world.executor.spawn(WORLD, day);
    }
    for number in 0..load.customers {
        city.journal().at_work += 1;
        let day = customer(Arc::clone(&city), population.clone(), number);
        let name = format!("customer {number}");
        city.world.executor.spawn(WORLD, Arc::clone(&city.world).speaking(name, day));
    }
    let mut journal = city.journal();
    journal.is_founded = true;
    journal.at_work -= 1;
}
