//! Programs of banks that are not ours: they speak the classic protocol and keep their books
//! themselves. They debit before they order, credit as soon as they are told, credit again each
//! time that they are told, and take nothing back. This is a model of other people's programs; the
//! hub that they talk to is the code that runs in production.

mod messages;
mod operator;
mod ordering;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::log::OutboundRecord;
use shared_kernel::domain::{AccountId, BankCode, Ispb};
use transfers::application::TransfersSettings;
use transfers::domain::OrderId;

use crate::city::City;
use crate::executor::WORLD;

pub(crate) use messages::words;
pub(crate) use ordering::customer;
pub(crate) use reading::Word;

/// A program of a bank, with its books.
#[derive(Debug)]
pub(crate) struct Program {
    /// What it reads.
    pub(crate) topic: String,
    pub(crate) accounts: Vec<AccountId>,
    /// The place in its topic from which it reads on; it moves together with the books.
    pub(crate) next: usize,
    is_away: bool,
    /// Orders of others that it has credited, and how much.
    pub(crate) credited: BTreeMap<OrderId, i64>,
    /// Orders of others that it was told of and has not credited: it began to read too late, or
    /// cannot read the amount.
    pub(crate) missed: BTreeSet<OrderId>,
    /// Its own orders.
    pub(crate) ordered: BTreeMap<OrderId, Ordered>,
    /// What it has yet to say.
    pub(crate) to_say: u64,
}

/// An order as its own program knows it.
#[derive(Debug)]
pub(crate) struct Ordered {
    /// What it has debited; under one id it may have ordered more than once.
    pub(crate) centavos: Vec<i64>,
    /// What it was told became of it.
    pub(crate) told: BTreeSet<Word>,
    /// Why it failed, as it was told last.
    pub(crate) error: Option<String>,
    /// It says that the order is completed before it can know.
    pub(crate) is_hasty: bool,
    /// Another order has the same id.
    pub(crate) has_rival: bool,
}

impl City {
    /// Does something with the program of a bank.
    pub(crate) fn program<T>(&self, ispb: Ispb, act: impl FnOnce(&mut Program) -> T) -> Option<T> {
        self.programs().get_mut(&ispb).map(act)
    }

    /// Starts the program of a bank.
    pub(crate) fn start_program(self: &Arc<Self>, ispb: Ispb, code: &BankCode) {
        let program = Program {
            topic: TransfersSettings::default().outside_topic(code),
            accounts: Vec::new(),
            next: 0,
            is_away: false,
            credited: BTreeMap::new(),
            missed: BTreeSet::new(),
            ordered: BTreeMap::new(),
            to_say: 0,
        };
        let is_first = self.programs().is_empty();
        self.programs().insert(ispb, program);
        self.world.executor.spawn(WORLD, reading::run(Arc::clone(self), ispb));
        if is_first {
            self.world.executor.spawn(WORLD, operator::run(Arc::clone(self)));
        }
    }

    /// Writes a message of a program, as soon as it runs and the log takes it.
    async fn write(self: &Arc<Self>, ispb: Ispb, topic: &str, body: String) {
        let world = &self.world;
        // Nobody may rely on the keys of these programs.
        let key = match world.chance.below(3) {
            0 => None,
            1 => Some(b"key".to_vec()),
            _ => Some(world.chance.next().to_be_bytes().to_vec()),
        };
        let payload = Some(body.into_bytes());
        let topics = vec![topic.to_owned()];
        let record = OutboundRecord { topics, key, headers: Vec::new(), payload, time: None };
        loop {
            world.delay(WORLD, "before a program's message arrives").await;
            let is_away = self.program(ispb, |it| it.is_away).unwrap_or(false);
            if !is_away && self.log.append(topic, &record).is_some() {
                return;
            }
            let pause = world.chance.time(Duration::from_millis(200), Duration::from_secs(3));
            world.executor.sleep(pause).await;
        }
    }

    /// Does something later that the program of a bank owes; it is not done before that.
    fn later<F>(self: &Arc<Self>, ispb: Ispb, after: Duration, act: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.program(ispb, |it| it.to_say += 1);
        let city = Arc::clone(self);
        self.world.executor.spawn(WORLD, async move {
            city.world.executor.sleep(after).await;
            act.await;
            city.program(ispb, |it| it.to_say -= 1);
        });
    }
}
