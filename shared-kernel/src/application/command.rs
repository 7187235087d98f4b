//! Commands that may be repeated: the first answer is kept, a repeat gets it again.
//!
//! A command carries an idempotency key in a scope (bank, operation). The digest of its content
//! and its first answer are stored in the transaction of its effect. The same key with the same
//! content gets the first answer; with other content it is refused without effect; twice in one
//! batch it is folded; while the first is in flight the second is decided after it. Refused
//! commands are not remembered: a retry is judged anew.
//! Cost per batch: one read of known answers, one transaction.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::application::batcher::BatchExecutor;
use crate::application::error::ApplicationError;
use crate::application::observer::Observer;
use crate::application::transaction::{AnswerBook, Answers, Remembered, StoreError, Transaction};
use crate::domain::{Digest, Violation};

/// Longest idempotency key in bytes.
pub const KEY_BYTES_MAX: usize = 128;

/// What makes two commands the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandIdentity {
    /// `<ispb>/<operation>`.
    pub scope: String,
    /// The caller's idempotency key.
    pub key: String,
    /// Digest of everything the command asks for.
    pub digest: Digest,
}

/// A use case that changes something, over slices. One is a batch of one.
#[async_trait]
pub trait BatchCommand: Send + Sync + 'static {
    /// What is asked.
    type Command: Send + Sync + Clone + 'static;
    /// What was found out about it before the transaction (a lookup), `()` if nothing.
    type Prepared: Send + Sync + 'static;
    /// The answer: JSON when it is remembered.
    type Answer: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// The context's transaction.
    type Transaction: Answers + ?Sized;

    /// Name in metrics and logs, e.g. `request_transfer`.
    const OPERATION: &'static str;

    /// Whether its caller may ask this at all. Asked before anything else, so that not even the
    /// first answer to an equal command is shown to a stranger.
    ///
    /// # Errors
    /// The refusal.
    fn authorize(&self, _command: &Self::Command) -> Result<(), Violation> {
        Ok(())
    }

    /// The identity of a command; `None` for one that is idempotent by nature.
    fn identity(&self, command: &Self::Command) -> Option<CommandIdentity>;

    /// Checks the caller and finds out what the decision needs from elsewhere. No transaction is
    /// open. One result per command, in order.
    async fn prepare(
        &self,
        commands: &[Self::Command],
    ) -> Vec<Result<Self::Prepared, ApplicationError>>;

    /// Opens a transaction.
    async fn begin(&self) -> Result<Box<Self::Transaction>, StoreError>;

    /// Decides and saves inside the transaction. One result per command, in order; a refused
    /// command leaves no trace.
    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(Self::Command, Self::Prepared)],
    ) -> Result<Vec<Result<Self::Answer, Violation>>, StoreError>;
}

/// Runs a [`BatchCommand`] with idempotency, retries of conflicts, and isolation of a bad one.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct CommandRunner<U: BatchCommand> {
    use_case: Arc<U>,
    book: Arc<dyn AnswerBook>,
    observer: Arc<dyn Observer>,
}

/// How often a batch that met a concurrent one is decided anew before its callers are told.
const CONFLICTS_MAX: u32 = 20;

type Outcome<A> = Result<A, ApplicationError>;

impl<U: BatchCommand> CommandRunner<U> {
    /// A runner over the book of first answers.
    pub fn new(use_case: Arc<U>, book: Arc<dyn AnswerBook>, observer: Arc<dyn Observer>) -> Self {
        Self { use_case, book, observer }
    }

    /// Settles what is known or malformed, groups equal commands and decides the rest.
    async fn run(&self, commands: Vec<U::Command>) -> Vec<Outcome<U::Answer>> {
        let identities: Vec<Option<CommandIdentity>> =
            commands.iter().map(|command| self.use_case.identity(command)).collect();
        let mut outcomes: Vec<Option<Outcome<U::Answer>>> =
            identities.iter().map(|identity| key_refusal(identity.as_ref()).map(Err)).collect();
        for (command, outcome) in commands.iter().zip(&mut outcomes) {
            if let Err(refusal) = self.use_case.authorize(command) {
                *outcome = Some(Err(refusal.into()));
            }
        }
        let mut conflicts = 0_u32;
        let leaders = loop {
            if let Err(error) = self.recall(&identities, &mut outcomes).await {
                return finish(outcomes, &error.into());
            }
            let leaders = leaders(&identities, &mut outcomes);
            if leaders.is_empty() {
                return finish(outcomes, &ApplicationError::Unavailable("not decided".into()));
            }
            match self.decide(&commands, &identities, &leaders).await {
                Ok(answers) => {
                    for (index, answer) in leaders.iter().zip(answers) {
                        set(&mut outcomes, *index, answer);
                    }
                    self.recall_refused(&identities, &leaders, &mut outcomes).await;
                    break leaders;
                }
                Err(StoreError::Conflict(_)) if conflicts < CONFLICTS_MAX => {
                    conflicts = conflicts.saturating_add(1);
                }
                Err(error @ (StoreError::Rejected(_) | StoreError::Conflict(_))) => {
                    if leaders.len() == 1 {
                        tracing::error!(operation = U::OPERATION, %error, "a command fails");
                        return finish(outcomes, &hopeless(error));
                    }
                    // One of them is bad: found by halves, so that it harms no other.
                    for half in leaders.chunks(leaders.len().div_ceil(2)) {
                        let answers = Box::pin(self.run(pick(&commands, half))).await;
                        for (index, answer) in half.iter().zip(answers) {
                            set(&mut outcomes, *index, answer);
                        }
                    }
                    break leaders;
                }
                Err(error @ (StoreError::Unavailable(_) | StoreError::Fenced)) => {
                    return finish(outcomes, &error.into());
                }
            }
        };
        follow(&identities, &leaders, &mut outcomes);
        finish(outcomes, &ApplicationError::Unavailable("not decided".into()))
    }

    /// Answers repeats from the book.
    async fn recall(
        &self,
        identities: &[Option<CommandIdentity>],
        outcomes: &mut [Option<Outcome<U::Answer>>],
    ) -> Result<(), StoreError> {
        let open = || identities.iter().zip(&*outcomes).filter(|(_, outcome)| outcome.is_none());
        let keys: Vec<(String, String)> = open()
            .filter_map(|(identity, _)| identity.as_ref())
            .map(|identity| (identity.scope.clone(), identity.key.clone()))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let known: HashMap<(String, String), Remembered> = self
            .book
            .remembered(&keys)
            .await?
            .into_iter()
            .map(|answer| ((answer.scope.clone(), answer.key.clone()), answer))
            .collect();
        for (identity, outcome) in identities.iter().zip(outcomes.iter_mut()) {
            let (Some(identity), None) = (identity, &outcome) else { continue };
            if let Some(first) = known.get(&(identity.scope.clone(), identity.key.clone())) {
                *outcome = Some(replay(identity, first));
            }
        }
        Ok(())
    }

    /// Looks refused commands up once more. What refused one may be the effect of its own equal,
    /// which another worker or process decided after this one had looked; that effect was
    /// committed together with its answer, so the answer is in the book by now.
    async fn recall_refused(
        &self,
        identities: &[Option<CommandIdentity>],
        leaders: &[usize],
        outcomes: &mut [Option<Outcome<U::Answer>>],
    ) {
        let mut refused = Vec::new();
        for index in leaders {
            let has_identity = identities.get(*index).is_some_and(Option::is_some);
            let is_refusal = |outcome: &mut Outcome<U::Answer>| {
                has_identity && matches!(outcome, Err(ApplicationError::Refused(_)))
            };
            let refusal = outcomes.get_mut(*index).and_then(|slot| slot.take_if(is_refusal));
            refused.extend(refusal.map(|refusal| (*index, refusal)));
        }
        if refused.is_empty() {
            return;
        }
        let unread = self.recall(identities, outcomes).await.err();
        for (index, refusal) in refused {
            let Some(slot) = outcomes.get_mut(index).filter(|slot| slot.is_none()) else {
                continue;
            };
            *slot = Some(match &unread {
                None => refusal,
                Some(error) => Err(error.clone().into()),
            });
        }
    }

    /// Decides the leaders in one transaction and remembers their answers.
    async fn decide(
        &self,
        commands: &[U::Command],
        identities: &[Option<CommandIdentity>],
        leaders: &[usize],
    ) -> Result<Vec<Outcome<U::Answer>>, StoreError> {
        let chosen = pick(commands, leaders);
        let preparing = AssertUnwindSafe(self.use_case.prepare(&chosen)).catch_unwind();
        let panicked = |_panic| StoreError::Rejected("preparing the command panicked".into());
        let prepared = preparing.await.map_err(panicked)?;
        let mut answers: Vec<Option<Outcome<U::Answer>>> = Vec::new();
        let mut ready = Vec::new();
        for (command, prepared) in chosen.into_iter().zip(prepared) {
            match prepared {
                Ok(prepared) => {
                    answers.push(None);
                    ready.push((command, prepared));
                }
                Err(error) => answers.push(Some(Err(error))),
            }
        }
        if !ready.is_empty() {
            let mut transaction = self.use_case.begin().await?;
            let deciding = AssertUnwindSafe(self.use_case.decide(&mut *transaction, &ready));
            let decided = match deciding.catch_unwind().await {
                Ok(Ok(decided)) => decided,
                Ok(Err(error)) => {
                    transaction.rollback().await;
                    return Err(error);
                }
                Err(_panic) => {
                    transaction.rollback().await;
                    return Err(StoreError::Rejected("deciding the command panicked".into()));
                }
            };
            let mut decided = decided.into_iter();
            for answer in answers.iter_mut().filter(|answer| answer.is_none()) {
                *answer = decided.next().map(|outcome| outcome.map_err(Into::into));
            }
            let known = |index: &usize| identities.get(*index).and_then(Option::as_ref);
            let firsts: Vec<Remembered> = leaders
                .iter()
                .map(known)
                .zip(&answers)
                .filter_map(|(identity, answer)| first_answer(identity?, answer.as_ref()?))
                .collect();
            let refused = answers.iter().filter(|answer| matches!(answer, Some(Err(_)))).count();
            let total = answers.len();
            save(transaction, &firsts).await?;
            self.observer.commands_decided(U::OPERATION, total, refused);
        }
        let lost = || Err(ApplicationError::Unavailable("not decided".into()));
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect())
    }
}

#[async_trait]
impl<U: BatchCommand> BatchExecutor for CommandRunner<U> {
    type Request = U::Command;
    type Answer = U::Answer;

    async fn execute(&self, commands: Vec<U::Command>) -> Vec<Outcome<U::Answer>> {
        self.run(commands).await
    }
}

/// Remembers the first answers and commits; nothing happened if either fails.
async fn save<T: Answers + ?Sized>(
    mut transaction: Box<T>,
    firsts: &[Remembered],
) -> Result<(), StoreError> {
    if !firsts.is_empty()
        && let Err(error) = transaction.remember(firsts).await
    {
        transaction.rollback().await;
        return Err(error);
    }
    transaction.commit().await
}

fn pick<C: Clone>(commands: &[C], indices: &[usize]) -> Vec<C> {
    indices.iter().filter_map(|index| commands.get(*index).cloned()).collect()
}

fn set<A>(outcomes: &mut [Option<Outcome<A>>], index: usize, outcome: Outcome<A>) {
    if let Some(slot) = outcomes.get_mut(index) {
        *slot = Some(outcome);
    }
}

fn finish<A>(outcomes: Vec<Option<Outcome<A>>>, otherwise: &ApplicationError) -> Vec<Outcome<A>> {
    let settle = |outcome: Option<Outcome<A>>| outcome.unwrap_or_else(|| Err(otherwise.clone()));
    outcomes.into_iter().map(settle).collect()
}

/// What is told of a command that failed alone. A conflict without end may end.
fn hopeless(error: StoreError) -> ApplicationError {
    match error {
        StoreError::Rejected(_) => ApplicationError::internal(),
        passing @ (StoreError::Conflict(_) | StoreError::Unavailable(_) | StoreError::Fenced) => {
            passing.into()
        }
    }
}

/// Refuses a key that is no key.
fn key_refusal(identity: Option<&CommandIdentity>) -> Option<ApplicationError> {
    let key = &identity?.key;
    let bad = key.is_empty() || key.len() > KEY_BYTES_MAX || key.chars().any(char::is_control);
    bad.then(|| {
        Violation::invalid(
            "idempotency_key_shape",
            "idempotency_key",
            format!("an idempotency key has 1 to {KEY_BYTES_MAX} bytes of printable text"),
        )
        .into()
    })
}

/// The first command of each identity that is still open; others with other content are refused.
fn leaders<A>(
    identities: &[Option<CommandIdentity>],
    outcomes: &mut [Option<Outcome<A>>],
) -> Vec<usize> {
    let mut first: HashMap<(&str, &str), &Digest> = HashMap::new();
    let mut leaders = Vec::new();
    for (index, identity) in identities.iter().enumerate() {
        if outcomes.get(index).is_none_or(Option::is_some) {
            continue;
        }
        let Some(identity) = identity else {
            leaders.push(index);
            continue;
        };
        match first.get(&(identity.scope.as_str(), identity.key.as_str())) {
            None => {
                first.insert((&identity.scope, &identity.key), &identity.digest);
                leaders.push(index);
            }
            Some(digest) if **digest == identity.digest => {}
            Some(_) => set(outcomes, index, Err(reused(identity))),
        }
    }
    leaders
}

/// Gives every follower of a decided leader the leader's answer; never that of a stranger, who was
/// turned away with the same command.
fn follow<A: Clone>(
    identities: &[Option<CommandIdentity>],
    leaders: &[usize],
    outcomes: &mut [Option<Outcome<A>>],
) {
    let answered =
        |index: &usize| Some((identities.get(*index)?.as_ref()?, outcomes.get(*index)?.clone()?));
    let decided: Vec<(&CommandIdentity, Outcome<A>)> =
        leaders.iter().filter_map(answered).collect();
    let by_identity: HashMap<(&str, &str, &Digest), &Outcome<A>> = decided
        .iter()
        .map(|(identity, outcome)| {
            ((identity.scope.as_str(), identity.key.as_str(), &identity.digest), outcome)
        })
        .collect();
    for (identity, outcome) in identities.iter().zip(outcomes.iter_mut()) {
        let (Some(identity), None) = (identity, &outcome) else { continue };
        let same = (identity.scope.as_str(), identity.key.as_str(), &identity.digest);
        *outcome = by_identity.get(&same).map(|answer| (*answer).clone());
    }
}

fn replay<A: DeserializeOwned>(identity: &CommandIdentity, first: &Remembered) -> Outcome<A> {
    if first.digest != identity.digest {
        return Err(reused(identity));
    }
    serde_json::from_str(first.answer.get()).map_err(|error| {
        tracing::error!(scope = identity.scope, %error, "a first answer is unreadable");
        ApplicationError::internal()
    })
}

fn reused(identity: &CommandIdentity) -> ApplicationError {
    Violation::already_exists(
        "idempotency_key_reused",
        "idempotency_key",
        format!(
            "the idempotency key {:?} was used before with other content; use a new key",
            identity.key
        ),
    )
    .into()
}

fn first_answer<A: Serialize>(
    identity: &CommandIdentity,
    answer: &Outcome<A>,
) -> Option<Remembered> {
    let answer = serde_json::value::to_raw_value(answer.as_ref().ok()?).ok()?;
    let CommandIdentity { scope, key, digest } = identity.clone();
    Some(Remembered { scope, key, digest, answer })
}
