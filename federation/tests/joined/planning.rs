//! Large documents that are not known are planned one at a time, beside everything else.

use std::pin::pin;
use std::sync::mpsc::channel;
use std::time::Duration;

use async_graphql::{Executor, Request};
use federation::Limits;
use futures::{FutureExt, poll};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::{advance, pause};

use crate::cases::errors_of;
use crate::shop::Shop;

const KNOWN: &str = "{ known: __typename }";

/// A document that is not planned at once.
fn large(alias: &str) -> String {
    format!("{{ {alias}: me {{ {} }} }}", "id ".repeat(50))
}

/// One that has few fields, and whose fragments validation compares with one another.
fn of_fragments() -> String {
    let uses = (0..25).map(|it| format!(" fragment f{it} on User {{ ...id }}"));
    "{ me { id } } fragment id on User { id }".to_owned() + &uses.collect::<String>()
}

#[test]
fn an_unknown_document_holds_up_no_other_and_the_next_waits_for_its_turn() {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    runtime.unwrap().block_on(async {
        let limits = Limits::default();
        let graph = Shop::with(limits).graph;
        assert!(graph.execute(Request::new(KNOWN)).await.is_ok());
        // Work that takes its time has one thread here, and it is taken.
        let (release, taken) = channel::<()>();
        let work = spawn_blocking(move || taken.recv());
        let mut first = pin!(graph.execute(Request::new(large("first"))));
        let mut second = pin!(graph.execute(Request::new(large("second"))));
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        assert!(poll!(pin!(graph.execute(Request::new(of_fragments())))).is_pending());
        let known = graph.execute(Request::new(KNOWN)).now_or_never();
        assert!(known.is_some_and(|answer| answer.is_ok()));
        let small = graph.execute(Request::new("{ small: __typename }")).now_or_never();
        assert!(small.is_some_and(|answer| answer.is_ok()), "it is planned at once");
        pause();
        advance(2 * Duration::from_millis(limits.turn_ms_max)).await;
        let refused = serde_json::to_value(second.await).unwrap();
        assert_eq!(errors_of(&refused), [("too_many_queries".to_owned(), String::new())]);
        drop(release);
        assert!(first.await.is_ok());
        assert!(graph.execute(Request::new(large("second"))).await.is_ok());
        assert!(work.await.unwrap().is_err(), "nobody said anything");
    });
}
