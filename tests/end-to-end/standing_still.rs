//! A hub that stands still in the middle of its work, with its locks: another one does the work,
//! and it does no harm when it goes on.

use std::time::Duration;

use tokio::sync::watch;

use crate::support::crowd::Crowd;
use crate::support::{Chance, HubOptions, TestHub, at_rest};

/// Transfers that the hub is asked for, some of them while it stands still.
const TRANSFERS: usize = 200;
/// Transfers that the other hub is asked for meanwhile.
const TRANSFERS_BESIDE: usize = 40;
/// How long the other hub may take, on a machine under load; the locks of the first end within a
/// minute.
const PATIENCE: Duration = Duration::from_mins(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_stands_still_is_replaced_and_does_no_harm_when_it_goes_on() {
    let mut chance = Chance::of_this_run();
    let still = TestHub::start().await;
    let at_still = still.scene();
    let crowd = Crowd::gather(&at_still, &mut chance, TRANSFERS).await;
    let beside = Crowd::gather(&at_still, &mut chance, TRANSFERS_BESIDE).await;
    // The first leads every shard; the second only follows.
    let next = still.beside(HubOptions { name: "next", ..HubOptions::default() }).await;
    let at_next = at_still.moved_to(next.client());

    let (scene, seen) = watch::channel(at_still);
    let (answered, mut counted) = watch::channel(0_usize);
    let standing_at = chance.below(TRANSFERS / 2).saturating_add(1);
    println!("the hub stands still after {standing_at} answers");
    let replaced = async {
        counted.wait_for(|count| *count >= standing_at).await.unwrap();
        still.pause();
        scene.send_replace(at_next.clone());
        let (_scene, seen) = watch::channel(at_next.clone());
        let (answered, _counted) = watch::channel(0);
        let paid = async {
            let answers = beside.pay(&seen, &answered).await;
            beside.has_paid(&at_next, &answers).await;
        };
        let done = tokio::time::timeout(PATIENCE, paid).await;
        still.resume();
        done.expect("the other hub completes transfers while the first stands still");
    };
    let (answers, ()) = futures::join!(crowd.pay(&seen, &answered), replaced);
    crowd.has_paid(&at_next, &answers).await;
    at_rest(&next, &at_next).await;
}
