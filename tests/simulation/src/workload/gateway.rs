//! How clients reach the hub: any process will do, calls get lost, and a client that learns
//! nothing asks again with the same key.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, join, join4, select};
use pix_keys::domain::PixKey;
use serde_json::Value;
use shared_kernel::application::{ApplicationError, Caller, TraceParent};
use shared_kernel::domain::AccountId;

use super::journal::{Told, apart};
use super::order::Order;
use crate::city::City;
use crate::executor::WORLD;
use crate::planted::{self, Bug};
use crate::words::Words as _;
use crate::world::SeededIds;

/// Told when the hub itself is at fault: a use case has panicked, or its store refused for ever.
const INTERNAL: &str = "internal_error";
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(6);

impl City {
    /// Asks once. `None`: what became of it is not known.
    pub(crate) async fn ask(self: &Arc<Self>, order: &Order) -> Option<Told> {
        let world = &self.world;
        world.delay(WORLD, "before a client's call arrives").await;
        let (node, facades) = self.pick(order.role())?;
        if world.unlucky(world.plan.rates.call) {
            world.fault(WORLD, || {
                format!("a call of {} is lost: {}", world.speaker(), order.words())
            });
            world.executor.sleep(PATIENCE).await;
            return None;
        }
        let asked_at = {
            let mut oracle = world.oracle();
            if order.is_let_in() {
                oracle.asks(order);
            }
            oracle.moment()
        };
        let trace = TraceParent::begin(&SeededIds::new(world));
        let (reply, answered) = oneshot::channel();
        let given = if world.has(Bug::EveryoneIsAnOperator) {
            order.clone().by(Caller::Operator)
        } else {
            order.clone()
        };
        let asked = given.ask(facades, trace);
        world.executor.spawn(node, async move {
            // The client may have given up.
            drop(reply.send(asked.await));
        });
        let answer: Result<Value, ApplicationError> =
            match select(answered, world.executor.sleep(PATIENCE)).await {
                Either::Left((Ok(answer), _)) => answer,
                Either::Left((Err(_), _)) | Either::Right(_) => {
                    world.tell(WORLD, || {
                        format!("{}: no answer: {}", world.speaker(), order.words())
                    });
                    return None;
                }
            };
        world.delay(WORLD, "before the answer reaches a client").await;
        if world.unlucky(world.plan.rates.call) {
            world.fault(WORLD, || {
                format!("an answer to {} is lost: {}", world.speaker(), order.words())
            });
            return None;
        }
        let told = self.told(order, answer)?;
        if order.is_let_in() {
            let finding = world.oracle().answered(order, &told, asked_at);
            if finding.is_err() {
                self.tell_answer(order, &told);
            }
            world.judge(finding);
        }
        Some(told)
    }

    /// What an answer tells its client, if anything.
    fn told(&self, order: &Order, answer: Result<Value, ApplicationError>) -> Option<Told> {
        let world = &self.world;
        match answer {
            Ok(answer) => {
                world.reach(format!("done: {}", order.kind()));
                Some(Told::Accepted(planted::answer(world, order, answer)))
            }
            Err(ApplicationError::Refused(refused)) => {
                if refused.code() == INTERNAL {
                    world.fail(format!("{}: the hub is at fault", order.words()));
                }
                world.reach(format!("refused: {}, {}", order.kind(), refused.code()));
                Some(Told::Refused(refused.code().into()))
            }
            Err(ApplicationError::Unavailable(_)) => None,
        }
    }

    /// Asks until it is known what became of it; sometimes twice at once.
    pub(crate) async fn learn(self: &Arc<Self>, order: &Order) -> Told {
        let world = &self.world;
        let known = self.named_by(order);
        let given_at = world.oracle().moment();
        self.journal().claim(order);
        loop {
            let is_founded = self.journal().is_founded;
            if is_founded && world.is_faulty() && world.chance.below(12) == 0 {
                self.ask_for_both(order).await;
            }
            let has_key = order.scope().is_some();
            let told = if has_key && world.is_faulty() && world.chance.below(8) == 0 {
                self.ask_at_once(order).await
            } else {
                self.ask(order).await
            };
            if let Some(told) = told {
                world.mark("told");
                self.tell_answer(order, &told);
                let is_lie = told == Told::Refused("key_not_found".into()) && known.is_some();
                if is_lie && known == self.named_by(order) {
                    let words = order.words();
                    world.fail(format!("{words}: refused as unknown, and the directory knows it"));
                }
                self.must_be_let_in(order, &told);
                let finding = world.oracle().paid_whom(order, &told, given_at);
                world.judge(finding);
                return told;
            }
            let pause = world.chance.time(Duration::from_millis(100), Duration::from_secs(3));
            world.executor.sleep(pause).await;
        }
    }

    /// What a client is told stands in the story before it is judged.
    fn tell_answer(&self, order: &Order, told: &Told) {
        self.world.tell(WORLD, || {
            format!("{}: {}: {}", self.world.speaker(), order.words(), told.words())
        });
    }

    /// The account that a payment's key names in the directory now, and since which version.
    fn named_by(&self, order: &Order) -> Option<(AccountId, i64)> {
        let Order::Pay(payment) = order else { return None };
        let key = PixKey::infer(payment.payee_key.as_str()).ok()?;
        self.pix_keys.look(|it| {
            let entry = it.tables.entries.get(&key)?;
            Some((entry.holding()?.account_id, entry.version()))
        })
    }

    /// Asks several times at once; now and then another bank does too, with a copy of the order.
    async fn ask_at_once(self: &Arc<Self>, order: &Order) -> Option<Told> {
        let ask = || Box::pin(self.ask(order));
        let speaker = || self.world.speaker();
        self.world.tell(WORLD, || format!("{}: asks more than once: {}", speaker(), order.words()));
        if self.world.chance.below(2) == 0 {
            let both = join(ask(), ask()).await;
            self.must_agree(order, &both);
            return both.0.or(both.1);
        }
        let strangers = join(Box::pin(self.intrude(order)), Box::pin(self.intrude(order)));
        let (first, second, third, _) = join4(ask(), ask(), ask(), strangers).await;
        for told in [&first, &second, &third].into_iter().flatten() {
            self.must_be_let_in(order, told);
        }
        self.must_agree(order, &(first.clone(), second.clone()));
        self.must_agree(order, &(second.clone(), third.clone()));
        self.must_agree(order, &(first.clone(), third.clone()));
        first.or(second).or(third)
    }

    /// The same key with two contents at once: one of them at most is accepted.
    async fn ask_for_both(self: &Arc<Self>, order: &Order) {
        let Some(other) = self.varied(order) else { return };
        let both = join(Box::pin(self.ask(order)), Box::pin(self.ask(&other))).await;
        self.world.tell(WORLD, || {
            let answer = both.1.as_ref().map_or_else(|| "no answer".to_owned(), Told::words);
            format!(
                "{}: asked at once, same key: {}: {answer}",
                self.world.speaker(),
                other.words()
            )
        });
        if let (Some(Told::Accepted(_)), Some(Told::Accepted(_))) = both {
            let words = order.words();
            self.world.fail(format!("{words}: accepted with two contents under one key"));
        }
    }

    /// Two equal orders at once get one answer, if both are accepted.
    fn must_agree(&self, order: &Order, both: &(Option<Told>, Option<Told>)) {
        // Nobody removes a crowded key: who finds it registered for itself was answered before.
        let contradicts = |one: &Option<Told>, other: &Option<Told>| {
            matches!((one, other), (Some(Told::Accepted(_)), Some(Told::Refused(code)))
                if code == "key_already_registered")
        };
        let is_crowded = matches!(order, Order::Register(wish)
            if wish.key.as_str().starts_with("crowded"));
        if is_crowded && (contradicts(&both.0, &both.1) || contradicts(&both.1, &both.0)) {
            let words = order.words();
            self.world.fail(format!("{words}: twice at once, once accepted and once refused"));
        }
        if let (Some(one @ Told::Accepted(_)), Some(other @ Told::Accepted(_))) = both
            && one != other
        {
            let words = order.words();
            self.world.fail(format!("{words}: twice at once, and answered {}", apart(one, other)));
        }
    }
}
