//! What goes wrong from outside, each kind in a loop of its own, as long as it may.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::redrive;
use crate::city::City;
use crate::executor::WORLD;

type Trouble = fn(Arc<City>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Some time, mostly short.
fn a_while(city: &City) -> Duration {
    let most = city.world.chance.one_of(&[1, 10, 45]).unwrap_or(1);
    city.world.chance.time(Duration::from_millis(50), Duration::from_secs(most))
}

/// From now on things go wrong: every trouble that the plan of the seed has begins.
pub(crate) fn begin(city: &Arc<City>) {
    city.world.say(WORLD, "begin", || "from now on things may go wrong".to_owned());
    city.world.begin_faults();
    let troubles = city.world.plan.troubles;
    let all: [(Option<Duration>, Trouble); 11] = [
        (troubles.kill, |city| Box::pin(async move { city.kill() })),
        (troubles.pause, |city| Box::pin(async move { city.pause(a_while(&city)).await })),
        (troubles.restart, |city| Box::pin(async move { city.restart().await })),
        (troubles.database, |city| {
            Box::pin(async move { city.restart_database(a_while(&city)).await })
        }),
        (troubles.broker, |city| {
            Box::pin(async move { city.restart_broker(a_while(&city)).await })
        }),
        (troubles.line, |city| Box::pin(async move { city.cut_off(a_while(&city)).await })),
        (troubles.rebalance, |city| Box::pin(async move { city.log.disturb() })),
        (troubles.clock, |city| Box::pin(async move { city.jump() })),
        (troubles.poison, |city| Box::pin(async move { city.spoil() })),
        (troubles.repeat, |city| Box::pin(async move { city.repeat() })),
        (troubles.redrive, |city| {
            Box::pin(async move {
                redrive(&city);
            })
        }),
    ];
    for (every, trouble) in all {
        let Some(every) = every else { continue };
        let city = Arc::clone(city);
        city.world.executor.clone().spawn(WORLD, async move {
            loop {
                let pause = city.world.chance.time(Duration::ZERO, every * 2);
                city.world.executor.sleep(pause).await;
                if !city.world.is_faulty() {
                    return;
                }
                trouble(Arc::clone(&city)).await;
            }
        });
    }
}
