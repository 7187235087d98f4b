//! A program reads its topic, credits and answers: at once, late, twice or never. It is away for
//! minutes now and then; some begin at the end of their topic when they are back.

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::log::InboundRecord;
use shared_kernel::domain::Ispb;
use transfers::domain::OrderId;
use transfers::infrastructure::classic::published::CONFIRMATIONS;

use super::Program;
use super::messages::{Told, word};
use crate::city::City;
use crate::executor::WORLD;
use crate::log::Shown;
use crate::plan::DOWN_MAX;
use crate::trace::span;
use crate::words::{Words, money};

/// What a program is told of an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    Confirmed,
    Error,
}

impl Words for Word {
    fn words(&self) -> String {
        let word = match self {
            Self::Confirmed => "that it is confirmed",
            Self::Error => "that it failed",
        };
        word.to_owned()
    }
}

/// The program of a bank runs for ever.
pub(super) async fn run(city: Arc<City>, ispb: Ispb) {
    let world = Arc::clone(&city.world);
    let habits = world.plan.classic.habits;
    loop {
        let pause = world.chance.time(Duration::from_millis(50), Duration::from_secs(2));
        world.executor.sleep(pause).await;
        if world.unlucky(habits.away) {
            city.be_away(ispb).await;
        }
        let Some((topic, next)) = city.program(ispb, |it| (it.topic.clone(), it.next)) else {
            return;
        };
        let Some(Shown { records, next, .. }) = city.log.committed(&topic, next) else { continue };
        for record in records {
            city.hear(ispb, &record);
        }
        city.program(ispb, |it| it.next = next);
    }
}

impl City {
    fn tell(&self, ispb: Ispb, line: impl FnOnce() -> String) {
        self.world.say(WORLD, "program", || format!("program of {ispb}: {}", line()));
    }

    /// The program does what it should not: a fault.
    pub(super) fn errs(&self, ispb: Ispb, line: impl FnOnce() -> String) {
        self.world.tell(WORLD, || format!("program of {ispb}: FAULT: {}", line()));
    }

    /// The program is away for some time; when it is back, it may say again what it has said, or
    /// have missed what came meanwhile.
    async fn be_away(self: &Arc<Self>, ispb: Ispb) {
        let world = &self.world;
        let most = world.chance.one_of(&[DOWN_MAX / 100, DOWN_MAX / 10, DOWN_MAX]);
        let time = world.chance.time(Duration::from_millis(50), most.unwrap_or(DOWN_MAX));
        self.tell(ispb, || format!("FAULT: is away for {}", span(time)));
        self.program(ispb, |it| it.is_away = true);
        world.executor.sleep(time).await;
        self.program(ispb, |it| it.is_away = false);
        self.tell(ispb, || "is back".to_owned());
        let habits = world.plan.classic.habits;
        if world.unlucky(habits.at_latest) {
            self.errs(ispb, || "begins at the end of its topic".to_owned());
            self.begin_at_latest(ispb);
        }
        let Some(credited) =
            self.program(ispb, |it| it.credited.keys().copied().collect::<Vec<_>>())
        else {
            return;
        };
        for id in credited.into_iter().rev().take(2) {
            // Only what it has said: a program that never confirms says nothing now either.
            if world.unlucky(habits.repeat) && world.oracle().is_confirmed(&id) {
                self.errs(ispb, || format!("confirms {id} again"));
                self.say_later(ispb, id, "confirmed", Duration::ZERO);
            }
        }
    }

    /// The program begins at the end of its topic: it never reads what came before.
    fn begin_at_latest(self: &Arc<Self>, ispb: Ispb) {
        let Some((topic, from)) = self.program(ispb, |it| (it.topic.clone(), it.next)) else {
            return;
        };
        let Some(Shown { records, next, .. }) = self.log.committed(&topic, from) else { return };
        for record in records {
            let Some(told) = self.read(ispb, &record) else { continue };
            if told.status == "pending" {
                self.must_be_news(ispb, told.id);
                self.tell(ispb, || format!("has missed that {} is to be credited", told.id));
                self.program(ispb, |it| it.missed.insert(told.id));
            } else {
                // Whether it hears of its own orders changes nothing for anybody else.
                self.learn_outcome(ispb, &told);
            }
        }
        self.program(ispb, |it| it.next = next);
    }

    fn read(&self, ispb: Ispb, record: &InboundRecord) -> Option<Told> {
        let body = record.payload.as_deref().unwrap_or_default();
        match serde_json::from_slice(body) {
            Ok(told) => Some(told),
            Err(error) => {
                self.world.fail(format!("the program of {ispb} sticks at a message: {error}"));
                None
            }
        }
    }

    fn must_be_news(&self, ispb: Ispb, id: OrderId) {
        let is_known = |it: &mut Program| it.credited.contains_key(&id) || it.missed.contains(&id);
        if self.program(ispb, is_known) == Some(true) {
            self.world.fail(format!("the program of {ispb} is told twice to credit {id}"));
        }
    }

    /// The program reads a message.
    fn hear(self: &Arc<Self>, ispb: Ispb, record: &InboundRecord) {
        let Some(told) = self.read(ispb, record) else { return };
        if told.status == "pending" {
            return self.credit(ispb, &told);
        }
        let Some(word) = self.learn_outcome(ispb, &told) else { return };
        let habits = self.world.plan.classic.habits;
        if word == Word::Confirmed {
            if self.world.unlucky(habits.silent) {
                return self.errs(ispb, || format!("will never say that {} is completed", told.id));
            }
            let most = self.world.chance.one_of(&[1, 20, 120]).unwrap_or(1);
            let after = self.world.chance.time(Duration::ZERO, Duration::from_secs(most));
            self.say_later(ispb, told.id, "completed", after);
        }
    }

    /// Notes what became of an order of the program itself; the first time, it is told what.
    fn learn_outcome(&self, ispb: Ispb, told: &Told) -> Option<Word> {
        let word = match told.status.as_str() {
            "confirmed" if told.error.is_empty() => Word::Confirmed,
            "error" if !told.error.is_empty() => Word::Error,
            other => {
                let error = &told.error;
                self.world.fail(format!("the program of {ispb} is told {other} ({error})"));
                return None;
            }
        };
        self.tell(ispb, || {
            let (id, status, error) = (told.id, &told.status, &told.error);
            let why = if error.is_empty() { String::new() } else { format!(" ({error})") };
            format!("hears of its order {id}: {status}{why}")
        });
        let noted = self.program(ispb, |it| {
            let is_own = it.accounts.contains(&told.account_id);
            let ordered = it.ordered.get_mut(&told.id).filter(|_| is_own)?;
            let is_first = ordered.told.insert(word);
            ordered.error = (word == Word::Error).then(|| told.error.clone());
            Some((is_first, ordered.told.len()))
        });
        match noted.flatten() {
            None => {
                let id = told.id;
                self.world
                    .fail(format!("the program of {ispb} hears of {id}, no order of its own"));
                None
            }
            Some((_, 2)) => {
                let id = told.id;
                let what = "that it is confirmed and that it failed";
                self.world.fail(format!("the program of {ispb} is told of {id} {what}"));
                None
            }
            Some((is_first, _)) => is_first.then_some(word),
        }
    }

    /// The payee's program is told of a transfer: it credits, whatever else it does.
    fn credit(self: &Arc<Self>, ispb: Ispb, told: &Told) {
        let (world, id, centavos) = (&self.world, told.id, told.centavos());
        self.must_be_news(ispb, id);
        let habits = world.plan.classic.habits;
        if world.unlucky(habits.misses) {
            self.tell(ispb, || format!("FAULT: cannot read {id}, and does not credit"));
            self.program(ispb, |it| it.missed.insert(id));
            return;
        }
        self.tell(ispb, || format!("credits {} of {id}", money(centavos)));
        self.program(ispb, |it| it.credited.insert(id, centavos));
        if world.unlucky(habits.silent) {
            return self.tell(ispb, || format!("FAULT: will never confirm {id}"));
        }
        let after = if world.unlucky(habits.late) {
            let late = world.chance.time(Duration::from_secs(20), Duration::from_secs(150));
            self.errs(ispb, || format!("will confirm {id} late, in {}", span(late)));
            late
        } else {
            world.chance.time(Duration::from_millis(1), Duration::from_secs(3))
        };
        self.say_later(ispb, id, "confirmed", after);
        if world.unlucky(habits.repeat) {
            let again = world.chance.time(Duration::ZERO, Duration::from_secs(90));
            self.errs(ispb, || format!("will confirm {id} twice"));
            self.say_later(ispb, id, "confirmed", after + again);
        }
    }

    /// The program says something of an order, later.
    pub(super) fn say_later(
        self: &Arc<Self>,
        ispb: Ispb,
        id: OrderId,
        status: &'static str,
        after: Duration,
    ) {
        let city = Arc::clone(self);
        self.later(ispb, after, async move {
            match status {
                "confirmed" => city.world.oracle().program_confirms(id),
                _ => city.world.oracle().program_completes(id),
            }
            let body = word(id, status, &city.world.chance);
            city.write(ispb, CONFIRMATIONS.address, body).await;
            city.tell(ispb, || format!("says that {id} is {status}"));
        });
    }
}
