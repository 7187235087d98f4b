//! The consumer and its ports, one disturbance at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared_kernel::application::consumer::{Consumer, ConsumerPorts, ConsumerSettings};
use shared_kernel::application::log::{LogError, Position};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::application::{Clock, Polled, Progress, StopSignal, StoreError};
use shared_kernel::testing::FixedClock;

use crate::log::{Log, partition, record};
use crate::store::{Fault, Notes, Store};

struct World {
    consumer: Consumer<Notes>,
    store: Arc<Store>,
    log: Arc<Log>,
    clock: Arc<FixedClock>,
    progress: Arc<Progress>,
    stop: StopSignal,
    stopping: StopHandle,
}

fn world(log: Arc<Log>, faults: impl IntoIterator<Item = Fault>) -> World {
    let (store, clock) = (Store::failing(faults), Arc::new(FixedClock::default()));
    let progress = Arc::new(Progress::default());
    let ports = ConsumerPorts {
        reader: Box::new(log.reader()),
        offsets: store.clone(),
        clock: clock.clone(),
        observer: Arc::new(Silent),
        progress: Arc::clone(&progress),
    };
    let settings = ConsumerSettings { batch_max: 64, ..ConsumerSettings::new("probe") };
    let consumer = Consumer::new(settings, ports, Arc::new(Notes(Arc::clone(&store))));
    let (stopping, stop) = stop_pair();
    World { consumer, store, log, clock, progress, stop, stopping }
}

impl World {
    async fn step(&mut self) -> Result<(), LogError> {
        self.consumer.step(&self.stop).await
    }

    async fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step().await.unwrap();
        }
    }

    fn effects(&self) -> Vec<String> {
        self.store.state().effects
    }

    fn slept(&self) -> Duration {
        self.clock.now().since(FixedClock::default().now())
    }
}

fn down() -> StoreError {
    StoreError::Unavailable("down".into())
}

fn batch(number: i32, offset: i64, text: &str) -> Polled {
    let (records, ends) = (vec![record(number, offset, text)], vec![partition(number)]);
    Polled::Batch { records, ends }
}

#[tokio::test]
async fn a_batch_its_offsets_and_its_ends() {
    let mut world = world(Log::of(&[&["a", "b"], &["c"]]), []);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a", "b", "c"]);
    let stored: Vec<i64> = world.store.state().offsets.into_values().collect();
    assert_eq!(stored, [2, 1]);
    assert_eq!(world.progress.at_end(), [partition(0), partition(1)]);
    let at = |number, next_offset| Position { at: partition(number), next_offset };
    assert_eq!(*world.log.reported.lock().unwrap(), [at(0, 2), at(1, 1)]);
    assert_eq!(world.store.transactions.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn transient_errors_are_waited_out_ever_longer() {
    let faults = [Fault::Begin(down()), Fault::Handle(down()), Fault::Commit(down())];
    let mut world = world(Log::of(&[&["a"]]), faults);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a"]);
    assert_eq!(world.slept(), Duration::from_millis(50 + 100 + 200));
}

#[tokio::test]
async fn a_commit_whose_answer_got_lost_is_not_done_twice() {
    let mut world = world(Log::of(&[&["a", "b"]]), [Fault::Committed]);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a", "b"]);
    assert_eq!(world.progress.at_end(), [], "it knows nothing of the end any more");
    world.steps(1).await;
    assert_eq!(world.effects(), ["a", "b"]);
    assert_eq!(world.progress.at_end(), [partition(0)]);
}

#[tokio::test]
async fn who_is_overtaken_undoes_its_work_and_claims_no_end() {
    let mut world = world(Log::of(&[&["a", "b"]]), [Fault::Overtaken]);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a", "b"], "as the other process left it");
    assert_eq!(world.progress.at_end(), []);
    world.steps(1).await;
    assert_eq!(world.progress.at_end(), [partition(0)]);
}

#[tokio::test]
async fn an_assignment_is_repeated_until_it_works() {
    let log = Log::of(&[&["a"]]);
    *log.refused_assignments.lock().unwrap() = 3;
    let mut world = world(log, []);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a"]);
    assert_eq!(world.slept(), Duration::from_millis(50 + 100 + 200));
}

#[tokio::test]
async fn an_assignment_that_does_not_work_is_left_when_the_group_has_a_new_word() {
    let log = Log::of(&[&["a"]]);
    *log.refused_assignments.lock().unwrap() = 3;
    log.word.store(true, Ordering::SeqCst);
    let mut world = world(Arc::clone(&log), []);
    world.steps(1).await;
    assert_eq!(*log.refused_assignments.lock().unwrap(), 2, "it was tried once");
    log.then(Ok(Polled::Revoked));
    world.steps(1).await;
    assert_eq!((world.effects(), world.slept()), (vec![], Duration::ZERO));
}

#[tokio::test]
async fn a_position_beyond_the_end_of_the_log_is_refused_before_anything_is_read() {
    let mut world = world(Log::of(&[&["a"], &["b"]]), []);
    world.store.state.lock().unwrap().offsets.insert(partition(1), 2);
    let error = world.step().await.unwrap_err();
    let LogError::Fatal(reason) = error else { panic!("{error:?}") };
    assert!(reason.contains("offset 2 of notes[1] lies beyond the end 1"), "{reason}");
    assert_eq!(world.effects(), [""; 0]);
}

#[tokio::test]
async fn what_arrives_after_the_partitions_were_taken_away_is_left_alone() {
    let log = Log::of(&[&[]]);
    log.then(Ok(Polled::Revoked));
    log.then(Ok(batch(0, 0, "stray")));
    let mut world = world(log, []);
    world.steps(3).await;
    assert_eq!(world.effects(), [""; 0]);
    assert_eq!(world.progress.at_end(), []);
}

#[tokio::test]
async fn a_record_behind_the_stored_offset_or_of_a_foreign_partition_is_left_alone() {
    let log = Log::of(&[&["a"]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    log.then(Ok(batch(0, 0, "again")));
    log.then(Ok(batch(7, 0, "foreign")));
    world.steps(2).await;
    assert_eq!(world.effects(), ["a"]);
}

#[tokio::test]
async fn one_that_can_never_succeed_is_found_by_halves() {
    let mut texts = vec!["good"; 63];
    texts.insert(41, "unfit");
    let mut world = world(Log::of(&[&texts]), []);
    world.steps(2).await;
    assert_eq!(world.effects(), ["good"; 63]);
    let letters = world.store.state().letters;
    assert_eq!((letters.len(), letters[0].record.offset), (1, 41));
    assert_eq!(letters[0].code, "handling_failed");
    // Six splits of 64, two attempts each, the whole, five more of the one, and the letter.
    assert_eq!(world.store.transactions.load(Ordering::SeqCst), 6 * 2 + 1 + 5 + 1);
    assert_eq!(world.progress.at_end(), [partition(0)]);
}

#[tokio::test]
async fn panics_conflicts_and_refusals_are_told_apart() {
    let mut world = world(Log::of(&[&["a", "frightful", "b", "clash", "odd", "c"]]), []);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a", "b", "c"]);
    let letters = world.store.state().letters;
    let codes: Vec<&str> = letters.iter().map(|letter| letter.code.as_str()).collect();
    assert_eq!(codes, ["handling_panicked", "handling_conflicts", "odd"]);
    assert!(letters[0].reason.contains("boo"), "{}", letters[0].reason);
    assert_eq!(letters[2].reason, "not even");
    assert!(letters.iter().all(|letter| letter.consumer == "probe"));
}

#[tokio::test]
async fn a_conflict_that_passes_costs_a_retry() {
    let conflict = || Fault::Handle(StoreError::Conflict("first".into()));
    let mut world = world(Log::of(&[&["a"]]), [conflict(), conflict()]);
    world.steps(2).await;
    assert_eq!(world.effects(), ["a"]);
    assert_eq!(world.store.state().letters, []);
}

#[tokio::test]
async fn a_refusal_that_passes_costs_a_record_retries_and_no_letter() {
    let refused = || Fault::Handle(StoreError::Rejected("encerrando a conexão".into()));
    let mut world = world(Log::of(&[&["a"]]), [refused(), refused(), refused()]);
    world.steps(2).await;
    assert_eq!((world.effects(), world.store.state().letters), (vec!["a".into()], vec![]));
    assert_eq!(world.slept(), Duration::from_millis(50 + 100 + 200));
}

#[tokio::test]
async fn a_letter_that_waits_for_the_database_is_written_in_the_end() {
    let faults = [Fault::Letters(down()), Fault::Letters(StoreError::Conflict("x".into()))];
    let mut world = world(Log::of(&[&["unfit"]]), faults);
    world.steps(2).await;
    assert_eq!(world.store.state().letters.len(), 1);
}

#[tokio::test]
async fn a_record_that_can_neither_be_handled_nor_set_aside_stops_the_consumer() {
    let refused = || Fault::Letters(StoreError::Rejected("no letters".into()));
    let mut world = world(Log::of(&[&["unfit"]]), std::iter::repeat_with(refused).take(6));
    world.steps(1).await;
    let error = world.step().await.unwrap_err();
    assert!(matches!(error, LogError::Fatal(_)), "{error:?}");
    assert_eq!(world.store.state().offsets[&partition(0)], 0, "nothing is skipped");
}

#[tokio::test]
async fn a_log_that_complains_is_asked_again_and_one_that_is_broken_stops_it() {
    let log = Log::of(&[&["a"]]);
    log.then(Err(LogError::Unavailable("down".into())));
    let mut world = world(Arc::clone(&log), []);
    world.steps(3).await;
    assert_eq!(world.effects(), ["a"]);
    log.then(Err(LogError::Fatal("an offset is gone".into())));
    let error = world.step().await.unwrap_err();
    assert_eq!(error.to_string(), "an offset is gone");
}

#[tokio::test]
async fn after_trouble_with_the_log_every_end_is_proved_anew() {
    let log = Log::of(&[&["a"]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    assert_eq!(world.progress.at_end(), [partition(0)]);
    log.then(Err(LogError::Unavailable("down".into())));
    world.steps(1).await;
    assert_eq!(world.progress.at_end(), []);
    world.steps(1).await;
    assert_eq!((world.effects(), world.progress.at_end()), (vec!["a".into()], vec![partition(0)]));
}

#[tokio::test]
async fn trouble_that_lasts_beyond_the_first_attempt_to_read_again_hides_no_end_for_ever() {
    let log = Log::of(&[&["a"], &[]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    assert_eq!(world.progress.at_end(), [partition(0), partition(1)]);
    log.then(Err(LogError::Unavailable("down".into())));
    *log.refused_assignments.lock().unwrap() = 2;
    world.steps(2).await;
    assert_eq!(*log.refused_assignments.lock().unwrap(), 0, "it is tried before each poll");
    assert_eq!(world.progress.at_end(), []);
    world.steps(1).await;
    assert_eq!(world.progress.at_end(), [partition(0), partition(1)]);
}

#[tokio::test]
async fn the_broker_is_asked_for_ends_when_somebody_waits_for_them() {
    let mut world = world(Log::of(&[&["a"], &[]]), []);
    world.steps(2).await;
    world.clock.advance(Duration::from_secs(9));
    let taken = record(0, 0, "a").broker_time;
    assert_eq!(world.progress.read_until(), [(partition(0), taken)], "nobody had asked");
    world.steps(1).await;
    let now = world.clock.now();
    assert_eq!(world.progress.read_until(), [(partition(0), now), (partition(1), now)]);
}

#[tokio::test]
async fn a_queue_that_is_empty_while_the_log_is_not_proves_nothing() {
    let log = Log::of(&[&[], &[]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    log.partitions.lock().unwrap().get_mut(&partition(0)).unwrap().push("unseen".into());
    log.then(Ok(Polled::Nothing));
    assert_eq!(world.progress.read_until(), []);
    world.steps(1).await;
    let then = world.clock.now();
    assert_eq!(world.progress.read_until(), [(partition(1), then)], "the other is read");
    world.steps(2).await;
    assert_eq!(world.effects(), ["unseen"]);
    assert_eq!(world.progress.at_end(), [partition(0), partition(1)]);
}

#[tokio::test]
async fn an_end_that_was_told_before_the_broker_was_asked_is_none() {
    let log = Log::of(&[&[]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(1).await;
    // The end lay in the queue when the record came; the broker is asked, then the end is taken.
    log.partitions.lock().unwrap().get_mut(&partition(0)).unwrap().push("unseen".into());
    log.then(Ok(Polled::Nothing));
    log.then(Ok(Polled::Batch { records: vec![], ends: vec![partition(0)] }));
    world.progress.read_until();
    world.steps(2).await;
    assert_eq!(world.progress.read_until(), []);
    world.steps(1).await;
    assert_eq!(
        (world.effects(), world.progress.at_end()),
        (vec!["unseen".into()], vec![partition(0)])
    );
}

#[tokio::test]
async fn an_end_behind_marks_of_transactions_is_reached_by_reading_again() {
    let log = Log::of(&[&[]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    log.marks.store(2, Ordering::SeqCst);
    for _ in 0..4 {
        world.progress.read_until();
        world.steps(1).await;
    }
    assert_eq!(world.progress.read_until(), [(partition(0), world.clock.now())]);
}

#[tokio::test]
async fn an_end_behind_marks_may_be_told_some_polls_after_it_is_read_again() {
    let log = Log::of(&[&[]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    log.marks.store(2, Ordering::SeqCst);
    for _ in 0..2 {
        world.progress.read_until();
        world.steps(1).await;
    }
    log.then(Ok(Polled::Nothing));
    for _ in 0..2 {
        assert_eq!(world.progress.read_until(), [], "its end is not told yet");
        world.steps(1).await;
    }
    assert_eq!(world.progress.read_until(), [(partition(0), world.clock.now())]);
}

#[tokio::test]
async fn an_end_before_what_was_read_is_the_word_of_another_log() {
    let log = Log::of(&[&["a"]]);
    let mut world = world(Arc::clone(&log), []);
    world.steps(2).await;
    world.clock.advance(Duration::from_secs(9));
    let taken = record(0, 0, "a").broker_time;
    log.marks.store(-1, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(world.progress.read_until(), [(partition(0), taken)], "it proves nothing");
        world.steps(1).await;
    }
    log.marks.store(0, Ordering::SeqCst);
    assert_eq!(world.progress.read_until(), [(partition(0), taken)]);
    world.steps(1).await;
    assert_eq!(world.progress.read_until(), [(partition(0), world.clock.now())]);
    assert_eq!(world.effects(), ["a"], "nothing is done twice");
}

#[tokio::test]
async fn a_stop_ends_the_retries_and_claims_no_end() {
    let faults = (0..100).map(|_| Fault::Begin(down()));
    let mut world = world(Log::of(&[&["a"]]), faults);
    world.steps(1).await;
    world.stopping.stop();
    world.step().await.unwrap();
    assert_eq!((world.effects(), world.progress.at_end()), (vec![], vec![]));
    let World { consumer, stop, log, .. } = world;
    consumer.run(stop).await.unwrap();
    assert_eq!(log.closed.load(Ordering::SeqCst), 1, "it leaves the group");
}
