//! The directory of keys as a port, and what makes a call over the network bearable: a deadline, a
//! few retries, and a circuit breaker that spares a directory that is down (and its callers).
//!
//! All of it runs over the clock port, so that a simulator can run it too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use shared_kernel::application::{ApplicationError, Backoff, Clock, TraceParent};
use shared_kernel::domain::{EndToEndId, Ispb, TaxId, Timestamp, Violation};

use crate::domain::Party;

/// What the directory is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuestion {
    /// The key as the payer wrote it.
    pub key: String,
    /// The bank that asks.
    pub requester: Ispb,
    /// On whose behalf.
    pub payer_tax_id: TaxId,
    /// For which payment.
    pub end_to_end_id: EndToEndId,
    /// The trace of the request.
    pub trace: TraceParent,
}

/// The directory did not say whose key it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// It refuses the question, and would refuse it again.
    #[error(transparent)]
    Refused(#[from] Violation),
    /// It does not answer.
    #[error("the directory does not answer: {0}")]
    Unavailable(String),
}

/// A key that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Whose it is.
    pub owner: Party,
    /// The key as it was registered, where that is otherwise than the payer wrote it: a bank whose
    /// program is not ours finds it by that text alone.
    pub registered_as: Option<String>,
}

impl From<Party> for FoundKey {
    /// Registered as the payer wrote it.
    fn from(owner: Party) -> Self {
        Self { owner, registered_as: None }
    }
}

/// Knows whose key it is.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait KeyDirectory: Send + Sync {
    /// The key with its owner; `None` when no one has that key.
    async fn find(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError>;
}

/// Bounds of [`PatientDirectory`].
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long one question may take, all attempts together.
    pub deadline: Duration,
    /// Attempts of one question.
    pub attempts_max: u32,
    /// Delay before the second attempt; it doubles.
    pub retry_delay: Duration,
    /// Failures in a row after which nobody is asked for a while.
    pub failures_max: u32,
    /// How long nobody is asked then; afterwards one question tries again.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            attempts_max: 3,
            retry_delay: Duration::from_millis(50),
            failures_max: 20,
            pause: Duration::from_secs(2),
        }
    }
}

/// Whether questions are let through.
#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    failures: u32,
    /// Nobody is asked before that, if anything.
    closed_until: Option<Timestamp>,
}

/// A directory behind deadline, retries and circuit breaker.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct PatientDirectory {
    directory: Arc<dyn KeyDirectory>,
    clock: Arc<dyn Clock>,
    patience: Patience,
    breaker: Mutex<Breaker>,
}

impl PatientDirectory {
    /// Puts patience between us and a directory.
    pub fn new(
        directory: Arc<dyn KeyDirectory>,
        clock: Arc<dyn Clock>,
        patience: Patience,
    ) -> Self {
        Self { directory, clock, patience, breaker: Mutex::default() }
    }

    fn breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a question may go out now. After a pause one may; the pause begins anew for all
    /// others until that one is answered.
    fn admits(&self) -> bool {
        let now = self.clock.now();
        self.breaker(|breaker| match breaker.closed_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                breaker.closed_until = Some(now.saturating_add(self.patience.pause));
                true
            }
        })
    }

    fn answered(&self) {
        self.breaker(|breaker| *breaker = Breaker::default());
    }

    fn failed(&self) {
        let until = self.clock.now().saturating_add(self.patience.pause);
        self.breaker(|breaker| {
            breaker.failures = breaker.failures.saturating_add(1);
            if breaker.failures >= self.patience.failures_max {
                if breaker.closed_until.is_none() {
                    tracing::warn!(failures = breaker.failures, "the directory is spared a while");
                }
                breaker.closed_until = Some(until);
            }
        });
    }

    async fn ask(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
        let most = self.patience.deadline;
        let mut backoff = Backoff::new(self.patience.retry_delay, most);
        let mut attempt = 1_u32;
        loop {
            if !self.admits() {
                return Err(LookupError::Unavailable("it was down a moment ago".into()));
            }
            match self.directory.find(question).await {
                Err(LookupError::Unavailable(reason)) => {
                    self.failed();
                    if attempt >= self.patience.attempts_max {
                        return Err(LookupError::Unavailable(reason));
                    }
                    attempt = attempt.saturating_add(1);
                    self.clock.sleep(backoff.delay()).await;
                }
                answer => {
                    self.answered();
                    return answer;
                }
            }
        }
    }
}

#[async_trait]
impl KeyDirectory for PatientDirectory {
    async fn find(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
        let asking = Box::pin(self.ask(question));
        match select(asking, self.clock.sleep(self.patience.deadline)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => {
                self.failed();
                Err(LookupError::Unavailable("it did not answer in time".into()))
            }
        }
    }
}

impl From<LookupError> for ApplicationError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Refused(violation) => Self::Refused(violation),
            unavailable @ LookupError::Unavailable(_) => Self::Unavailable(unavailable.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use mockall::Sequence;
    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::stage::trace;
    use crate::domain::samples::{BANK_A, account, cpf, end_to_end_id, ispb};

    fn question() -> KeyQuestion {
        KeyQuestion {
            key: "ana@example.com".into(),
            requester: ispb(BANK_A),
            payer_tax_id: cpf(1),
            end_to_end_id: end_to_end_id(&account(BANK_A, 1, 0).party(), 1),
            trace: trace(),
        }
    }

    fn down() -> Result<Option<FoundKey>, LookupError> {
        Err(LookupError::Unavailable("down".into()))
    }

    fn patient(
        directory: MockKeyDirectory,
        patience: Patience,
    ) -> (PatientDirectory, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::default());
        (PatientDirectory::new(Arc::new(directory), clock.clone(), patience), clock)
    }

    #[tokio::test]
    async fn a_failure_is_tried_again_and_an_answer_is_final() {
        let (mut directory, mut order) = (MockKeyDirectory::new(), Sequence::new());
        let owner = account(BANK_A, 1, 0).party();
        directory.expect_find().times(2).in_sequence(&mut order).returning(|_| down());
        let found = FoundKey::from(owner);
        let answer = Ok(Some(found.clone()));
        directory.expect_find().times(1).in_sequence(&mut order).return_const(answer);
        let (patient, _) = patient(directory, Patience::default());
        assert_eq!(patient.find(&question()).await, Ok(Some(found)));
    }

    #[tokio::test]
    async fn attempts_are_bounded() {
        let mut directory = MockKeyDirectory::new();
        directory.expect_find().times(3).returning(|_| down());
        let (patient, _) = patient(directory, Patience::default());
        assert_eq!(patient.find(&question()).await, down());
    }

    #[tokio::test]
    async fn a_refusal_is_not_repeated() {
        let mut directory = MockKeyDirectory::new();
        let refusal = Violation::resource_exhausted("key_lookups_exhausted", "payee_key", "slow");
        let answer = Err(LookupError::Refused(refusal));
        directory.expect_find().times(1).return_const(answer.clone());
        let (patient, _) = patient(directory, Patience::default());
        assert_eq!(patient.find(&question()).await, answer);
    }

    /// A directory that never answers.
    struct Silent;

    #[async_trait]
    impl KeyDirectory for Silent {
        async fn find(&self, _question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
            pending().await
        }
    }

    #[tokio::test]
    async fn a_silent_directory_is_given_up_after_the_deadline() {
        let clock = Arc::new(FixedClock::default());
        let started = clock.now();
        let patient = PatientDirectory::new(Arc::new(Silent), clock.clone(), Patience::default());
        assert!(matches!(patient.find(&question()).await, Err(LookupError::Unavailable(_))));
        assert_eq!(clock.now().since(started), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn after_many_failures_nobody_is_asked_for_a_while_then_one_tries() {
        let patience = Patience { attempts_max: 1, failures_max: 3, ..Patience::default() };
        let (mut directory, mut order) = (MockKeyDirectory::new(), Sequence::new());
        directory.expect_find().times(3).in_sequence(&mut order).returning(|_| down());
        directory.expect_find().times(1).in_sequence(&mut order).returning(|_| down());
        directory.expect_find().times(2).in_sequence(&mut order).returning(|_| Ok(None));
        let (patient, clock) = patient(directory, patience);
        let ask = || async { patient.find(&question()).await };
        for _ in 0..5 {
            assert!(ask().await.is_err(), "three are asked, two are spared");
        }
        clock.advance(patience.pause);
        assert!(ask().await.is_err(), "the one that tries finds it still down");
        assert!(ask().await.is_err(), "and the others are spared again");
        clock.advance(patience.pause);
        assert_eq!(ask().await, Ok(None));
        assert_eq!(ask().await, Ok(None));
    }
}
