//! Killed between any two steps, as often as one likes: nothing is lost and nothing is doubled.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use shared_kernel::application::consumer::{Consumer, ConsumerPorts, ConsumerSettings};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::relay::{Relay, RelayPorts, RelaySettings};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{Progress, StoreError};
use shared_kernel::testing::FixedClock;

use crate::log::{Log, Writer, text_of};
use crate::relay::{Rows, row};
use crate::store::{Fault, Notes, Store};

/// Drives a future for so many turns, then drops it as a kill does. True when it ended before.
fn lives(turns: usize, future: impl Future) -> bool {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..turns).any(|_| matches!(future.as_mut().poll(&mut context), Poll::Ready(_)))
}

fn consumer(log: &Arc<Log>, store: &Arc<Store>) -> Consumer<Notes> {
    let ports = ConsumerPorts {
        reader: Box::new(log.reader()),
        offsets: store.clone(),
        clock: Arc::new(FixedClock::default()),
        observer: Arc::new(Silent),
        progress: Arc::new(Progress::default()),
    };
    let settings = ConsumerSettings { batch_max: 5, ..ConsumerSettings::new("probe") };
    Consumer::new(settings, ports, Arc::new(Notes(Arc::clone(store))))
}

fn fault() -> impl Strategy<Value = Fault> {
    let error = || StoreError::Unavailable("down".into());
    prop_oneof![
        Just(Fault::Begin(error())),
        Just(Fault::Handle(error())),
        Just(Fault::Letters(error())),
        Just(Fault::Commit(error())),
        Just(Fault::Committed),
        Just(Fault::Overtaken),
    ]
}

proptest! {
    #[test]
    fn a_consumer_does_everything_once_and_in_order(
        lengths in prop::collection::vec(0..12_usize, 1..4),
        odd in prop::collection::btree_set(0..12_usize, 0..3),
        faults in prop::collection::vec(fault(), 0..12),
        lives_of in prop::collection::vec(1..60_usize, 0..12),
    ) {
        let texts = |number: usize, length: usize| -> Vec<String> {
            let text = |at| {
                if odd.contains(&at) { "unfit".to_owned() } else { format!("{number}/{at:02}") }
            };
            (0..length).map(text).collect()
        };
        let all: Vec<Vec<String>> =
            lengths.iter().enumerate().map(|(number, length)| texts(number, *length)).collect();
        let borrowed: Vec<Vec<&str>> =
            all.iter().map(|texts| texts.iter().map(String::as_str).collect()).collect();
        let slices: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
        let (log, store) = (Log::of(&slices), Store::failing(faults));
        let (_stopping, stop) = stop_pair();
        for turns in lives_of.into_iter().chain([10_000]) {
            prop_assert!(!lives(turns, consumer(&log, &store).run(stop.clone())));
        }
        let state = store.state();
        for (number, texts) in all.iter().enumerate() {
            let of_partition: Vec<&String> =
                state.effects.iter().filter(|it| it.starts_with(&format!("{number}/"))).collect();
            let good: Vec<&String> = texts.iter().filter(|text| *text != "unfit").collect();
            prop_assert_eq!(of_partition, good);
        }
        let unfit = all.iter().flatten().filter(|text| *text == "unfit").count();
        prop_assert_eq!(state.letters.len(), unfit);
        prop_assert!(state.letters.iter().all(|letter| text_of(&letter.record) == "unfit"));
    }

    #[test]
    fn a_relay_sends_everything_and_a_resend_changes_no_order_of_first_arrivals(
        rows in prop::collection::vec((0..3_u8, 1..4_usize), 0..12),
        broken_writes in 0..4_usize,
        lives_of in prop::collection::vec(1..40_usize, 0..8),
    ) {
        let outbox = Arc::new(Rows::default());
        let mut expected: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for (id, (key, records)) in (1..).zip(rows) {
            let of_key = expected.entry(key).or_default();
            let next = of_key.len();
            of_key.extend((next..).take(records).map(|version| format!("{key}/{version:02}")));
            outbox.append(row(id, &of_key[next..]));
        }
        let writer = Arc::new(Writer::default());
        *writer.failures.lock().unwrap() = broken_writes;
        let (stopping, stop) = stop_pair();
        for turns in lives_of {
            lives(turns, relay(&outbox, &writer).run(stop.clone()));
        }
        stopping.stop();
        while !outbox.is_empty() {
            lives(10_000, relay(&outbox, &writer).run(stop.clone()));
        }
        let written = writer.written.lock().unwrap();
        for (key, texts) in expected {
            let mut first = Vec::new();
            for text in written.iter().map(|it| String::from_utf8(it.payload.clone().unwrap())) {
                let text = text.unwrap();
                if text.starts_with(&format!("{key}/")) && !first.contains(&text) {
                    first.push(text);
                }
            }
            prop_assert_eq!(first, texts);
        }
    }
}

fn relay(outbox: &Arc<Rows>, writer: &Arc<Writer>) -> Relay {
    let ports = RelayPorts {
        outbox: outbox.clone(),
        log: writer.clone(),
        clock: Arc::new(FixedClock::default()),
        observer: Arc::new(Silent),
    };
    Relay::new(0, ports, RelaySettings { rows_max: 2, ..RelaySettings::default() })
}
