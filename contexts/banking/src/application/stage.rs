//! Two banks in memory, for tests of use cases.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::catalogue::{Channel, ExampleError};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::{
    ApplicationError, BatchCommand, BatchExecutor, Caller, Clock, CommandRunner, Published,
    StoreError, TraceParent,
};
use shared_kernel::domain::{AccountId, BankCode, EndToEndId, Ispb, Money, Violation};
use shared_kernel::testing::{CountedIds, FixedClock};

use super::account_command::{AccountCommand, AccountDesk, OnAccount};
use super::command::{Deposit, OpenAccount, OpenAccountDesk, RequestTransfer, RequestTransferDesk};
use super::directory::{FoundKey, KeyDirectory, KeyQuestion, LookupError};
use super::hub::{HubEvent, HubReactions, HubWord};
use super::memory::{Memory, Tables};
use super::ports::{BankingPorts, BankingStore, Echo, KeyChange, Outcome, Traced};
use super::reaction::{OnParticipantEnrolled, OnPixKeyRegistered, Participant};
use super::views::{AccountView, TransferView};
use crate::domain::samples::{BANK_A, BANK_B, amount, cpf, ispb};
use crate::domain::{
    Account, AccountEvent, AccountFact, BookSide, Description, HubMessage, IncomingStatus,
    OutgoingStatus, OwnerName, Party, PayeeKey, Payment,
};

/// Answers of a directory, by key.
#[derive(Default)]
pub(crate) struct KnownKeys {
    pub(crate) keys: Mutex<HashMap<String, Result<Option<Party>, LookupError>>>,
    pub(crate) asked: Mutex<Vec<KeyQuestion>>,
}

#[async_trait]
impl KeyDirectory for KnownKeys {
    async fn find(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
        self.asked.lock().unwrap().push(question.clone());
        let known = self.keys.lock().unwrap().get(&question.key).cloned().unwrap_or(Ok(None))?;
        Ok(known.map(FoundKey::from))
    }
}

const ECHOES: Channel = Channel::new("echoes", "");

/// What readers of another protocol are told here.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Echoed {
    account: String,
}

shared_kernel::events! {
    /// Of the tests.
    registry Echoes of "echoes", source "/echoes", types "echoes.";
    Echoed = "Echoed" (1, 0) on [ECHOES], example echoed, foreign "an echo";
}

fn echoed() -> Result<Published, ExampleError> {
    Ok(echo_of("someone")?)
}

fn echo_of(account: &str) -> Result<Published, StoreError> {
    let body = Echoed { account: account.to_owned() };
    Published::of(&body, vec![ECHOES.topic()], String::new(), 0, trace())
}

/// One word for each payer's side of a transfer within a bank.
struct OneEach;

impl Echo for OneEach {
    fn of(&self, events: &[Traced<AccountEvent>]) -> Result<Vec<Published>, StoreError> {
        let debits = events.iter().filter(|event| {
            matches!(&event.value.fact, AccountFact::Booked(it) if it.side == BookSide::Debit)
        });
        debits.map(|event| echo_of(&event.value.account_id.to_string())).collect()
    }
}

pub(crate) struct Stage {
    pub(crate) memory: Memory,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) directory: Arc<KnownKeys>,
    pub(crate) ports: BankingPorts,
    keys: Mutex<u32>,
}

pub(crate) fn trace() -> TraceParent {
    TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
}

/// The code of a refusal.
#[track_caller]
pub(crate) fn code<T: std::fmt::Debug>(outcome: Outcome<T>) -> &'static str {
    match outcome {
        Err(ApplicationError::Refused(violation)) => violation.code(),
        other => panic!("not refused: {other:?}"),
    }
}

impl Stage {
    /// Two native banks.
    pub(crate) async fn new() -> Self {
        let memory = Memory::default();
        let clock = Arc::new(FixedClock::default());
        let directory = Arc::new(KnownKeys::default());
        let ports = BankingPorts {
            store: Arc::new(memory.clone()),
            reads: Arc::new(memory.clone()),
            directory: directory.clone(),
            banks: BTreeSet::new(),
            clock: clock.clone(),
            ids: Arc::new(CountedIds::default()),
            echo: Arc::new(OneEach),
        };
        let stage = Self { memory, clock, directory, ports, keys: Mutex::new(0) };
        stage.enrol(BANK_A, true, 1).await;
        stage.enrol(BANK_B, true, 1).await;
        stage
    }

    pub(crate) async fn enrol(&self, bank: &str, native: bool, version: i64) {
        let participant = Participant {
            ispb: ispb(bank),
            code: BankCode::parse(bank).unwrap(),
            name: format!("Bank {version}"),
            native,
            version,
        };
        let mut transaction = self.memory.begin().await.unwrap();
        let reaction = OnParticipantEnrolled::default();
        reaction.apply(&mut *transaction, vec![participant]).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// A key that nobody used yet.
    pub(crate) fn key(&self) -> String {
        let mut keys = self.keys.lock().unwrap();
        *keys += 1;
        format!("key-{keys}")
    }

    pub(crate) fn runner<U: BatchCommand>(&self, use_case: U) -> CommandRunner<U> {
        let book = Arc::new(self.memory.clone());
        CommandRunner::new(Arc::new(use_case), book, Arc::new(Silent))
    }

    pub(crate) async fn run<U: BatchCommand>(
        &self,
        use_case: U,
        commands: Vec<U::Command>,
    ) -> Vec<Outcome<U::Answer>> {
        self.runner(use_case).execute(commands).await
    }

    pub(crate) async fn on<C: AccountCommand>(&self, command: C) -> Outcome<AccountView> {
        self.run(AccountDesk::<C>::new(&self.ports), vec![command]).await.remove(0)
    }

    pub(crate) fn opening(&self, bank: &str, owner: u32) -> OpenAccount {
        OpenAccount {
            caller: Caller::Operator,
            trace: trace(),
            idempotency_key: self.key(),
            ispb: ispb(bank),
            owner_name: OwnerName::parse(&format!("Owner {owner}")).unwrap(),
            owner_tax_id: cpf(owner),
            branch: None,
            number: None,
            account_id: None,
        }
    }

    pub(crate) async fn open(&self, commands: Vec<OpenAccount>) -> Vec<Outcome<AccountView>> {
        self.run(OpenAccountDesk(self.ports.clone()), commands).await
    }

    /// An account with that much on it, whose key the directory knows: `<owner>@example.com`.
    pub(crate) async fn account(&self, bank: &str, owner: u32, centavos: i64) -> OnAccount {
        let opened = self.open(vec![self.opening(bank, owner)]).await.remove(0).unwrap();
        let on = OnAccount {
            caller: Caller::Operator,
            trace: trace(),
            ispb: opened.ispb,
            account_id: opened.id,
        };
        if centavos > 0 {
            self.deposit(&on, centavos).await.unwrap();
        }
        let owner = (format!("{owner}@example.com"), Ok(Some(self.state(on.account_id).party())));
        self.directory.keys.lock().unwrap().extend([owner]);
        on
    }

    pub(crate) async fn deposit(&self, on: &OnAccount, centavos: i64) -> Outcome<AccountView> {
        let (on, idempotency_key) = (on.clone(), self.key());
        self.on(Deposit { on, idempotency_key, amount: amount(centavos) }).await
    }

    /// This bank learns of the key of one of its own accounts.
    pub(crate) async fn learn(&self, key: &str, owner: Option<Party>, version: i64) {
        let mut transaction = self.memory.begin().await.unwrap();
        let change = KeyChange { key: key.to_owned(), owner, version };
        OnPixKeyRegistered::apply(&mut *transaction, vec![change]).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) fn order(&self, on: &OnAccount, owner: u32, centavos: i64) -> RequestTransfer {
        RequestTransfer {
            on: on.clone(),
            idempotency_key: self.key(),
            payee_key: PayeeKey::parse(&format!("{owner}@example.com")).unwrap(),
            amount: amount(centavos),
            description: Description::parse("rent").unwrap(),
        }
    }

    pub(crate) fn transfers(&self) -> RequestTransferDesk {
        RequestTransferDesk::new(&self.ports, Duration::from_secs(40))
    }

    /// Pays from an account to `<owner>@example.com`.
    pub(crate) async fn pay(
        &self,
        on: &OnAccount,
        owner: u32,
        centavos: i64,
    ) -> Outcome<TransferView> {
        let order = self.order(on, owner, centavos);
        self.run(self.transfers(), vec![order]).await.remove(0)
    }

    pub(crate) fn state(&self, id: AccountId) -> Account {
        self.memory.with(|tables| tables.accounts.get(&id).cloned()).unwrap()
    }

    /// (balance, held) in centavos.
    pub(crate) fn funds(&self, on: &OnAccount) -> (i64, i64) {
        let funds = self.state(on.account_id).state().funds;
        (funds.balance.centavos(), funds.held.centavos())
    }

    /// The hub's word to a bank about a transfer that was ordered here.
    pub(crate) fn said(&self, to: &str, id: EndToEndId, word: HubWord) -> HubEvent {
        let ordered = self.memory.with(|tables| tables.outgoing.get(&id).cloned()).unwrap().0;
        let payment = Payment {
            ordered_at: self.clock.now(),
            deadline: self.clock.now().saturating_add(Duration::from_secs(40)),
            ..ordered.state().payment.clone()
        };
        HubEvent { bank: ispb(to), word, payment, trace: trace() }
    }

    /// Hands events of the hub to the banks as one batch.
    pub(crate) async fn hear(&self, events: &[HubEvent]) -> Vec<Result<(), Violation>> {
        let reactions = HubReactions::new(self.clock.clone(), self.ports.ids.clone());
        let mut transaction = self.memory.begin().await.unwrap();
        let outcomes = reactions.react(&mut *transaction, events).await.unwrap();
        transaction.commit().await.unwrap();
        outcomes
    }

    /// What the hub was told since the last time this was asked.
    pub(crate) fn told(&self) -> Vec<HubMessage> {
        self.memory.with(|tables| std::mem::take(&mut tables.messages))
    }

    /// The laws of the ledger.
    #[track_caller]
    pub(crate) fn books_are_right(&self) {
        let tables = self.memory.tables();
        let mut banks: HashMap<Ispb, i64> = HashMap::new();
        let mut accounts: HashMap<AccountId, i64> = HashMap::new();
        for ((_, _, account), (bank, amount)) in &tables.entries {
            *banks.entry(*bank).or_default() += amount.centavos();
            *accounts.entry(*account).or_default() += amount.centavos();
        }
        assert!(banks.values().all(|sum| *sum == 0), "debits and credits: {banks:?}");
        for (id, account) in &tables.accounts {
            let funds = account.state().funds;
            let entries = accounts.get(id).copied().unwrap_or_default();
            assert_eq!(funds.balance.centavos(), entries, "the balance is the sum of the entries");
            assert_eq!(funds.held, open_holds(&tables, *id), "held is the sum of the open holds");
            assert!(!funds.available().is_negative());
        }
        for (id, balance) in &tables.internal {
            assert_eq!(Some(&balance.centavos()), accounts.get(id));
        }
    }

    /// (settled debits, posted credits) of a transfer that came into the books.
    pub(crate) fn effects(&self, id: EndToEndId) -> (bool, bool) {
        let tables = self.memory.tables();
        let debit = tables.outgoing.get(&id).map(|(side, _)| side.state().status);
        let credit = tables.incoming.get(&id).map(|(side, _)| side.state().status);
        let posted = [IncomingStatus::Credited, IncomingStatus::Unapplied];
        (
            debit == Some(OutgoingStatus::Settled),
            credit.is_some_and(|status| posted.contains(&status)),
        )
    }
}

fn open_holds(tables: &Tables, id: AccountId) -> Money {
    let open = tables.outgoing.values().map(|(side, _)| side.state()).filter(|state| {
        state.status == OutgoingStatus::Requested && state.payment.payer.account_id == id
    });
    open.fold(Money::ZERO, |sum, state| sum.checked_add(state.payment.amount.money()).unwrap())
}
