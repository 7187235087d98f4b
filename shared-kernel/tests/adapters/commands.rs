//! Commands that are repeated: one effect, one answer, whoever repeats them and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use shared_kernel::application::batcher::{BatchLimits, BatchWorker, Batcher, batcher};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{
    ApplicationError, BatchCommand, BatchExecutor, CommandIdentity, CommandRunner, StoreError,
    Sweep,
};
use shared_kernel::domain::{Digest, Violation};
use shared_kernel::infrastructure::postgres::PgSession;
use shared_kernel::infrastructure::postgres::answers::ForgetAnswers;
use shared_kernel::infrastructure::postgres::session::Sessions;
use tokio::sync::Barrier;

use crate::world::{UNFIT, World, sorted, write_down};

#[derive(Clone, Debug)]
struct Note {
    scope: &'static str,
    key: String,
    text: String,
}

fn note(key: &str, text: &str) -> Note {
    Note { scope: "00000001/note", key: key.into(), text: text.into() }
}

/// Writes notes down; each answer has a number of its own.
struct WriteDown {
    sessions: Sessions,
    closed: AtomicBool,
    next: AtomicU64,
    /// Where the deciders of two processes meet, each inside its transaction.
    meet: Option<Arc<Barrier>>,
}

#[async_trait]
impl BatchCommand for WriteDown {
    type Command = Note;
    type Prepared = ();
    type Answer = String;
    type Transaction = PgSession;

    const OPERATION: &'static str = "write_down";

    fn identity(&self, note: &Note) -> Option<CommandIdentity> {
        let digest = Digest::of(&[note.text.as_bytes()]);
        Some(CommandIdentity { scope: note.scope.into(), key: note.key.clone(), digest })
    }

    async fn prepare(&self, notes: &[Note]) -> Vec<Result<(), ApplicationError>> {
        assert!(!notes.iter().any(|note| note.text == "frightful before"), "boo");
        notes.iter().map(|_| Ok(())).collect()
    }

    async fn begin(&self) -> Result<Box<PgSession>, StoreError> {
        self.sessions.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut PgSession,
        notes: &[(Note, ())],
    ) -> Result<Vec<Result<String, Violation>>, StoreError> {
        assert!(!notes.iter().any(|(note, ())| note.text == "frightful"), "boo");
        if self.closed.load(Ordering::SeqCst) {
            let closed = Violation::failed_precondition("closed", "text", "come back later");
            return Ok(notes.iter().map(|_| Err(closed.clone())).collect());
        }
        write_down(transaction, notes.iter().map(|(note, ())| note.text.clone()).collect()).await?;
        if let Some(meet) = &self.meet {
            meet.wait().await;
        }
        let answer = |(note, ()): &(Note, ())| {
            Ok(format!("{} #{}", note.text, self.next.fetch_add(1, Ordering::SeqCst)))
        };
        Ok(notes.iter().map(answer).collect())
    }
}

/// The command as one process has it.
fn process(
    world: &World,
    meet: Option<Arc<Barrier>>,
) -> (Arc<WriteDown>, CommandRunner<WriteDown>) {
    let use_case = Arc::new(WriteDown {
        sessions: world.sessions.clone(),
        closed: AtomicBool::new(false),
        next: AtomicU64::new(0),
        meet,
    });
    let book = Arc::new(world.sessions.clone());
    let runner = CommandRunner::new(Arc::clone(&use_case), book, Arc::new(Silent));
    (use_case, runner)
}

async fn one(runner: &CommandRunner<WriteDown>, note: Note) -> Result<String, ApplicationError> {
    runner.execute(vec![note]).await.remove(0)
}

fn code(outcome: &Result<String, ApplicationError>) -> &'static str {
    match outcome {
        Err(ApplicationError::Refused(violation)) => violation.code(),
        Err(ApplicationError::Unavailable(_)) => "unavailable",
        Ok(_) => "ok",
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_from_any_process() {
    let world = World::fresh().await;
    let (_, runner) = process(&world, None);
    assert_eq!(one(&runner, note("key", "text")).await.unwrap(), "text #0");
    assert_eq!(one(&runner, note("key", "text")).await.unwrap(), "text #0");
    let (_, restarted) = process(&world, None);
    assert_eq!(one(&restarted, note("key", "text")).await.unwrap(), "text #0");
    assert_eq!(world.read_notes().await, ["text"]);
    // The same key in another scope is another command.
    let elsewhere = Note { scope: "00000002/note", ..note("key", "other") };
    assert_eq!(one(&restarted, elsewhere).await.unwrap(), "other #0");
}

#[tokio::test]
async fn the_same_key_with_other_content_is_refused_and_does_nothing() {
    let world = World::fresh().await;
    let (_, runner) = process(&world, None);
    one(&runner, note("key", "text")).await.unwrap();
    assert_eq!(code(&one(&runner, note("key", "more")).await), "idempotency_key_reused");
    let both = runner.execute(vec![note("new", "one"), note("new", "two")]).await;
    assert_eq!(both.iter().map(code).collect::<Vec<_>>(), ["ok", "idempotency_key_reused"]);
    assert_eq!(world.read_notes().await, ["text", "one"]);
}

#[tokio::test]
async fn two_processes_that_decide_the_same_command_at_once_give_one_answer() {
    let world = World::fresh().await;
    let meet = Arc::new(Barrier::new(2));
    let (_, first) = process(&world, Some(Arc::clone(&meet)));
    let (_, second) = process(&world, Some(meet));
    // Both have decided, in open transactions, before either can store its answer. The loser
    // decides no second time, or it would wait at the barrier for ever.
    let (one_answer, other_answer) =
        tokio::join!(one(&first, note("key", "text")), one(&second, note("key", "text")));
    assert_eq!(one_answer.unwrap(), other_answer.unwrap());
    assert_eq!(world.read_notes().await, ["text"]);
}

#[tokio::test]
async fn fifty_at_once_have_one_effect_and_one_answer() {
    let world = World::fresh().await;
    let (stopping, stop) = stop_pair();
    let mut queues: Vec<Batcher<Note, String>> = Vec::new();
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let (_, runner) = process(&world, None);
        let limits = BatchLimits { queue_max: 64, batch_max: 7 };
        let (queue, workers) = batcher(Arc::new(runner), limits, 4);
        let run = |worker: BatchWorker<_>| tokio::spawn(worker.run(stop.clone()));
        tasks.extend(workers.into_iter().map(run));
        queues.push(queue);
    }
    let submit = |number: usize| queues[number % 2].submit(note("key", "text"));
    let answers: Vec<String> =
        join_all((0..50).map(submit)).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(world.read_notes().await, ["text"]);
    stopping.stop();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_command_is_judged_anew() {
    let world = World::fresh().await;
    let (use_case, runner) = process(&world, None);
    use_case.closed.store(true, Ordering::SeqCst);
    assert_eq!(code(&one(&runner, note("key", "text")).await), "closed");
    use_case.closed.store(false, Ordering::SeqCst);
    assert_eq!(one(&runner, note("key", "text")).await.unwrap(), "text #0");
    assert_eq!(world.read_notes().await, ["text"]);
}

#[tokio::test]
async fn one_that_breaks_the_store_or_panics_harms_no_other() {
    let world = World::fresh().await;
    let (_, runner) = process(&world, None);
    let texts = ["a", UNFIT, "b", "frightful", "c", "d", "frightful before", "e", "f"];
    let notes = texts.iter().map(|text| note(text, text)).collect();
    let outcomes: Vec<&str> = runner.execute(notes).await.iter().map(code).collect();
    let expected = texts.map(|text| if text.len() == 1 { "ok" } else { "internal_error" });
    assert_eq!(outcomes, expected);
    assert_eq!(sorted(world.read_notes().await), ["a", "b", "c", "d", "e", "f"]);
}

#[tokio::test]
async fn answers_are_forgotten_after_ninety_days_and_not_before() {
    let world = World::fresh().await;
    let (_, runner) = process(&world, None);
    for key in ["old", "young"] {
        one(&runner, note(key, key)).await.unwrap();
    }
    world
        .sql(
            "UPDATE probe.command_answer SET created_at = now() - \
             make_interval(days => CASE key WHEN 'old' THEN 91 ELSE 89 END)",
        )
        .await;
    let sweep = ForgetAnswers(world.sessions.clone());
    assert_eq!(sweep.sweep().await.unwrap(), 1);
    assert_eq!(sweep.sweep().await.unwrap(), 0);
    assert_eq!(one(&runner, note("young", "young")).await.unwrap(), "young #1");
    assert_eq!(one(&runner, note("old", "old")).await.unwrap(), "old #2", "decided anew");
}
