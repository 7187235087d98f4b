//! `kill -9` of the hub again and again while hundreds of transfers are under way.

use tokio::sync::watch;

use crate::support::crowd::Crowd;
use crate::support::operator::same_again;
use crate::support::{Chance, Scene, TestHub, at_rest};

/// Transfers of a run.
const TRANSFERS: usize = 500;
/// How often the hub dies while orders are given; once more it dies when all are given.
const DEATHS: usize = 5;

/// Kills the hub when certain numbers of orders were answered, and starts it again.
async fn reap(
    hub: &mut TestHub,
    deaths: Vec<usize>,
    scene: &watch::Sender<Scene>,
    mut answered: watch::Receiver<usize>,
) {
    for death in deaths {
        answered.wait_for(|count| *count >= death).await.unwrap();
        hub.kill();
        hub.restart().await;
        scene.send_modify(|scene| *scene = scene.moved_to(hub.client()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_transfers_survive_a_hub_that_dies_again_and_again() {
    let mut chance = Chance::of_this_run();
    let mut hub = TestHub::start().await;
    let first = hub.scene();
    let crowd = Crowd::gather(&first, &mut chance, TRANSFERS).await;
    let mut deaths: Vec<usize> =
        std::iter::repeat_with(|| chance.below(TRANSFERS)).take(DEATHS).collect();
    deaths.push(TRANSFERS);
    deaths.sort_unstable();
    println!("the hub dies after these numbers of answers: {deaths:?}");

    let (scene, seen) = watch::channel(first);
    let (answered, counted) = watch::channel(0);
    let (answers, ()) =
        futures::join!(crowd.pay(&seen, &answered), reap(&mut hub, deaths, &scene, counted),);
    let scene = scene.borrow().clone();
    crowd.has_paid(&scene, &answers).await;
    at_rest(&hub, &scene).await;
    same_again(&hub.servers, &["--dry-run"]).await;
}
