//! The runner of commands and its ports, one disturbance at a time.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mockall::Sequence;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::transaction::{AnswerBook, OffsetMove};
use shared_kernel::application::{
    Answers, ApplicationError, BatchCommand, BatchExecutor, CommandIdentity, CommandRunner,
    DeadLetter, Remembered, StoreError, Transaction,
};
use shared_kernel::domain::{Digest, Violation};

mockall::mock! {
    Store {}

    #[async_trait]
    impl Transaction for Store {
        async fn advance(&mut self, consumer: &str, moves: &[OffsetMove]) -> Result<(), StoreError>;
        async fn dead_letter(&mut self, letters: Vec<DeadLetter>) -> Result<(), StoreError>;
        async fn commit(self: Box<Self>) -> Result<(), StoreError>;
        async fn rollback(self: Box<Self>);
    }

    #[async_trait]
    impl Answers for Store {
        async fn remember(&mut self, answers: &[Remembered]) -> Result<(), StoreError>;
    }
}

mockall::mock! {
    Book {}

    #[async_trait]
    impl AnswerBook for Book {
        async fn remembered(
            &self,
            keys: &[(String, String)],
        ) -> Result<Vec<Remembered>, StoreError>;
    }
}

/// What the first decision answers, the second, … and which texts it was asked to decide.
struct Echo {
    transactions: Mutex<Vec<Result<Box<MockStore>, StoreError>>>,
    decided: Mutex<Vec<Vec<String>>>,
}

type Asked = (&'static str, &'static str);

/// Before the text of somebody who may not ask for it.
const STRANGER: &str = "stranger: ";

#[async_trait]
impl BatchCommand for Echo {
    type Command = Asked;
    type Prepared = ();
    type Answer = String;
    type Transaction = MockStore;

    const OPERATION: &'static str = "echo";

    fn authorize(&self, (_, text): &Asked) -> Result<(), Violation> {
        let stranger = || Violation::permission_denied("stranger", "caller", "a stranger");
        if text.starts_with(STRANGER) { Err(stranger()) } else { Ok(()) }
    }

    fn identity(&self, (key, text): &Asked) -> Option<CommandIdentity> {
        let content = text.strip_prefix(STRANGER).unwrap_or(text);
        let digest = Digest::of(&[content.as_bytes()]);
        let identity = CommandIdentity { scope: "bank/echo".into(), key: (*key).into(), digest };
        (*key != "no key").then_some(identity)
    }

    async fn prepare(&self, commands: &[Asked]) -> Vec<Result<(), ApplicationError>> {
        let refused = || Violation::not_found("nobody", "text", "nobody is there").into();
        commands
            .iter()
            .map(|(_, text)| if *text == "nobody" { Err(refused()) } else { Ok(()) })
            .collect()
    }

    async fn begin(&self) -> Result<Box<MockStore>, StoreError> {
        self.transactions.lock().unwrap().remove(0)
    }

    async fn decide(
        &self,
        _transaction: &mut MockStore,
        commands: &[(Asked, ())],
    ) -> Result<Vec<Result<String, Violation>>, StoreError> {
        let texts: Vec<String> = commands.iter().map(|((_, text), ())| (*text).into()).collect();
        self.decided.lock().unwrap().push(texts.clone());
        let no = Violation::failed_precondition("no", "text", "no");
        let answer = |text: String| if text == "no" { Err(no.clone()) } else { Ok(text) };
        Ok(texts.into_iter().map(answer).collect())
    }
}

struct World {
    use_case: Arc<Echo>,
    runner: CommandRunner<Echo>,
}

fn world(book: MockBook, transactions: Vec<Result<MockStore, StoreError>>) -> World {
    let transactions = transactions.into_iter().map(|it| it.map(Box::new)).collect();
    let use_case =
        Arc::new(Echo { transactions: Mutex::new(transactions), decided: Mutex::default() });
    let runner = CommandRunner::new(Arc::clone(&use_case), Arc::new(book), Arc::new(Silent));
    World { use_case, runner }
}

impl World {
    async fn run(&self, commands: &[Asked]) -> Vec<Result<String, &'static str>> {
        let outcomes = self.runner.execute(commands.to_vec()).await;
        let code = |error| match error {
            ApplicationError::Refused(violation) => Violation::code(&violation),
            ApplicationError::Unavailable(_) => "unavailable",
        };
        outcomes.into_iter().map(|outcome| outcome.map_err(code)).collect()
    }

    fn decided(&self) -> Vec<Vec<String>> {
        self.use_case.decided.lock().unwrap().clone()
    }
}

fn first(key: &str, text: &str) -> Remembered {
    Remembered {
        scope: "bank/echo".into(),
        key: key.into(),
        digest: Digest::of(&[text.as_bytes()]),
        answer: serde_json::value::to_raw_value(text).unwrap(),
    }
}

/// A book that says this, one entry per question.
fn book(answers: Vec<Result<Vec<Remembered>, StoreError>>) -> MockBook {
    let (mut book, mut order) = (MockBook::new(), Sequence::new());
    for answer in answers {
        book.expect_remembered().times(1).in_sequence(&mut order).return_once(move |_| answer);
    }
    book
}

/// A transaction that commits after it has remembered exactly these keys.
fn commits(keys: &'static [&'static str]) -> MockStore {
    let mut store = MockStore::new();
    if !keys.is_empty() {
        store
            .expect_remember()
            .withf(|answers| answers.iter().map(|answer| answer.key.as_str()).eq(keys.to_vec()))
            .times(1)
            .returning(|_| Ok(()));
    }
    store.expect_commit().times(1).returning(|| Ok(()));
    store
}

/// A transaction whose answers exist since.
fn conflicts() -> MockStore {
    let mut store = MockStore::new();
    store.expect_remember().returning(|_| Err(StoreError::Conflict("first".into())));
    store.expect_rollback().times(1).return_const(());
    store
}

#[tokio::test]
async fn what_is_known_is_answered_without_a_transaction() {
    let world = world(book(vec![Ok(vec![first("a", "text"), first("b", "other")])]), vec![]);
    let outcomes = world.run(&[("a", "text"), ("b", "text")]).await;
    assert_eq!(outcomes, [Ok("text".into()), Err("idempotency_key_reused")]);
    assert_eq!(world.decided().len(), 0);
}

#[tokio::test]
async fn equal_commands_of_a_batch_are_decided_once() {
    let world = world(book(vec![Ok(vec![])]), vec![Ok(commits(&["a"]))]);
    let outcomes = world.run(&[("a", "text"), ("a", "text"), ("a", "more"), ("a", "text")]).await;
    let text = || Ok("text".to_owned());
    assert_eq!(outcomes, [text(), text(), Err("idempotency_key_reused"), text()]);
    assert_eq!(world.decided(), [["text"]]);
}

#[tokio::test]
async fn refusals_are_not_remembered_and_followers_share_them() {
    let world = world(book(vec![Ok(vec![]), Ok(vec![])]), vec![Ok(commits(&["b"]))]);
    let asked = [("a", "no"), ("b", "yes"), ("c", "nobody"), ("a", "no"), ("no key", "no")];
    let outcomes = world.run(&asked).await;
    assert_eq!(outcomes, [Err("no"), Ok("yes".into()), Err("nobody"), Err("no"), Err("no")]);
    assert_eq!(world.decided(), [["no", "yes", "no"]]);
}

#[tokio::test]
async fn one_that_was_refused_for_the_effect_of_its_own_equal_gets_that_answer() {
    // Another process decided the same command after this one had looked for its answer.
    let book = book(vec![Ok(vec![]), Ok(vec![first("a", "no")])]);
    let world = world(book, vec![Ok(commits(&["b"]))]);
    let outcomes = world.run(&[("a", "no"), ("b", "yes"), ("a", "no")]).await;
    assert_eq!(outcomes, [Ok("no".into()), Ok("yes".into()), Ok("no".into())]);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_looked_up_again_is_not_told() {
    let down = Err(StoreError::Unavailable("down".into()));
    let world = world(book(vec![Ok(vec![]), down]), vec![Ok(commits(&[]))]);
    assert_eq!(world.run(&[("a", "no")]).await, [Err("unavailable")]);
}

#[tokio::test]
async fn commands_that_nobody_may_give_open_no_transaction() {
    let world = world(book(vec![Ok(vec![]), Ok(vec![])]), vec![]);
    assert_eq!(world.run(&[("a", "nobody")]).await, [Err("nobody")]);
}

#[tokio::test]
async fn commands_without_a_key_are_all_decided_and_never_looked_up() {
    let world = world(MockBook::new(), vec![Ok(commits(&[]))]);
    let outcomes = world.run(&[("no key", "one"), ("no key", "one")]).await;
    assert_eq!(outcomes, [Ok("one".into()), Ok("one".into())]);
    assert_eq!(world.decided(), [["one", "one"]]);
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let long: &'static str = "x".repeat(129).leak();
    let world = world(MockBook::new(), vec![]);
    let outcomes = world.run(&[("", "text"), (long, "text"), ("new\nline", "text")]).await;
    assert_eq!(
        outcomes,
        [Err("idempotency_key_shape"), Err("idempotency_key_shape"), Err("idempotency_key_shape")]
    );
}

#[tokio::test]
async fn one_that_was_first_elsewhere_gives_its_answer() {
    let book = book(vec![Ok(vec![]), Ok(vec![first("a", "text")])]);
    let world = world(book, vec![Ok(conflicts()), Ok(commits(&["b"]))]);
    let outcomes = world.run(&[("a", "text"), ("b", "other")]).await;
    assert_eq!(outcomes, [Ok("text".into()), Ok("other".into())]);
    assert_eq!(world.decided(), [vec!["text", "other"], vec!["other"]]);
}

#[tokio::test]
async fn a_conflict_without_end_is_told_to_the_one_that_has_it() {
    let mut book = MockBook::new();
    book.expect_remembered().returning(|_| Ok(vec![]));
    // 21 attempts together, then "a" alone 21 times, then "b".
    let mut transactions: Vec<_> = (0..42).map(|_| Ok(conflicts())).collect();
    transactions.push(Ok(commits(&["b"])));
    let world = world(book, transactions);
    let outcomes = world.run(&[("a", "text"), ("b", "other")]).await;
    assert_eq!(outcomes, [Err("unavailable"), Ok("other".into())]);
}

#[tokio::test]
async fn a_store_that_is_down_is_told_to_all_and_nothing_is_decided_again() {
    let down = || StoreError::Unavailable("down".into());
    let silent = world(book(vec![Err(down())]), vec![]);
    assert_eq!(silent.run(&[("a", "text")]).await, [Err("unavailable")]);
    let closed = world(book(vec![Ok(vec![])]), vec![Err(down())]);
    assert_eq!(
        closed.run(&[("a", "one"), ("b", "two")]).await,
        [Err("unavailable"), Err("unavailable")]
    );
    // Whether this one took effect is unknown: its repeat will tell.
    let mut lost = MockStore::new();
    lost.expect_remember().returning(|_| Ok(()));
    lost.expect_commit().returning(move || Err(down()));
    let lost = world(book(vec![Ok(vec![])]), vec![Ok(lost)]);
    assert_eq!(lost.run(&[("a", "text")]).await, [Err("unavailable")]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_licence_to_decide_again() {
    let mut unreadable = first("a", "text");
    unreadable.answer = serde_json::value::to_raw_value(&7).unwrap();
    let world = world(book(vec![Ok(vec![unreadable])]), vec![]);
    assert_eq!(world.run(&[("a", "text")]).await, [Err("internal_error")]);
}

#[tokio::test]
async fn a_repeat_beside_a_stranger_gets_the_first_answer_and_not_the_strangers_refusal() {
    let world = world(book(vec![Ok(vec![])]), vec![Ok(commits(&["k"]))]);
    let answers = world.run(&[("k", "pay"), ("k", "pay"), ("k", "stranger: pay")]).await;
    assert_eq!(answers, [Ok("pay".into()), Ok("pay".into()), Err("stranger")]);
    assert_eq!(world.decided(), [["pay"]]);
}
