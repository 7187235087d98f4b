//! Banks, accounts and a directory of a test's own.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use banking::application::account_command::{AccountCommand, AccountDesk, OnAccount};
use banking::application::command::{
    Deposit, OpenAccount, OpenAccountDesk, RequestTransfer, RequestTransferDesk,
};
use banking::application::directory::{FoundKey, KeyDirectory, KeyQuestion, LookupError};
use banking::application::hub::{HubEvent, HubReactions, HubWord};
use banking::application::ports::{BankingPorts, BankingReads, NoEcho};
use banking::application::reaction::{OnParticipantEnrolled, Participant};
use banking::application::views::{AccountView, TransferView};
use banking::domain::{Account, Description, OwnerName, Party, PayeeKey, Payment};
use banking::infrastructure::MIGRATIONS;
use shared_kernel::application::log::OutboundRecord;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::{
    ApplicationError, BatchCommand, BatchExecutor, Caller, Clock, CommandRunner, Ids, TraceParent,
};
use shared_kernel::domain::{AccountId, Amount, BankCode, EndToEndId, Ispb, TaxId, Violation};
use shared_kernel::infrastructure::postgres::outbox::decode;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::testing::{FixedClock, TestServers};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use shared_kernel::infrastructure::postgres::statement;

pub(crate) const BANK_A: &str = "00000001";
pub(crate) const BANK_B: &str = "00000002";

pub(crate) fn ispb(text: &str) -> Ispb {
    Ispb::parse(text).unwrap()
}

pub(crate) fn amount(centavos: i64) -> Amount {
    Amount::from_centavos(centavos).unwrap()
}

/// The CPF that begins with these nine digits.
pub(crate) fn cpf(root: u32) -> TaxId {
    let mut digits: Vec<u32> = format!("{root:09}").bytes().map(|b| u32::from(b - b'0')).collect();
    for weight in [10, 11] {
        let sum: u32 = digits.iter().zip((2..=weight).rev()).map(|(d, w)| d * w).sum();
        let rest = sum % 11;
        digits.push(if rest < 2 { 0 } else { 11 - rest });
    }
    let text: String = digits.iter().map(ToString::to_string).collect();
    TaxId::parse(&text).unwrap()
}

pub(crate) fn trace() -> TraceParent {
    TraceParent::begin(&SystemIds)
}

/// An order to open an account.
pub(crate) fn opening(bank: &str, owner: u32) -> OpenAccount {
    OpenAccount {
        caller: Caller::Operator,
        trace: trace(),
        idempotency_key: SystemIds.random().to_string(),
        ispb: ispb(bank),
        owner_name: OwnerName::parse(&format!("Owner {owner}")).unwrap(),
        owner_tax_id: cpf(owner),
        branch: None,
        number: None,
        account_id: None,
    }
}

/// An order to pay.
pub(crate) fn payment(on: &OnAccount, key: &str, centavos: i64) -> RequestTransfer {
    RequestTransfer {
        on: on.clone(),
        idempotency_key: SystemIds.random().to_string(),
        payee_key: PayeeKey::parse(key).unwrap(),
        amount: amount(centavos),
        description: Description::parse("rent").unwrap(),
    }
}

/// A directory that knows what it was told.
#[derive(Default)]
pub(crate) struct Directory {
    keys: Mutex<HashMap<String, Party>>,
    pub(crate) asked: Mutex<Vec<KeyQuestion>>,
}

#[async_trait]
impl KeyDirectory for Directory {
    async fn find(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
        self.asked.lock().unwrap().push(question.clone());
        let owner = self.keys.lock().unwrap().get(&question.key).cloned();
        let registered_as = Some(format!("{} as registered", question.key));
        Ok(owner.map(|owner| FoundKey { owner, registered_as }))
    }
}

#[derive(QueryableByName)]
struct Records {
    #[diesel(sql_type = Text)]
    records: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

pub(crate) struct World {
    pub(crate) sessions: Sessions,
    pub(crate) ports: BankingPorts,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) directory: Arc<Directory>,
}

impl World {
    /// Two banks without accounts.
    pub(crate) async fn fresh() -> Self {
        let servers = TestServers::fresh().await;
        let sessions = servers.sessions("banking", "/codepix/banking", MIGRATIONS).await;
        let clock = Arc::new(FixedClock::default());
        let directory = Arc::new(Directory::default());
        let ports = BankingPorts {
            store: Arc::new(sessions.clone()),
            reads: Arc::new(sessions.clone()),
            directory: directory.clone(),
            banks: BTreeSet::new(),
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            echo: Arc::new(NoEcho),
        };
        let world = Self { sessions, ports, clock, directory };
        world.enrol(&[(BANK_A, true), (BANK_B, true)], 1).await;
        world
    }

    pub(crate) async fn enrol(&self, banks: &[(&str, bool)], version: i64) {
        let mut transaction = self.ports.store.begin().await.unwrap();
        let participants = banks.iter().map(|(bank, native)| Participant {
            ispb: ispb(bank),
            code: BankCode::parse(bank).unwrap(),
            name: format!("Bank {bank}"),
            native: *native,
            version,
        });
        let reaction = OnParticipantEnrolled::default();
        reaction.apply(&mut *transaction, participants.collect()).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn run<U: BatchCommand>(
        &self,
        use_case: U,
        commands: Vec<U::Command>,
    ) -> Vec<Result<U::Answer, ApplicationError>> {
        BatchExecutor::execute(&self.runner(use_case), commands).await
    }

    pub(crate) fn runner<U: BatchCommand>(&self, use_case: U) -> CommandRunner<U> {
        let book = Arc::new(self.sessions.clone());
        CommandRunner::new(Arc::new(use_case), book, Arc::new(Silent))
    }

    pub(crate) fn transfers(&self) -> RequestTransferDesk {
        RequestTransferDesk::new(&self.ports, Duration::from_secs(40))
    }

    pub(crate) async fn on<C: AccountCommand>(
        &self,
        command: C,
    ) -> Result<AccountView, ApplicationError> {
        self.run(AccountDesk::<C>::new(&self.ports), vec![command]).await.remove(0)
    }

    /// An account with money on it; the directory knows `key` as its own.
    pub(crate) async fn account(
        &self,
        bank: &str,
        owner: u32,
        balance: i64,
        key: &str,
    ) -> OnAccount {
        let command = opening(bank, owner);
        let opened = self.run(OpenAccountDesk(self.ports.clone()), vec![command]).await.remove(0);
        let opened = opened.unwrap();
        let on = OnAccount {
            caller: Caller::Operator,
            trace: trace(),
            ispb: opened.ispb,
            account_id: opened.id,
        };
        if balance > 0 {
            self.deposit(&on, balance).await.unwrap();
        }
        let owner = self.state(opened.id).await.party();
        self.directory.keys.lock().unwrap().insert(key.to_owned(), owner);
        on
    }

    pub(crate) async fn deposit(
        &self,
        on: &OnAccount,
        centavos: i64,
    ) -> Result<AccountView, ApplicationError> {
        let idempotency_key = SystemIds.random().to_string();
        self.on(Deposit { on: on.clone(), idempotency_key, amount: amount(centavos) }).await
    }

    pub(crate) async fn pay(
        &self,
        on: &OnAccount,
        key: &str,
        centavos: i64,
    ) -> Result<TransferView, ApplicationError> {
        let order = payment(on, key, centavos);
        self.run(self.transfers(), vec![order]).await.remove(0)
    }

    pub(crate) async fn state(&self, id: AccountId) -> Account {
        self.sessions.accounts(&[id]).await.unwrap().remove(0)
    }

    /// (available, held) in centavos.
    pub(crate) async fn funds(&self, on: &OnAccount) -> (i64, i64) {
        let funds = self.state(on.account_id).await.state().funds;
        (funds.available().centavos(), funds.held.centavos())
    }

    /// The hub's word to a bank about an ordered transfer.
    pub(crate) async fn said(&self, to: &str, id: EndToEndId, word: HubWord) -> HubEvent {
        let mut transaction = self.ports.store.begin().await.unwrap();
        let outgoing = transaction.outgoing(&[id]).await.unwrap().remove(0);
        transaction.rollback().await;
        let now = self.clock.now();
        let payment = Payment {
            ordered_at: now,
            deadline: now.saturating_add(Duration::from_secs(40)),
            ..outgoing.state().payment.clone()
        };
        HubEvent { bank: ispb(to), word, payment, trace: trace() }
    }

    /// Hands events of the hub to the banks, as one batch.
    pub(crate) async fn hear(&self, events: &[HubEvent]) -> Vec<Result<(), Violation>> {
        let reactions = HubReactions::new(self.clock.clone(), Arc::new(SystemIds));
        let mut transaction = self.ports.store.begin().await.unwrap();
        let outcomes = reactions.react(&mut *transaction, events).await.unwrap();
        transaction.commit().await.unwrap();
        outcomes
    }

    /// Everything that waits in the outbox, in order.
    pub(crate) async fn outbox(&self) -> Vec<OutboundRecord> {
        let mut connection = self.sessions.database.connection().await.unwrap();
        let rows: Vec<Records> = statement("SELECT records FROM banking.outbox ORDER BY id")
            .load(&mut connection)
            .await
            .unwrap();
        rows.iter().flat_map(|row| decode(&row.records).unwrap()).collect()
    }

    /// The types of the events about one subject, in order, without context and version.
    pub(crate) async fn told(&self, subject: &str) -> Vec<String> {
        let records = self.outbox().await;
        let about = |record: &&OutboundRecord| record.key.as_deref() == Some(subject.as_bytes());
        let name = |record: &OutboundRecord| {
            let (_, value) = record.headers.iter().find(|(name, _)| name == "ce_type").unwrap();
            let text = String::from_utf8(value.clone()).unwrap();
            text.trim_start_matches("codepix.banking.").trim_end_matches(".v1").to_owned()
        };
        records.iter().filter(about).map(name).collect()
    }

    /// A number that a query gives.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        let mut connection = self.sessions.database.connection().await.unwrap();
        let row: Number = statement(query).get_result(&mut connection).await.unwrap();
        row.number
    }

    /// Every ledger sums to zero, posting by posting, and balances are sums of entries.
    pub(crate) async fn books_are_right(&self) {
        let uneven = "SELECT count(*) AS number FROM (SELECT FROM banking.entry \
                      GROUP BY reference, leg HAVING sum(amount) <> 0) AS uneven";
        assert_eq!(self.number(uneven).await, 0);
        let wrong = "SELECT count(*) AS number FROM banking.account AS a WHERE balance <> \
                     (SELECT coalesce(sum(amount), 0) FROM banking.entry WHERE account_id = a.id)";
        assert_eq!(self.number(wrong).await, 0);
        let internal = "SELECT count(*) AS number FROM banking.ledger_account AS a WHERE balance \
                        <> (SELECT coalesce(sum(amount), 0) FROM banking.entry \
                        WHERE account_id = a.id)";
        assert_eq!(self.number(internal).await, 0);
        let held = "SELECT count(*) AS number FROM banking.account AS a WHERE held <> \
                    (SELECT coalesce(sum(amount), 0) FROM banking.outgoing_transfer \
                    WHERE payer_account_id = a.id AND state = 'requested')";
        assert_eq!(self.number(held).await, 0);
    }
}

pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, ApplicationError>) -> &'static str {
    match outcome {
        Err(ApplicationError::Refused(violation)) => violation.code(),
        other => panic!("not refused: {other:?}"),
    }
}
