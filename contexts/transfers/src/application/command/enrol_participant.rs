//! Enrols a bank, or changes its name, its limit or its protocol.
//!
//! Idempotent by nature: the same enrolment again changes nothing. A bank's topic exists before its
//! row is committed, so that nothing is ever sent to a topic that is not there. The protocol
//! changes only while nothing of the bank is under way: what was begun goes on as it began.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::command::CommandIdentity;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Caller, Clock, StoreError, TraceParent,
};
use shared_kernel::domain::{BankCode, Ispb, Violation};

use crate::application::ports::{
    BankTopics, SavedParticipant, TransfersStore, TransfersTransaction,
};
use crate::domain::{
    Enrolment, LimitWish, Participant, ParticipantEvent, ParticipantName, Protocol,
};

/// The order of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolParticipant {
    /// Who asks.
    pub caller: Caller,
    /// In which trace.
    pub trace: TraceParent,
    /// The bank's ISPB; its code in upper case, padded left with zeros, when absent.
    pub ispb: Option<Ispb>,
    /// The bank's code.
    pub code: BankCode,
    /// Its name.
    pub name: ParticipantName,
    /// How the hub will talk to it: as it does when absent, natively with a new bank.
    pub protocol: Option<Protocol>,
    /// Most that it may owe.
    pub position_limit: LimitWish,
}

impl EnrolParticipant {
    fn enrolment(&self) -> Result<Enrolment, Violation> {
        self.caller.must_be_operator()?;
        let Self { code, name, protocol, position_limit, .. } = self.clone();
        let ispb = self.ispb.map_or_else(|| Enrolment::default_ispb(&code), Ok)?;
        let enrolment = Enrolment { ispb, code, name, protocol, position_limit };
        enrolment.check()?;
        Ok(enrolment)
    }
}

/// Decides enrolments.
pub struct EnrolParticipantHandler {
    store: Arc<dyn TransfersStore>,
    topics: Arc<dyn BankTopics>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for EnrolParticipantHandler {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EnrolParticipantHandler").finish_non_exhaustive()
    }
}

impl EnrolParticipantHandler {
    /// A handler over the hub's store and the log's topics.
    pub fn new(
        store: Arc<dyn TransfersStore>,
        topics: Arc<dyn BankTopics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, topics, clock }
    }

    /// Decides one enrolment over the banks known so far.
    fn enrol(
        &self,
        banks: &mut BTreeMap<Ispb, Participant>,
        busy: &[Ispb],
        enrolment: &Enrolment,
    ) -> Result<(Participant, Option<ParticipantEvent>), Violation> {
        if let Some(known) = banks.get_mut(&enrolment.ispb) {
            let event = known.change(enrolment)?;
            if is_switch(enrolment, known) && busy.contains(&known.ispb) {
                return Err(Violation::failed_precondition(
                    "bank_has_open_transfers",
                    "protocol",
                    format!("bank {} changes its protocol when no transfer is open", known.ispb),
                ));
            }
            if let Some(event) = &event {
                known.apply(event);
            }
            return Ok((known.clone(), event));
        }
        if let Some(other) = banks.values().find(|bank| bank.code == enrolment.code) {
            return Err(Violation::already_exists(
                "bank_code_taken",
                "code",
                format!("the code {} is that of bank {}", other.code, other.ispb),
            ));
        }
        let mut bank = Participant::of(enrolment.clone(), self.clock.now());
        bank.apply(&ParticipantEvent::Enrolled);
        banks.insert(bank.ispb, bank.clone());
        Ok((bank, Some(ParticipantEvent::Enrolled)))
    }
}

/// Whether the enrolment asks for another protocol than the bank has.
fn is_switch(enrolment: &Enrolment, bank: &Participant) -> bool {
    enrolment.protocol.is_some_and(|wanted| wanted != bank.protocol)
}

#[async_trait]
impl BatchCommand for EnrolParticipantHandler {
    type Command = EnrolParticipant;
    type Prepared = Enrolment;
    type Answer = Participant;
    type Transaction = dyn TransfersTransaction;

    const OPERATION: &'static str = "enrol_participant";

    fn identity(&self, _command: &EnrolParticipant) -> Option<CommandIdentity> {
        None
    }

    async fn prepare(
        &self,
        commands: &[EnrolParticipant],
    ) -> Vec<Result<Enrolment, ApplicationError>> {
        commands.iter().map(|command| command.enrolment().map_err(Into::into)).collect()
    }

    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(EnrolParticipant, Enrolment)],
    ) -> Result<Vec<Result<Participant, Violation>>, StoreError> {
        let enrolments = || commands.iter().map(|(_, enrolment)| enrolment);
        let ispbs: Vec<Ispb> = enrolments().map(|enrolment| enrolment.ispb).collect();
        let codes: Vec<BankCode> = enrolments().map(|enrolment| enrolment.code.clone()).collect();
        let known = transaction.lock_enrolled(&ispbs, &codes).await?;
        let changing = |bank: &&Participant| {
            enrolments().any(|it| it.ispb == bank.ispb && is_switch(it, bank))
        };
        let changing: Vec<Ispb> = known.iter().filter(changing).map(|bank| bank.ispb).collect();
        let busy = if changing.is_empty() {
            Vec::new()
        } else {
            transaction.with_open_transfers(&changing).await?
        };
        let mut banks = known.into_iter().map(|bank| (bank.ispb, bank)).collect();
        let mut saved = Vec::new();
        let mut answers = Vec::new();
        for (command, enrolment) in commands {
            let decided = self.enrol(&mut banks, &busy, enrolment);
            if let Ok((participant, Some(event))) = &decided {
                let (participant, event) = (participant.clone(), event.clone());
                saved.push(SavedParticipant { participant, event, trace: command.trace.clone() });
            }
            answers.push(decided.map(|(participant, _)| participant));
        }
        // Unchanged banks too: an enrolment that is repeated makes good a topic that was lost.
        let enrolled: Vec<Participant> = answers.iter().flatten().cloned().collect();
        if !enrolled.is_empty() {
            self.topics.ensure(&enrolled).await?;
        }
        if !saved.is_empty() {
            transaction.save_participants(&saved).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use shared_kernel::application::BatchExecutor;
    use shared_kernel::application::command::CommandRunner;
    use shared_kernel::application::observer::Silent;
    use shared_kernel::domain::Money;
    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::testing::{Bench, MemoryStore, NoBook, ordered, trace};
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, classic, ispb, order};

    mockall::mock! {
        Topics {}

        #[async_trait]
        impl BankTopics for Topics {
            async fn ensure(&self, banks: &[Participant]) -> Result<(), StoreError>;
            async fn ensure_outside(&self, topics: &[String]) -> Result<(), StoreError>;
            async fn outside(&self, topics: &[String]) -> Result<Vec<String>, StoreError>;
        }
    }

    fn enrol(code: &str) -> EnrolParticipant {
        EnrolParticipant {
            caller: Caller::Operator,
            trace: trace(3),
            ispb: None,
            code: BankCode::parse(code).unwrap(),
            name: ParticipantName::parse("Bank").unwrap(),
            protocol: None,
            position_limit: LimitWish::AsItIs,
        }
    }

    async fn run(
        store: &MemoryStore,
        topics: MockTopics,
        commands: Vec<EnrolParticipant>,
    ) -> Vec<Result<Participant, ApplicationError>> {
        let clock = Arc::new(FixedClock::at(at(0)));
        let handler =
            EnrolParticipantHandler::new(Arc::new(store.clone()), Arc::new(topics), clock);
        let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
        runner.execute(commands).await
    }

    fn willing() -> MockTopics {
        let mut topics = MockTopics::new();
        topics.expect_ensure().returning(|_| Ok(()));
        topics
    }

    fn codes(answers: Vec<Result<Participant, ApplicationError>>) -> Vec<&'static str> {
        let code = |answer| match answer {
            Ok(_) => "ok",
            Err(ApplicationError::Refused(violation)) => Violation::code(&violation),
            Err(ApplicationError::Unavailable(_)) => "unavailable",
        };
        answers.into_iter().map(code).collect()
    }

    #[tokio::test]
    async fn a_bank_is_enrolled_once() {
        let store = MemoryStore::default();
        let twice = vec![enrol("001"), enrol("001")];
        let answers = run(&store, willing(), twice).await;
        assert_eq!(answers[0], answers[1]);
        let bank = answers[0].as_ref().unwrap();
        assert_eq!((bank.ispb, bank.version), (ispb("00000001"), 1));
        assert_eq!(codes(run(&store, willing(), vec![enrol("001")]).await), ["ok"]);
        let tables = store.tables();
        assert_eq!(tables.banks_told, [(ispb("00000001"), ParticipantEvent::Enrolled)]);
        assert!(tables.positions.contains_key(&ispb("00000001")));
    }

    #[tokio::test]
    async fn name_and_limit_change_and_are_told() {
        let store = MemoryStore::default();
        run(&store, willing(), vec![enrol("001")]).await;
        let limit = Money::from_centavos(100);
        let change = EnrolParticipant { position_limit: LimitWish::Most(limit), ..enrol("001") };
        let answers = run(&store, willing(), vec![change]).await;
        let bank = answers[0].as_ref().unwrap();
        assert_eq!((bank.position_limit, bank.version), (Some(limit), 2));
        assert_eq!(store.tables().banks_told.len(), 2);
    }

    #[tokio::test]
    async fn each_refusal_has_its_code_and_leaves_no_trace() {
        let store = MemoryStore::default();
        run(&store, willing(), vec![enrol("001")]).await;
        let nobody = Caller::Bank(ispb("00000001"));
        let (nine, below) = (Some(ispb("00000009")), Money::from_centavos(-1));
        let commands = vec![
            EnrolParticipant { caller: nobody, ..enrol("002") },
            enrol("1234567890"),
            EnrolParticipant { position_limit: LimitWish::Most(below), ..enrol("002") },
            EnrolParticipant { ispb: nine, ..enrol("001") },
            EnrolParticipant { ispb: Some(ispb("00000001")), ..enrol("002") },
        ];
        let mut topics = MockTopics::new();
        topics.expect_ensure().never();
        let expected = [
            "operator_only",
            "ispb_required",
            "position_limit_negative",
            "bank_code_taken",
            "bank_code_fixed",
        ];
        assert_eq!(codes(run(&store, topics, commands).await), expected);
        assert_eq!(store.tables().participants.len(), 1);
        assert_eq!(store.tables().banks_told.len(), 1);
    }

    #[tokio::test]
    async fn two_new_banks_of_one_batch_cannot_share_a_code() {
        let store = MemoryStore::default();
        let other = EnrolParticipant { ispb: Some(ispb("00000009")), ..enrol("001") };
        let answers = run(&store, willing(), vec![enrol("001"), other]).await;
        assert_eq!(codes(answers), ["ok", "bank_code_taken"]);
    }

    #[tokio::test]
    async fn the_protocol_changes_and_is_told_unless_a_transfer_is_open() {
        let switched = |to| EnrolParticipant { protocol: Some(to), ..enrol("1") };
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        bench.hear_classic(0, vec![ordered(order(1))]).await;
        let native = || vec![switched(Protocol::Native)];
        let refused = run(&bench.store, willing(), native()).await;
        assert_eq!(codes(refused), ["bank_has_open_transfers"]);
        let same = run(&bench.store, willing(), vec![switched(Protocol::Classic), enrol("1")]);
        let same = same.await;
        assert_eq!(same[1].as_ref().unwrap().protocol, Protocol::Classic, "unsaid, it stays");
        assert_eq!(codes(same), ["ok", "ok"]);
        bench.store.tables().transfers.clear();
        let answers = run(&bench.store, willing(), native()).await;
        assert_eq!(answers[0].as_ref().unwrap().protocol, Protocol::Native);
        assert_eq!(bench.store.tables().banks_told.len(), 1);
    }

    #[tokio::test]
    async fn the_topic_of_a_bank_is_there_before_its_row() {
        let store = MemoryStore::default();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (asked, rows) = (Arc::clone(&seen), store.clone());
        let mut topics = MockTopics::new();
        topics.expect_ensure().times(1).returning(move |banks| {
            assert!(rows.tables().participants.is_empty());
            asked.lock().unwrap().extend(banks.iter().map(|bank| bank.ispb));
            Ok(())
        });
        let protocol = Some(Protocol::Classic);
        let classic = EnrolParticipant { protocol, ..enrol("002") };
        let answers = run(&store, topics, vec![enrol("001"), classic]).await;
        assert_eq!(codes(answers), ["ok", "ok"]);
        assert_eq!(*seen.lock().unwrap(), [ispb("00000001"), ispb("00000002")]);
    }

    #[tokio::test]
    async fn without_its_topic_no_bank_is_enrolled() {
        let store = MemoryStore::default();
        let mut topics = MockTopics::new();
        let down = || StoreError::Unavailable("no broker".into());
        topics.expect_ensure().returning(move |_| Err(down()));
        assert_eq!(codes(run(&store, topics, vec![enrol("001")]).await), ["unavailable"]);
        assert!(store.tables().participants.is_empty());
    }
}
